import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { expectClose, golden, type Nchw, nhwc } from './golden.fixture.ts';
import { binaryCrossEntropyWithLogits, l1Loss, reduceLoss, smoothL1Loss } from './losses.ts';
import { crossEntropy } from './losses-cross-entropy.ts';
import { giouLoss } from './losses-giou.ts';

/** Value of a scalar function and its gradient, checking that only these two tensors are left. */
function valueAndGradient(
  f: (x: tf.Tensor) => tf.Scalar,
  x: tf.Tensor,
): [value: number, gradient: Float32Array] {
  const before = tf.memory().numTensors;
  const { value, grad } = tf.valueAndGrad(f)(x);
  expect(tf.memory().numTensors - before).toBe(2);
  const result: [number, Float32Array] = [value.dataSync()[0]!, grad.dataSync().slice() as Float32Array];
  tf.dispose([value, grad]);
  return result;
}

describe('crossEntropy on [N, K]', () => {
  interface Graded {
    readonly loss: number;
    readonly grad_logits: { readonly data: number[] };
  }
  const fixture = golden<{
    num_classes: number;
    logits: { shape: [number, number]; data: number[] };
    target: number[];
    smoothing: number;
    atol: number;
    plain_ce: Graded;
    label_smoothing_ce: Graded;
    cases: (Graded & { name: string; targets: { data: number[] } })[];
  }>('recipe/losses_mixup.json');
  const logits = () => tf.tensor2d(fixture.logits.data, fixture.logits.shape);
  const labels = () => tf.tensor1d(fixture.target, 'int32');

  function expectGraded(f: (x: tf.Tensor) => tf.Scalar, wanted: Graded): void {
    const [loss, gradient] = valueAndGradient(f, logits());
    expect(Math.abs(loss - wanted.loss)).toBeLessThanOrEqual(fixture.atol);
    expectClose(gradient, wanted.grad_logits.data, fixture.atol);
  }

  it('takes labels', () => {
    const target = labels();
    expectGraded((x) => crossEntropy(x, target), fixture.plain_ce);
  });

  it('smooths labels', () => {
    const target = labels();
    const options = { labelSmoothing: fixture.smoothing };
    expectGraded((x) => crossEntropy(x, target, options), fixture.label_smoothing_ce);
  });

  it('smooths one-hot probabilities as it smooths labels', () => {
    const target = tf.oneHot(labels(), fixture.num_classes, 1, 0, 'float32');
    const options = { labelSmoothing: fixture.smoothing };
    expectGraded((x) => crossEntropy(x, target, options), fixture.label_smoothing_ce);
  });

  it.each(fixture.cases)('takes the mixed probabilities of $name', (wanted) => {
    const target = tf.tensor2d(wanted.targets.data, fixture.logits.shape);
    expectGraded((x) => crossEntropy(x, target), wanted);
  });

  it('refuses targets that do not fit', () => {
    const x = logits();
    expect(() => crossEntropy(x, tf.tensor1d([0, 1], 'int32'))).toThrow(/shape \[4,7\].*shape \[2\]/);
    expect(() => crossEntropy(x, tf.tensor1d([0, 1, 2, 3]))).toThrow(/float32.*int32/);
    expect(() => crossEntropy(x, x, { ignoreIndex: 0 })).toThrow(AsMlpError);
    expect(() => crossEntropy(x, labels(), { labelSmoothing: 1 })).toThrow(AsMlpError);
  });

  it('gives NaN for a label that names no class', () => {
    const losses = crossEntropy(logits(), tf.tensor1d([0, 7, -1, 255], 'int32'), {
      reduction: 'none',
      ignoreIndex: 255,
    });
    const [first, ...rest] = losses.dataSync();
    expect(first).toBeGreaterThan(0);
    expect(rest).toEqual([Number.NaN, Number.NaN, 0]);
  });

  it('clears an ignored class and its smoothing', () => {
    const target = tf.tensor1d([2, 0, 2, 1], 'int32');
    const options = { reduction: 'none', ignoreIndex: 2, labelSmoothing: 0.1 } as const;
    const losses = crossEntropy(logits(), target, options).dataSync();
    const kept = crossEntropy(logits(), target, { reduction: 'none', labelSmoothing: 0.1 }).dataSync();
    expectClose(losses, [0, kept[1]!, 0, kept[3]!], 1e-6);
  });
});

