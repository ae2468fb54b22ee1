import { createRng } from '@as-mlp/base';
import { Linear, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { fit, type LoopRecipe, loopRecipe, parseRecipe, type Task, type TrainingData } from './index.ts';

/** The model. Layers are registered under the names that their weights have in the files. */
class Net extends Module {
  private readonly hidden = this.add('hidden', new Linear({ inFeatures: 2, outFeatures: 16 }));
  private readonly out = this.add('out', new Linear({ inFeatures: 16, outFeatures: 1 }));

  /** Points `[B, 2]` → logits `[B]`. */
  forward(points: tf.Tensor2D): tf.Tensor1D {
    return tf.squeeze(this.out.forward(tf.relu(this.hidden.forward(points))), [1]);
  }
}

/** A batch is plain data. */
type Batch = Readonly<Record<'points' | 'inside', Float32Array>>;

/** Points of a square, and whether they lie inside a disc. A pure function: the same arguments, the same batch. */
function drawBatch(seed: number, name: string, size: number): Batch {
  const rng = createRng(seed).fork(name);
  const points = rng.uniform(2 * size).map((u) => 2 * u - 1);
  const isInside = (_: unknown, i: number) => Number(Math.hypot(points[2 * i]!, points[2 * i + 1]!) < 0.7);
  return { points, inside: Float32Array.from({ length: size }, isInside) };
}

/** What it learns from. */
const discData = ({ seed, batchSize }: LoopRecipe): TrainingData<Batch> => ({
  batchesPerEpoch: 50,
  async *batches(epoch, start) {
    for (let i = start; i < 50; i++) yield drawBatch(seed, `${epoch}/${i}`, batchSize);
  },
});

/** How it learns, and how well it does on a thousand other points. */
function discTask({ seed, batchSize }: LoopRecipe): Task<Batch> {
  const model = new Net().initialize(createRng(seed).fork('model'));
  const heldOut = drawBatch(seed, 'held out', 1000);
  return {
    name: 'disc',
    model,
    decayRule: 'classification',
    metric: { name: 'accuracy', better: 'higher' },
    metadata: () => ({ model: 'disc-net' }),
    tensors: ({ points, inside }) => [
      { shape: [batchSize, 2], data: points },
      { shape: [batchSize], data: inside },
    ],
    inputs: [{ shape: ['batch', 2] }, { shape: ['batch'] }],
    loss([points, inside]) {
      const logits = model.forward(points as tf.Tensor2D);
      return { total: tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, inside!))) };
    },
    evaluate: async () => ({
      accuracy: tf.tidy(() => {
        const logits = model.forward(tf.tensor2d(heldOut.points, [1000, 2]));
        return tf.mean(tf.equal(tf.greater(logits, 0), heldOut.inside)).dataSync()[0]!;
      }),
    }),
  };
}

/** Trains in `folder`, or goes on with what is there. */
export async function trainDisc(folder: string, signal?: AbortSignal) {
  const settings = { epochs: 10, batchSize: 32, lr: 0.02, lrBatch: null, schedule: { warmupEpochs: 1 } };
  const recipe = parseRecipe(loopRecipe, settings);
  const task = discTask(recipe);
  const result = await fit(task, discData(recipe), recipe, { folder, resume: true }, { signal });
  task.model.dispose();
  return result;
}
