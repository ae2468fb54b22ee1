import { createRng } from '@as-mlp/base';
import { createClassificationModel } from '@as-mlp/classification';
import { createAdamW, crossEntropy, splitDecay } from '@as-mlp/nn';
import { trainStep } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';

/** The official recipe's numbers; only the learning rate is small, so that random images never make the loss overflow. */
const RECIPE = { learningRate: 1e-5, weightDecay: 0.05, clipNorm: 5, labelSmoothing: 0.1 };

/** One update of a freshly initialised network on random images: forward, backward, clipping, AdamW. */
export async function createTrainingTimer(
  name: string,
  side: number,
): Promise<(batch: number) => Promise<void>> {
  const model = createClassificationModel(name);
  const { decay, noDecay } = splitDecay(model.namedParameters(), 'classification');
  const variables = (group: typeof decay) => group.map(([path, { value }]) => [path, value] as const);
  const optimizer = createAdamW([
    { params: variables(decay), weightDecay: RECIPE.weightDecay },
    { params: variables(noDecay), weightDecay: 0 },
  ]);
  const rng = createRng(0);
  return async (batch) => {
    const shape: [number, number, number, number] = [batch, side, side, 3];
    const pixels = rng.normal(batch * side * side * 3);
    const targets = Int32Array.from({ length: batch }, () => rng.int(model.config.numClasses));
    const loss = () => {
      const logits = model.forward(tf.tensor4d(pixels, shape), { training: true, rng });
      const { labelSmoothing } = RECIPE;
      return { total: crossEntropy(logits, tf.tensor1d(targets, 'int32'), { labelSmoothing }) as tf.Scalar };
    };
    trainStep(model, loss, optimizer, RECIPE);
  };
}