describe('crossEntropy on [N, H, W, K] with ignored pixels', () => {
  interface Case {
    readonly name: string;
    readonly logits: Nchw;
    readonly labels: number[][][];
    readonly ignore_index: number;
    readonly loss: number;
    readonly NOT_this_mean_over_valid: number | null;
    readonly per_pixel: { readonly data: number[] };
    readonly grad_logits: Nchw;
  }
  const { cases, rtol } = golden<{ cases: Case[]; rtol: number }>('seg-unit/ce_ignore.json');
  // The other cases resize the logits first; they are in resize.test.ts.
  const sameSize = cases.filter(({ logits, labels }) => logits.shape[2] === labels[0]!.length);

  it.each(sameSize)('$name', (wanted) => {
    const target = tf.tensor3d(wanted.labels, undefined, 'int32');
    const options = { ignoreIndex: wanted.ignore_index, meanOver: 'all' } as const;
    const [loss, gradient] = valueAndGradient((x) => crossEntropy(x, target, options), nhwc(wanted.logits));
    expect(Math.abs(loss - wanted.loss)).toBeLessThanOrEqual(rtol * wanted.loss);
    expectClose(gradient, nhwc(wanted.grad_logits).dataSync(), rtol * 0.1);

    const pixels = crossEntropy(nhwc(wanted.logits), target, { ...options, reduction: 'none' });
    const largest = Math.max(...wanted.per_pixel.data);
    expectClose(pixels.dataSync(), wanted.per_pixel.data, rtol * largest);

    const valid = crossEntropy(nhwc(wanted.logits), target, {
      ignoreIndex: wanted.ignore_index,
    }).dataSync()[0]!;
    const meanOverValid = wanted.NOT_this_mean_over_valid ?? Number.NaN;
    if (Number.isNaN(meanOverValid)) expect(valid).toBeNaN();
    else expect(Math.abs(valid - meanOverValid)).toBeLessThanOrEqual(rtol * meanOverValid);
  });

  it('covers three cases', () => {
    expect(sameSize.map(({ name }) => name)).toEqual(['same_size', 'no_ignore', 'all_ignored']);
  });
});

