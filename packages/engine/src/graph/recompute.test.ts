import { createRng } from '@as-mlp/base';
import { Conv2d, GroupNorm, gelu } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { recordProgram } from './compile.ts';
import { recomputeCheap } from './recompute.ts';
import { fuseForRuntime } from './runtime-kernels.ts';

await openEngine();

/** A block's worth of layers; outputs: the loss, then the gradients. */
function recordStep() {
  const rng = createRng(0);
  const pointwise = () => new Conv2d({ inChannels: 4, outChannels: 4, kernelSize: 1 }).initialize(rng);
  const [first, norm, second] = [pointwise(), new GroupNorm(4).initialize(rng), pointwise()];
  const variables = [first, norm, second].flatMap((layer) =>
    [...layer.namedParameters()].map(([, { value }]) => value),
  );
  return recordProgram(
    ([x]) => {
      const outputs: tf.Tensor[] = [];
      const { grads } = tf.variableGrads(() => {
        const y = second.forward(gelu(norm.forward(first.forward(x as tf.Tensor4D))));
        const loss = tf.mean(tf.square(y)) as tf.Scalar;
        outputs.push(tf.keep(tf.reshape(loss, [1])));
        return loss;
      }, variables);
      return [...outputs, ...variables.map(({ name }) => grads[name]!)];
    },
    [{ shape: ['batch', 6, 5, 4] }],
  );
}

describe('recomputeCheap', () => {
  const before = fuseForRuntime(recordStep());
  const after = recomputeCheap(before);
  const isCheap = (name: string) => ['Gelu', 'GroupNorm'].includes(name);
  const producer = (id: number) => after.kernels.findIndex(({ outputs }) => outputs.includes(id));
  const turn = producer(after.outputs[0]!);

  it('reads no output of a cheap layer of the forward pass in the backward pass', () => {
    const read = (program: typeof after, from: number) =>
      program.kernels.slice(from + 1).flatMap(({ inputs }) =>
        Object.values(inputs)
          .flat()
          .map((id) => program.kernels.findIndex(({ outputs }) => outputs.includes(id)))
          .filter((at) => at >= 0 && at <= from && isCheap(program.kernels[at]!.name)),
      );
    const wasTurn = before.kernels.findIndex(({ outputs }) => outputs.includes(before.outputs[0]!));
    expect(read(before, wasTurn).length).toBeGreaterThan(0);
    expect(read(after, turn)).toEqual([]);
  });

  it('waits with each copy for a gradient, and makes it before it is read', () => {
    const copies = after.kernels.filter(({ after }) => after !== undefined);
    expect(copies.map(({ name }) => name).filter(isCheap)).toEqual(['GroupNorm', 'Gelu']);
    for (const copy of copies) {
      const at = producer(copy.outputs[0]!);
      expect(producer(copy.after!)).toBeGreaterThan(turn);
      for (const id of [...Object.values(copy.inputs).flat(), copy.after!]) {
        expect(producer(id)).toBeLessThan(at);
      }
    }
    expect(after.outputs).toEqual(before.outputs);
  });
});
