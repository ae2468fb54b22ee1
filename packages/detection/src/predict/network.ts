import type { Size } from '@as-mlp/data';
import {
  type Compile,
  type Compiled,
  type InputSpec,
  type Module,
  runEagerly,
  type TensorFunction,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { BOX_CELLS, MASK_CELLS, MASK_SIZE } from '../config.ts';
import type { DetectionModel } from '../model.ts';
import type { HostMap } from '../roi/roi-align.ts';
import { boxPart, chosenMaskPart, densePart } from './parts.ts';
import type { RpnLevel } from './proposals.ts';

/** Regions that a head takes at a time: enough for its products, few enough for its intermediates to stay small. */
const BOX_BATCH = 250;
const MASK_BATCH = 25;

/** What the dense part of a detector says of one image, outside of the tensor library. */
export interface DenseOutput {
  /** P2 … P5, which regions are cut from. */
  readonly maps: readonly HostMap[];
  /** P2 … P6. */
  readonly rpn: readonly RpnLevel[];
  /** Frees all of them. */
  free(): void;
}

/** Cuts the regions from `begin` up to `end` out of the maps, `[end − begin, size, size, C]`; good until the next call. */
export type CutRegions = (begin: number, end: number) => Float32Array;

/** The parts of a detector that are compiled, between which plain code chooses regions. */
export interface Network {
  /** `[canvas.height, canvas.width, 3]` normalised → maps and proposal network. */
  dense(values: Float32Array, canvas: Size): Promise<DenseOutput>;
  /** Box head `stage` on `count` regions of 7×7: `[N, K + 1]` logits and `[N, 4 · K]` deltas. */
  boxes(
    stage: number,
    count: number,
    cut: CutRegions,
  ): Promise<{ logits: Float32Array; deltas: Float32Array }>;
  /** The mean over the mask heads of the probabilities of one class each, from regions of 14×14: `[N, 28, 28]`. */
  masks(labels: Int32Array, cut: CutRegions): Promise<Float32Array>;
  dispose(): Promise<void>;
}

/** How {@link createNetwork} treats the model. */
export interface NetworkOptions {
  readonly compile?: Compile | undefined;
  /** Whether a part of the model gives up its weights as soon as its graph holds them. Default false. */
  readonly release?: boolean;
}

/** Compiles each part of `model` when it is first needed. Weights that change later need a new network then. */
export function createNetwork(
  model: DetectionModel,
  { compile = runEagerly, release = false }: NetworkOptions = {},
): Network {
  const { channels, numClasses } = model.config;
  const { strides } = model.neck;
  const compiled = new Map<string, Promise<Compiled<TensorFunction>>>();
  const part = (
    name: string,
    run: TensorFunction,
    inputs: readonly InputSpec[],
    modules: readonly Module[],
  ) => {
    const make = async () => {
      const made = await compile(run, { inputs });
      if (release && made.isGraph) for (const module of modules) module.dispose();
      return made;
    };
    const known = compiled.get(name) ?? make();
    compiled.set(name, known);
    return known;
  };

  const dense = () => {
    const { backbone, neck, rpnHead } = model;
    const inputs = [{ shape: ['batch', 'height', 'width', 3] }] as const;
    return part('dense', densePart(model), inputs, [backbone, neck, rpnHead]);
  };
  const boxHead = (stage: number) => {
    const inputs = [{ shape: ['batch', BOX_CELLS, BOX_CELLS, channels] }] as const;
    return part(`box ${stage}`, boxPart(model, stage), inputs, [model.boxHeads[stage]!]);
  };

  return {
    dense: async (values, canvas) => {
      const run = await dense();
      // Now, so that no weights are held twice while the maps need the most memory.
      for (const stage of model.boxHeads.keys()) await boxHead(stage);
      const outputs = await runOn(run, [tf.tensor4d(values, [1, canvas.height, canvas.width, 3])]);
      const free = () => run.free(...outputs.map(({ data }) => data));
      const levels = strides.length;
      return {
        maps: outputs.slice(0, levels - 1).map(({ data, shape }, level) => ({
          data,
          height: shape[1]!,
          width: shape[2]!,
          channels,
          stride: strides[level]!,
        })),
        rpn: strides.map((stride, level) => {
          const [logits, deltas] = outputs.slice(levels - 1 + 2 * level);
          const [, height, width] = logits!.shape;
          return { height: height!, width: width!, stride, logits: logits!.data, deltas: deltas!.data };
        }),
        free,
      };
    },

    boxes: async (stage, count, cut) => {
      const run = await boxHead(stage);
      const logits = new Float32Array(count * (numClasses + 1));
      const deltas = new Float32Array(count * 4 * numClasses);
      for (let start = 0; start < count; start += BOX_BATCH) {
        const end = Math.min(count, start + BOX_BATCH);
        const shape = [end - start, BOX_CELLS, BOX_CELLS, channels] as const;
        const outputs = await runOn(run, [tf.tensor4d(cut(start, end), [...shape])]);
        logits.set(outputs[0]!.data, start * (numClasses + 1));
        deltas.set(outputs[1]!.data, start * 4 * numClasses);
      }
      return { logits, deltas };
    },

    masks: async (labels, cut) => {
      const inputs = [
        { shape: ['batch', MASK_CELLS, MASK_CELLS, channels] },
        { shape: ['batch', numClasses] },
      ] as const;
      const run = await part('masks', chosenMaskPart(model), inputs, model.maskHeads);
      const masks = new Float32Array(labels.length * MASK_SIZE ** 2);
      for (let start = 0; start < labels.length; start += MASK_BATCH) {
        const chosen = labels.subarray(start, start + MASK_BATCH);
        const classes = new Float32Array(chosen.length * numClasses);
        for (const [i, label] of chosen.entries()) classes[i * numClasses + label] = 1;
        const outputs = await runOn(run, [
          tf.tensor4d(cut(start, start + chosen.length), [chosen.length, MASK_CELLS, MASK_CELLS, channels]),
          tf.tensor2d(classes, [chosen.length, numClasses]),
        ]);
        masks.set(outputs[0]!.data, start * MASK_SIZE ** 2);
      }
      return masks;
    },

    dispose: async () => {
      await Promise.all([...compiled.values()].map(async (one) => (await one).dispose()));
    },
  };
}

/** Runs a part on tensors that it frees, and takes the results out of the tensor library. */
async function runOn(
  run: Compiled<TensorFunction>,
  inputs: readonly tf.Tensor[],
): Promise<{ data: Float32Array; shape: readonly number[] }[]> {
  let outputs: readonly tf.Tensor[] = [];
  try {
    const result = await run(...inputs);
    outputs = Array.isArray(result) ? (result as tf.Tensor[]) : [result as tf.Tensor];
    return await Promise.all(
      outputs.map(async (output) => ({ data: (await output.data()) as Float32Array, shape: output.shape })),
    );
  } finally {
    tf.dispose([...inputs, ...outputs]);
  }
}
