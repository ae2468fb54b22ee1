import { createRng } from '@as-mlp/base';
import { type Compile, runEagerly } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { createClassificationModel } from './model.ts';

/** A forward pass to be timed. */
export interface ForwardTimer {
  /** Runs `batch` images of random pixels and waits for the logits. */
  run(batch: number): Promise<void>;
  dispose(): void;
}

/** The forward pass of a freshly initialised model on images of one size, compiled by `compile`. */
export async function createForwardTimer(
  name: string,
  { height, width }: { height: number; width: number },
  compile: Compile = runEagerly,
): Promise<ForwardTimer> {
  const model = createClassificationModel(name);
  const forward = (input: tf.Tensor) => model.forward(input as tf.Tensor4D);
  const compiled = await compile(forward, { inputs: [{ shape: ['batch', height, width, 3] }] });
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
      const logits = await compiled(imagesOf(batch));
      await logits.data();
      logits.dispose();
    },
    dispose() {
      void compiled.dispose();
      model.dispose();
      tf.dispose([...images.values()]);
    },
  };
}