describe('detection losses', () => {
  interface Case {
    readonly name: string;
    readonly inputs: Record<string, number[]> & { labels: number[] };
    readonly expected: number;
    readonly grads: Record<string, number[]>;
  }
  const cases = golden<{ cases: Case[] }>('det-unit/losses.json').cases;
  const input = (wanted: Case, name: string) => tf.tensor(wanted.inputs[name]!);

  /** One line per case: the loss of the variable input. Fixtures are printed with eight significant digits. */
  const losses: Record<string, (wanted: Case) => (x: tf.Tensor) => tf.Scalar> = {
    rpn_cls: (wanted) => {
      const [target, weight] = [input(wanted, 'target'), input(wanted, 'weight')];
      return (x) => binaryCrossEntropyWithLogits(x, target, { weight, averageFactor: 9 });
    },
    rpn_box_l1: (wanted) => {
      const [target, weight] = [input(wanted, 'target'), tf.expandDims(input(wanted, 'weight'), 1)];
      return (x) => l1Loss(x, target, { weight, averageFactor: tf.scalar(9) });
    },
    rpn_box_smooth_l1: (wanted) => {
      const [target, weight] = [input(wanted, 'target'), tf.expandDims(input(wanted, 'weight'), 1)];
      return (x) => smoothL1Loss(x, target, { beta: 1 / 9, weight, averageFactor: 9 });
    },
    roi_cls: (wanted) => {
      const labels = tf.tensor1d(wanted.inputs.labels, 'int32');
      return (x) => crossEntropy(x, labels);
    },
    roi_box_l1: (wanted) => {
      const { rows, positives } = selectPositives(wanted);
      const target = tf.gather(input(wanted, 'target'), positives);
      return (x) => l1Loss(rows(x), target, { averageFactor: 12 });
    },
    roi_box_giou: (wanted) => {
      const { rows, positives } = selectPositives(wanted);
      const rois = tf.gather(input(wanted, 'rois'), positives) as tf.Tensor2D;
      const target = tf.gather(input(wanted, 'gt'), positives) as tf.Tensor2D;
      return (x) => tf.mul<tf.Scalar>(giouLoss(decode(rois, rows(x)), target, { averageFactor: 12 }), 10);
    },
    giou: (wanted) => {
      const target = input(wanted, 'target') as tf.Tensor2D;
      return (x) => giouLoss(x as tf.Tensor2D, target, { reduction: 'sum' });
    },
    mask: (wanted) => {
      const target = input(wanted, 'target');
      const channels = tf.tensor1d(
        wanted.inputs.labels.map((label, i) => i * 3 + label),
        'int32',
      );
      return (x) => binaryCrossEntropyWithLogits(tf.gather(tf.reshape(x, [9, 6, 6]), channels), target);
    },
  };

  it.each(cases)('$name', (wanted) => {
    const [[name, gradient]] = Object.entries(wanted.grads) as [[string, number[]]];
    const [value, actual] = valueAndGradient(losses[wanted.name]!(wanted), input(wanted, name));
    expect(Math.abs(value - wanted.expected)).toBeLessThanOrEqual(1e-6 * wanted.expected);
    const expected = tf.tensor(gradient).dataSync();
    expectClose(actual, expected, 3e-6 * Math.max(...expected.map(Math.abs)));
  });

  /** Rows of foreground boxes, and of `[12, 4·5]` deltas the four that belong to the label. */
  function selectPositives(wanted: Case) {
    const { labels } = wanted.inputs;
    const positive = labels.flatMap((label, i) => (label < 5 ? [i] : []));
    const flat = tf.tensor1d(
      positive.map((i) => i * 5 + labels[i]!),
      'int32',
    );
    return {
      positives: tf.tensor1d(positive, 'int32'),
      rows: (x: tf.Tensor) => tf.gather(tf.reshape(x, [60, 4]), flat) as tf.Tensor2D,
    };
  }

  function decode(boxes: tf.Tensor2D, deltas: tf.Tensor2D): tf.Tensor2D {
    const [x0y0, x1y1] = tf.split(boxes, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const scaled = tf.mul<tf.Tensor2D>(deltas, tf.tensor1d([0.1, 0.1, 0.2, 0.2]));
    const [shift, growth] = tf.split(scaled, 2, 1) as [tf.Tensor2D, tf.Tensor2D];
    const size = tf.sub(x1y1, x0y0);
    const half = tf.mul<tf.Tensor2D>(tf.mul(size, tf.exp(growth)), 0.5);
    const middle = tf.add<tf.Tensor2D>(tf.mul(tf.add(x0y0, x1y1), 0.5), tf.mul(size, shift));
    return tf.concat2d([tf.sub<tf.Tensor2D>(middle, half), tf.add<tf.Tensor2D>(middle, half)], 1);
  }
});

describe('at the kinks', () => {
  const at = (f: (x: tf.Tensor) => tf.Scalar, x: number[][]) => valueAndGradient(f, tf.tensor2d(x))[1];

  it('has the subgradients of PyTorch', () => {
    const zero = tf.tensor2d([[0, 0]]);
    expect([...at((x) => l1Loss(x, zero, { reduction: 'sum' }), [[0, -2]])]).toEqual([0, -1]);
    expect([...at((x) => smoothL1Loss(x, zero, { reduction: 'sum' }), [[0, 1]])]).toEqual([0, 1]);
    // torch: F.binary_cross_entropy_with_logits at x = 0, t = 0
    expect([...at((x) => binaryCrossEntropyWithLogits(x, zero, { reduction: 'sum' }), [[0, 0]])]).toEqual([
      0.5, 0.5,
    ]);
  });

  it('shares the gradient of a box that equals its target between both', () => {
    const target = tf.tensor2d([[1, 2, 5, 8]]);
    // torch: loss 0; each side of the box pulls from overlap and hull by half: gradient of the union term only.
    const [loss, gradient] = valueAndGradient(
      (x) => giouLoss(x as tf.Tensor2D, target),
      tf.tensor2d([[1, 2, 5, 8]]),
    );
    expect(loss).toBeCloseTo(0, 6);
    expectClose(gradient, [0, 0, 0, 0], 1e-7);
  });

  it('stays finite for extreme logits and for boxes without area', () => {
    const logits = [[-1e4, 1e4]];
    const target = tf.tensor2d([[1, 0]]);
    const [loss, gradient] = valueAndGradient(
      (x) => binaryCrossEntropyWithLogits(x, target),
      tf.tensor2d(logits),
    );
    expect(loss).toBe(1e4);
    expect([...gradient]).toEqual([-0.5, 0.5]);

    const labels = tf.tensor1d([0], 'int32');
    const [entropy, slope] = valueAndGradient((x) => crossEntropy(x, labels), tf.tensor2d(logits));
    expect(entropy).toBe(2e4);
    expect([...slope]).toEqual([-1, 1]);

    const point = tf.tensor2d([[3, 3, 3, 3]]);
    const [giou, pull] = valueAndGradient(
      (x) => giouLoss(x as tf.Tensor2D, point),
      tf.tensor2d([[3, 3, 3, 3]]),
    );
    expect(giou).toBe(1);
    expect([...pull].every(Number.isFinite)).toBe(true);
  });
});

describe('reduceLoss', () => {
  const losses = () => tf.tensor1d([1, 2, 6]);

  it('reduces', () => {
    expect(reduceLoss(losses(), {}).dataSync()[0]).toBe(3);
    expect(reduceLoss(losses(), { reduction: 'sum' }).dataSync()[0]).toBe(9);
    expect([
      ...reduceLoss(losses(), { reduction: 'none', weight: tf.tensor1d([1, 0, 2]) }).dataSync(),
    ]).toEqual([1, 0, 12]);
    expect(reduceLoss(losses(), { averageFactor: 4, weight: tf.scalar(2) }).dataSync()[0]).toBe(4.5);
  });

  it('means over nothing only with an average factor', () => {
    expect(reduceLoss(tf.tensor1d([]), {}).dataSync()[0]).toBeNaN();
    expect(reduceLoss(tf.tensor1d([]), { averageFactor: 7 }).dataSync()[0]).toBe(0);
    const none = tf.zeros([0, 4]) as tf.Tensor2D;
    const [loss, gradient] = valueAndGradient(
      (x) => giouLoss(x as tf.Tensor2D, none, { averageFactor: 7 }),
      none,
    );
    expect(loss).toBe(0);
    expect(gradient).toHaveLength(0);
  });

  it('refuses an average factor without a mean', () => {
    expect(() => reduceLoss(losses(), { reduction: 'sum', averageFactor: 3 })).toThrow(AsMlpError);
  });

  it('refuses shapes that would broadcast', () => {
    expect(() => l1Loss(tf.zeros([4, 1]), tf.zeros([4]))).toThrow(/\[4,1\].*\[4\]/);
    expect(() => giouLoss(tf.zeros([2, 3]), tf.zeros([2, 3]))).toThrow(AsMlpError);
    expect(() => smoothL1Loss(tf.zeros([1]), tf.zeros([1]), { beta: 0 })).toThrow(AsMlpError);
  });
});
