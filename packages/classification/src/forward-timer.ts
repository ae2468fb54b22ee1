import { createRng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { createClassificationModel } from './model.ts';

/** A forward pass to be timed. */
export interface ForwardTimer {
  /** Runs `batch` images of random pixels and waits for the logits. */
  run(batch: number): Promise<void>;
  dispose(): void;
}

/** The forward pass of a freshly initialised model on images of `size` pixels. */
export function createForwardTimer(
  name: string,
  { height, width }: { height: number; width: number },
): ForwardTimer {
  const model = createClassificationModel(name);
  const rng = createRng(0);
  const images = new Map<number, tf.Tensor4D>();
  const imagesOf = (batch: number): tf.Tensor4D => {
    const known = images.get(batch);
    if (known) return known;
    const made = tf.tensor4d(rng.normal(batch * height * width * 3), [batch, height, width, 3]);
    images.set(batch, made);
    return made;
  };
  return {
    async run(batch) {
      const logits = model.forward(imagesOf(batch));
      await logits.data();
      logits.dispose();
    },
    dispose() {
      model.dispose();
      tf.dispose([...images.values()]);
    },
  };
}
