import { AsMlpError } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import { type Compile, type Compiled, runEagerly, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { SegmentationModel } from '../model.ts';

/** What a network says of one image, outside of the tensor library. */
export interface LogitMap extends Size {
  /** `[height, width, classes]`. */
  readonly data: Float32Array;
  /** Frees `data`, which is empty afterwards. */
  free(): void;
}

/** The compiled part of a segmenter. */
export interface Network {
  /** `[H, W, 3]` normalised → logits of every fourth row and column. */
  logits(values: Float32Array, size: Size): Promise<LogitMap>;
  dispose(): Promise<void>;
}

/** How {@link createNetwork} treats the model. */
export interface NetworkOptions {
  readonly compile?: Compile | undefined;
  /** Whether the model gives up its weights as soon as its graph holds them. Default false. */
  readonly release?: boolean;
}

/** Compiles `model` when it is first needed. Weights that change later need a new network then. */
export function createNetwork(
  model: SegmentationModel,
  { compile = runEagerly, release = false }: NetworkOptions = {},
): Network {
  let compiled: Promise<Compiled<TensorFunction>> | undefined;
  const forward: TensorFunction = (images) => model.forward(images as tf.Tensor4D);
  const make = async () => {
    const made = await compile(forward, { inputs: [{ shape: ['batch', 'height', 'width', 3] }] });
    if (release && made.isGraph) model.dispose();
    return made;
  };
  return {
    logits: async (values, { height, width }) => {
      compiled ??= make();
      const run = await compiled;
      const images = tf.tensor4d(values, [1, height, width, 3]);
      let logits: tf.Tensor4D | undefined;
      try {
        logits = (await run(images)) as tf.Tensor4D;
        const data = (await logits.data()) as Float32Array;
        assertFinite(data);
        const free = () => run.free(data);
        return { height: logits.shape[1], width: logits.shape[2], data, free };
      } finally {
        tf.dispose([images, ...(logits ? [logits] : [])]);
      }
    },
    dispose: async () => (await compiled)?.dispose(),
  };
}

function assertFinite(values: Float32Array): void {
  // x − x is 0 for finite x and NaN otherwise; one sum finds any.
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
  if (sum === 0) return;
  throw new AsMlpError('weights', {
    where: 'the decode head',
    what: 'its outputs are not finite numbers',
    fix: 'The weights are too large for float32, as after a training that diverged: use an earlier checkpoint',
  });
}
