import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { decodeImage, resize } from '@as-mlp/data';
import type { Engine } from '@as-mlp/engine';
import { bytesSource, openWeights } from '@as-mlp/nn';
import { eagerLoss, trainableVariables } from '@as-mlp/train';
import * as tf from '@tensorflow/tfjs-core';
import { decodeMask, type RleJson, rleFromJson } from '../coco/rle.ts';
import { detectionConfig } from '../config.ts';
import { createDetectionModel, type DetectionModel } from '../model.ts';
import { COCO_PREPROCESSING } from '../predict/preprocess.ts';
import { batchTensors, collate } from './batch.ts';
import { CHOOSERS } from './choose.fixture.ts';
import { detectionHost } from './host-part.ts';
import { DETECTION_INPUTS, lossOf } from './losses.ts';
import { TRAINING } from './settings.ts';

/** One sampler's losses and the norms of the gradients of their sum, from the PyTorch reference. */
export interface LossCase {
  readonly sampler: keyof typeof CHOOSERS;
  readonly losses: Readonly<Record<string, number>>;
  readonly grad_norms: Readonly<Record<string, number>>;
  readonly grad_norm_tensors: Readonly<Record<string, number>>;
  readonly bn_after: Readonly<Record<string, { probe_index: readonly number[]; probe: readonly number[] }>>;
}

interface Expected {
  readonly model: {
    kind: string;
    embed_dim: number;
    depths: number[];
    shift_size: number;
    num_classes: number;
    fpn_channels: number;
    fc_channels: number;
  };
  readonly metas: readonly { img_shape: [number, number]; pad_shape: [number, number] }[];
  readonly targets: readonly { boxes: number[][]; labels: number[]; masks: RleJson[] }[];
  readonly proposals: readonly { file: string; shape: [number, number] }[];
  readonly train_cfg: { roi_samples: number; max_proposals: number };
  readonly cases: readonly LossCase[];
}

type CompileTrainingStep = NonNullable<Engine['compileTrainingStep']>;

/** What one case gave here, in the form of the reference. */
export interface LossOutcome {
  readonly losses: Record<string, number>;
  readonly gradNorms: Record<string, number>;
  readonly running: Record<string, Float32Array>;
}

/** A folder of the reference: a model, a batch, and what its losses are. */
export async function openLossFixture(folder: string) {
  const read = (name: string) => readFileSync(join(folder, name));
  const floats = (name: string) => new Float32Array(new Uint8Array(read(name)).buffer);
  const expected: Expected = JSON.parse(read('expected.json').toString());
  const { model: config, metas, targets, train_cfg: training } = expected;
  const kind = config.kind === 'mask_rcnn' ? 'mask-rcnn' : 'cascade-mask-rcnn';
  const size = ([height, width]: readonly [number, number]) => ({ height, width });
  const model = createDetectionModel(
    detectionConfig(`${kind}-as-mlp-nano`, {
      embedDim: config.embed_dim,
      depths: config.depths as [number, number, number, number],
      shiftSize: config.shift_size,
      numClasses: config.num_classes,
      channels: config.fpn_channels,
      rpnChannels: config.fpn_channels,
      boxConvChannels: config.fpn_channels,
      maskChannels: config.fpn_channels,
      boxFcChannels: config.fc_channels,
      dropPathRate: 0,
    }),
  );
  const weights = existsSync(join(folder, 'weights.safetensors')) ? 'weights.safetensors' : 'checkpoint.pth';
  const reload = async () => {
    await model.load((await openWeights(bytesSource(weights, read(weights)))).entries);
  };
  await reload();
  const objects = targets.map(({ boxes, labels, masks }, i) => ({
    boxes: Float32Array.from(boxes.flat()),
    labels: Int32Array.from(labels),
    masks: masks.map((mask) => ({
      top: 0,
      left: 0,
      ...size(metas[i]!.pad_shape),
      data: decodeMask(rleFromJson(mask)),
    })),
  }));
  const samples = await Promise.all(
    metas.map(async ({ img_shape }, i) => {
      const image = resize(await decodeImage(read(`image${i}.png`)), size(img_shape), 'opencv-bilinear');
      return { image, targets: objects[i]!, name: `image${i}.png` };
    }),
  );
  const batch = collate(samples, COCO_PREPROCESSING);
  const settings = {
    ...TRAINING[kind],
    roiSampler: { ...TRAINING[kind].roiSampler, count: training.roi_samples },
    proposals: { ...TRAINING[kind].proposals, limit: training.max_proposals },
  };
  const given = expected.proposals.map(({ file, shape: [count] }) => {
    const rows = floats(file);
    return Float32Array.from({ length: 4 * count }, (_, i) => rows[5 * Math.floor(i / 4) + (i % 4)]!);
  });

  const stepBatch = () => ({ tensors: batchTensors(batch), rng: createRng(0) });
  const taskOf = (sampler: LossCase['sampler'], own: boolean) => ({
    loss: lossOf(model, settings),
    inputs: DETECTION_INPUTS,
    host: detectionHost({
      config: model.config,
      strides: model.neck.strides,
      settings,
      chooser: () => CHOOSERS[sampler],
      ...(own ? {} : { proposals: given }),
    }),
  });
  const runningStatistics = () => {
    const buffers = [...model.namedTensors()].filter(([, tensor]) => tensor.isBuffer);
    return Object.fromEntries(buffers.map(([name, buffer]) => [name, buffer.value.dataSync<'float32'>()]));
  };

  /** Losses and gradients with the weights of the file; `own`: with the proposals of the model. */
  async function run(sampler: LossCase['sampler'], own: boolean): Promise<LossOutcome> {
    await reload();
    const losses: Record<string, number> = {};
    const variables = [...trainableVariables(model)];
    const task = taskOf(sampler, own);
    const { value, grads } = tf.variableGrads(
      () => {
        const { total, parts } = eagerLoss(task, stepBatch(), true);
        for (const [name, part] of Object.entries(parts!)) losses[name] = part.dataSync()[0]!;
        return total;
      },
      variables.map(([, variable]) => variable),
    );
    const gradNorms = Object.fromEntries(
      variables.map(([name, variable]) => [
        name,
        tf.tidy(() => tf.norm(grads[variable.name]!).dataSync()[0]!),
      ]),
    );
    tf.dispose([value, grads]);
    return { losses, gradNorms, running: runningStatistics() };
  }

  /** The same as a compiled step finds it, of the gradients the norm of all together. */
  async function runCompiled(compile: CompileTrainingStep, sampler: LossCase['sampler'], own: boolean) {
    await reload();
    const groups = [{ params: [...trainableVariables(model)], weightDecay: 0 }];
    const step = await compile({ ...taskOf(sampler, own), groups });
    const { parts: losses, gradNorm } = await step.run([stepBatch()], 0);
    await step.pull();
    await step.dispose();
    return { losses, gradNorm, running: runningStatistics() };
  }

  return { model: model as DetectionModel, cases: expected.cases, run, runCompiled };
}
