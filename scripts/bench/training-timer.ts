import { createRng } from '@as-mlp/base';
import { createClassificationModel, parseClassificationRecipe } from '@as-mlp/classification';
import type { Engine } from '@as-mlp/engine';
import { crossEntropy } from '@as-mlp/nn';
import type * as tf from '@tensorflow/tfjs-core';
import { createUpdater, type Trainee } from '../../packages/train/src/updater.ts';

/** Small, so that random images never make the loss overflow; the time does not depend on it. */
const LEARNING_RATE = 1e-5;

/**
 * One update of a freshly initialised network on random images, as training makes it with the official recipe: forward,
 * backward, clipping, AdamW; as one graph where the engine compiles.
 */
export async function createTrainingTimer(
  name: string,
  side: number,
  engine: Engine,
): Promise<(batch: number) => Promise<void>> {
  const model = createClassificationModel(name);
  const recipe = parseClassificationRecipe({ model: name });
  const { labelSmoothing } = recipe;
  const task: Trainee = {
    model,
    decayRule: 'classification',
    inputs: [{ shape: ['batch', side, side, 3] }, { shape: ['batch'], dtype: 'int32' }],
    loss([images, targets], mode) {
      const logits = model.forward(images as tf.Tensor4D, mode);
      return { total: crossEntropy(logits, targets as tf.Tensor1D, { labelSmoothing }) as tf.Scalar };
    },
  };
  const updater = await createUpdater(task, recipe, engine);
  const rng = createRng(0);
  let update = 0;
  const pixels = new Map<number, Float32Array>();
  return async (batch) => {
    const images = pixels.get(batch) ?? rng.normal(batch * side * side * 3);
    pixels.set(batch, images);
    const targets = Int32Array.from({ length: batch }, () => rng.int(model.config.numClasses));
    const tensors = [
      { shape: [batch, side, side, 3], data: images },
      { shape: [batch], data: targets },
    ];
    const where = `update ${++update}`;
    await updater.update([{ tensors, rng: rng.fork(update) }], { learningRate: LEARNING_RATE, where });
  };
}
