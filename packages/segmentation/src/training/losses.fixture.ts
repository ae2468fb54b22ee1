import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { decodeLabels } from '@as-mlp/data';
import { bytesSource, type Mode, openWeights } from '@as-mlp/nn';
import { trainableVariables } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { reduceZeroLabel } from '../data/reduce-zero-label.ts';
import { createSegmentationModel } from '../model.ts';
import { segmentationLosses } from './losses.ts';

/** Checksums of a tensor: `probe` is Σ p[i]·cos(0.1·i + 0.3) over its values in the official order. */
export interface Checksums {
  readonly l2: number;
  readonly sum: number;
  readonly probe: number;
}

/** Losses and the norms of the gradients of their sum, from the PyTorch reference in double precision. */
export interface LossRun {
  readonly losses: Readonly<Record<string, number>>;
  readonly grad_norm: number;
  readonly grad_norm_by_module: Readonly<Record<string, number>>;
  readonly grad_norm_by_parameter: Readonly<Record<string, number>>;
  readonly running_after?: Readonly<Record<string, Checksums>>;
  readonly keep_masks?: Readonly<Record<'decode_head' | 'auxiliary_head', number[][]>>;
}

interface Expected {
  readonly config: {
    embed_dim: number;
    depths: [number, number, number, number];
    shift_size: number;
    num_classes: number;
    channels: number;
    aux_channels: number;
    crop_hw: [number, number];
    batch: number;
  };
  readonly runs: Readonly<Record<string, LossRun>>;
}

/** A folder of the reference: a model, a batch, and what its losses are. */
export async function openLossFixture(folder: string, weights: string) {
  const { config, runs }: Expected = JSON.parse(readFileSync(join(folder, 'expected.json'), 'utf8'));
  const [height, width] = config.crop_hw;
  const model = createSegmentationModel('upernet-as-mlp-nano', {
    embedDim: config.embed_dim,
    depths: config.depths,
    shiftSize: config.shift_size,
    numClasses: config.num_classes,
    channels: config.channels,
    auxiliaryChannels: config.aux_channels,
    dropPathRate: 0,
  });
  const file = readFileSync(join(folder, weights));
  const values = new Float32Array(Uint8Array.from(readFileSync(join(folder, 'input.bin'))).buffer);
  const maps = await Promise.all(
    Array.from({ length: config.batch }, async (_, i) =>
      reduceZeroLabel(await decodeLabels(join(folder, `annotation_${i}.png`))),
    ),
  );

  /** Losses, gradients and running statistics with the weights of the file. */
  async function run({ keep_masks }: LossRun, training: boolean) {
    await model.load((await openWeights(bytesSource(weights, file))).entries);
    const images = tf.tidy(() =>
      tf.transpose(tf.tensor4d(values, [config.batch, 3, height, width]), [0, 2, 3, 1]),
    ) as tf.Tensor4D;
    const labels = tf.tensor3d(
      Int32Array.from(maps.flatMap(({ data }) => [...data])),
      [config.batch, height, width],
      'int32',
    );
    const variables = [...trainableVariables(model)];
    const losses: Record<string, number> = {};
    const { value, grads } = tf.variableGrads(
      () => {
        const found = segmentationLosses(model, images, labels, { mode: modeOf(training, keep_masks) });
        for (const [name, part] of Object.entries({ ...found.losses, ...found.accuracies })) {
          losses[name] = part.dataSync()[0]!;
        }
        return tf.addN(Object.values(found.losses)) as tf.Scalar;
      },
      variables.map(([, variable]) => variable),
    );
    const gradNorms = Object.fromEntries(
      variables.map(([name, variable]) => [
        name,
        tf.tidy(() => tf.norm(grads[variable.name]!).dataSync()[0]!),
      ]),
    );
    const buffers = [...model.namedTensors()].filter(([, { isBuffer }]) => isBuffer);
    const running = Object.fromEntries(
      buffers.map(([name, { value: tensor }]) => [name, checksums(tensor.dataSync<'float32'>())]),
    );
    losses.loss = value.dataSync()[0]!;
    tf.dispose([images, labels, value, grads]);
    return { losses, gradNorms, running };
  }

  return { model, runs, run };
}

function checksums(values: Float32Array): Checksums {
  return {
    l2: Math.hypot(...values),
    sum: values.reduce((sum, value) => sum + value, 0),
    probe: values.reduce((sum, value, i) => sum + value * Math.cos(0.1 * i + 0.3), 0),
  };
}

/** Channels are kept where the mask says so, or all of them: a uniform number below 0.9 keeps. */
function modeOf(training: boolean, masks: LossRun['keep_masks']): Mode {
  const heads = masks ? [masks.decode_head, masks.auxiliary_head] : [];
  const draw = (shape: readonly number[]) => {
    const mask = heads.shift();
    return mask
      ? tf.tensor(
          mask.flat().map((keep) => 1 - keep),
          [...shape],
        )
      : tf.zeros([...shape]);
  };
  // Without masks nothing drops: the reference has its dropout off there.
  return { training, rng: createRng(0), draw };
}
