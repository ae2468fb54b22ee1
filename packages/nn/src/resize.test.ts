import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, golden, type Nchw, nhwc } from './golden.fixture.ts';
import { crossEntropy } from './losses-cross-entropy.ts';
import { adaptiveAvgPool } from './pool.ts';
import { resizeBilinear, resizeNearest } from './resize.ts';

function expectSame(actual: tf.Tensor, expected: tf.Tensor, tolerance: number): void {
  expect(actual.shape).toEqual(expected.shape);
  expectClose(actual.dataSync(), expected.dataSync(), tolerance);
}

/** The gradient of Σ f(x)·dy. */
function gradient(f: (x: tf.Tensor4D) => tf.Tensor4D, x: tf.Tensor4D, dy: tf.Tensor4D): tf.Tensor4D {
  return tf.grad((input) => f(input as tf.Tensor4D))(x, dy) as tf.Tensor4D;
}

describe('resizeBilinear', () => {
  interface Case {
    readonly input: Nchw;
    readonly size: [number, number];
    readonly output: Nchw;
    readonly grad_output?: Nchw;
    readonly grad_input?: Nchw;
  }
  const { cases, atol } = golden<{ cases: Case[]; atol: number }>('seg-unit/bilinear_resize.json');

  it.each(cases)(
    '$input.shape → $size',
    ({ input, size: [height, width], output, grad_output, grad_input }) => {
      const f = (x: tf.Tensor4D) => resizeBilinear(x, { height, width });
      expectSame(f(nhwc(input)), nhwc(output), atol);
      if (grad_output && grad_input) {
        expectSame(gradient(f, nhwc(input), nhwc(grad_output)), nhwc(grad_input), atol);
      }
    },
  );

  it.each(cases)(
    '$input.shape → $size by the op of the engine',
    ({ input, size: [height, width], output }) => {
      expectSame(resizeBilinear(nhwc(input), { height, width }, 'fast'), nhwc(output), 2 * atol);
    },
  );

  it('checks gradients in seven cases', () => {
    expect(cases.filter((wanted) => wanted.grad_input)).toHaveLength(7);
  });

  it('conserves the sum of the gradient, as weights of every output pixel add up to one', () => {
    for (const [from, to] of [
      [7, 23],
      [23, 7],
      [1, 5],
      [16, 16],
    ] as const) {
      const dy = tf.randomNormal([2, to, to + 1, 3], 0, 1, 'float32', 7) as tf.Tensor4D;
      const dx = gradient(
        (x) => resizeBilinear(x, { height: to, width: to + 1 }),
        tf.zeros([2, from, from, 3]),
        dy,
      );
      expectSame(tf.sum(dx, [1, 2]), tf.sum(dy, [1, 2]), 1e-4);
    }
  });

  it('resizes logits below the segmentation loss', () => {
    interface LossCase {
      readonly name: string;
      readonly logits: Nchw;
      readonly labels: number[][][];
      readonly ignore_index: number;
      readonly loss: number;
      readonly grad_logits: Nchw;
    }
    const fixture = golden<{ cases: LossCase[]; rtol: number }>('seg-unit/ce_ignore.json');
    const resized = fixture.cases.filter(({ logits, labels }) => logits.shape[2] !== labels[0]!.length);
    expect(resized.map(({ name }) => name)).toEqual(['upsampled', 'large_logits']);
    for (const wanted of resized) {
      const labels = tf.tensor3d(wanted.labels, undefined, 'int32');
      const [, height, width] = labels.shape;
      const options = { ignoreIndex: wanted.ignore_index, meanOver: 'all' } as const;
      const { value, grad } = tf.valueAndGrad((x) =>
        crossEntropy(resizeBilinear(x as tf.Tensor4D, { height, width }), labels, options),
      )(nhwc(wanted.logits));
      expect(Math.abs(value.dataSync()[0]! - wanted.loss)).toBeLessThanOrEqual(fixture.rtol * wanted.loss);
      expectSame(grad, nhwc(wanted.grad_logits), fixture.rtol * 0.1);
    }
  });
});

describe('resizeNearest', () => {
  it('repeats pixels of a feature pyramid', () => {
    const x = tf.tensor4d([1, 2, 3, 4], [1, 2, 2, 1]);
    const rows = [1, 1, 2, 1, 1, 2, 3, 3, 4, 3, 3, 4];
    expect([...resizeNearest(x, { height: 4, width: 3 }).dataSync()]).toEqual(rows);
  });

  it('sums gradients of copies', () => {
    const dx = gradient(
      (x) => resizeNearest(x, { height: 4, width: 3 }),
      tf.zeros([1, 2, 2, 1]),
      tf.ones([1, 4, 3, 1]),
    );
    expect([...dx.dataSync()]).toEqual([4, 2, 4, 2]);
  });

  it('copies pixel ⌊i·in/out⌋', () => {
    for (const [from, to] of [
      [13, 25],
      [25, 42],
      [21, 42],
      [50, 100],
      [7, 5],
    ] as const) {
      const x = tf.reshape(tf.range(0, from), [1, from, 1, 1]) as tf.Tensor4D;
      const wanted = Array.from({ length: to }, (_, i) => Math.floor((i * from) / to));
      expect([...resizeNearest(x, { height: to, width: 1 }).dataSync()]).toEqual(wanted);
    }
  });
});

describe('adaptiveAvgPool', () => {
  interface Case {
    readonly input: Nchw;
    readonly outputs: { bins: number; output: Nchw; grad_output: Nchw; grad_input: Nchw }[];
  }
  const { cases, atol } = golden<{ cases: Case[]; atol: number }>('seg-unit/adaptive_avg_pool.json');

  it.each(cases)('pools $input.shape', ({ input, outputs }) => {
    for (const { bins, output, grad_output, grad_input } of outputs) {
      const f = (x: tf.Tensor4D) => adaptiveAvgPool(x, { height: bins, width: bins });
      expectSame(f(nhwc(input)), nhwc(output), atol);
      expectSame(gradient(f, nhwc(input), nhwc(grad_output)), nhwc(grad_input), atol);
    }
  });
});

describe('memory', () => {
  it('leaves nothing but the result', () => {
    const x = tf.ones([1, 5, 7, 2]) as tf.Tensor4D;
    const run = () => {
      tf.dispose([resizeBilinear(x, { height: 9, width: 9 }), adaptiveAvgPool(x, { height: 2, width: 3 })]);
      tf.dispose(tf.grad((y) => tf.sum(resizeBilinear(y as tf.Tensor4D, { height: 3, width: 3 })))(x));
    };
    run();
    const before = tf.memory().numTensors;
    run();
    expect(tf.memory().numTensors).toBe(before);
  });
});
