import { createRng } from '@as-mlp/base';
import { openEngine } from '@as-mlp/engine';
import { Linear, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { fit, loopRecipe, parseRecipe, type Task, type TrainingData } from './index.ts';

/**
 * A training as a process of its own, for a test that kills it: the argument is the run folder, and a line of standard output
 * follows each update. It saves after every update, so that most of its time goes into writing.
 */
class Net extends Module {
  private readonly hidden = this.add('hidden', new Linear({ inFeatures: 2, outFeatures: 64 }));
  private readonly out = this.add('out', new Linear({ inFeatures: 64, outFeatures: 1 }));

  forward(points: tf.Tensor2D): tf.Tensor1D {
    return tf.squeeze(this.out.forward(tf.relu(this.hidden.forward(points))), [1]);
  }
}

const BATCH = 8;
const model = new Net().initialize(createRng(1));
const lossOf = (points: tf.Tensor) => {
  const wanted = tf.prod(points, 1);
  return tf.mean(tf.squaredDifference(model.forward(points as tf.Tensor2D), wanted)) as tf.Scalar;
};
const task: Task<Float32Array> = {
  name: 'product',
  model,
  decayRule: 'classification',
  metric: { name: 'loss', better: 'lower' },
  metadata: () => ({ model: 'net' }),
  tensors: (data) => [{ shape: [BATCH, 2], data }],
  inputs: [{ shape: ['batch', 2] }],
  loss: ([points]) => ({ total: lossOf(points!) }),
  async evaluate() {
    const points = createRng(3).normal(200);
    return { loss: tf.tidy(() => lossOf(tf.tensor2d(points, [100, 2])).dataSync()[0]!) };
  },
};
const data: TrainingData<Float32Array> = {
  batchesPerEpoch: 20,
  async *batches(epoch, start) {
    for (let i = start; i < 20; i++)
      yield createRng(2)
        .fork(`${epoch}/${i}`)
        .normal(2 * BATCH);
  },
};

const recipe = parseRecipe(loopRecipe, {
  epochs: 3,
  batchSize: BATCH,
  accumulate: 2,
  lr: 0.01,
  lrBatch: null,
  schedule: { warmupEpochs: 0 },
  emaDecay: 0.9,
  keepBest: 2,
  saveEvery: 1,
  logEvery: 1,
});
const engine = await openEngine({ threads: 1, log: () => undefined });
const on = { progress: ({ step }: { step: number }) => void process.stdout.write(`${step}\n`) };
await fit(task, data, recipe, { folder: process.argv[2]!, resume: true, engine }, { on });
