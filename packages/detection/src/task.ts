import { loadedData, type Task, type TrainingData } from '@as-mlp/train';
import { detectionConfig } from './config.ts';
import { openExamples, openHeldOut } from './data/examples.ts';
import { createDetector } from './detector.ts';
import { type DetectionEvaluation, evaluateDetector } from './evaluate.ts';
import { encodeMetadata } from './metadata.ts';
import { createDetectionModel, type DetectionModel } from './model.ts';
import { COCO_PREPROCESSING, type Preprocessing } from './predict/preprocess.ts';
import type { DetectionRecipe } from './recipe.ts';
import { type DetectionSample, samplesFrom } from './samples.ts';
import { detectionSections } from './sections.ts';
import { createAspectSampler } from './training/aspect-sampler.ts';
import { batchTensors, collate, type DetectionBatch } from './training/batch.ts';
import { detectionHost } from './training/host-part.ts';
import { DETECTION_INPUTS, lossOf } from './training/losses.ts';
import { previewBatch } from './training/preview.ts';
import { TRAINING, type TrainingSettings } from './training/settings.ts';

/** What `fit` trains a detector by, with what it was made from. */
export interface DetectionTraining {
  readonly task: Task<DetectionBatch>;
  readonly data: TrainingData<DetectionBatch>;
  /** The task's model. */
  readonly model: DetectionModel;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
}

/** Options of {@link createDetectionTask}. */
export interface DetectionTaskOptions {
  /** A COCO folder, as `findCocoFolder` reads it, or `digit-scenes`. */
  readonly data: string;
  readonly recipe: DetectionRecipe;
  /** Told how far an evaluation is. */
  readonly onEvaluation?: (done: number, total: number) => void;
}

/**
 * Training of a fresh detector on the training part of a data set, evaluated on its `val` part. The classes are those of the
 * training part.
 */
export async function createDetectionTask(options: DetectionTaskOptions): Promise<DetectionTraining> {
  const { data, recipe, onEvaluation } = options;
  const { batchSize, seed } = recipe;
  const { labels, sizes } = await openExamples(data);
  const heldOut = await openHeldOut(data, { classes: labels });
  const config = detectionConfig(recipe.model, {
    numClasses: labels.length,
    ...defined(recipe.widths),
    ...(recipe.shiftSize === null ? {} : { shiftSize: recipe.shiftSize }),
    ...(recipe.dropPathRate === null ? {} : { dropPathRate: recipe.dropPathRate }),
  });
  const model = createDetectionModel(config, { seed });
  const preprocessing = {
    ...COCO_PREPROCESSING,
    shortSide: recipe.testShortSide,
    longSide: recipe.testLongSide,
  };
  // Not compiled: its weights change between evaluations.
  const detector = createDetector(model, { labels, preprocessing });
  const settings = trainingSettings(TRAINING[config.architecture], recipe);
  let last: DetectionEvaluation | undefined;

  const task: Task<DetectionBatch> = {
    name: 'detection',
    model,
    decayRule: 'dense',
    metric: { name: 'AP', better: 'higher' },
    tensors: batchTensors,
    inputs: DETECTION_INPUTS,
    host: detectionHost({ config, strides: model.neck.strides, settings }),
    loss: lossOf(model, settings),
    async evaluate(signal) {
      last = await evaluateDetector(detector, {
        data: heldOut,
        signal,
        ...(onEvaluation ? { onProgress: onEvaluation } : {}),
      });
      const { bbox, segm } = last.metrics;
      const masks: Record<string, number> = segm ? { maskAP: segm.AP, maskAP50: segm.AP50 } : {};
      return { AP: bbox!.AP, AP50: bbox!.AP50, AP75: bbox!.AP75, ...masks };
    },
    sections: async () => (last ? detectionSections(last, heldOut.load) : []),
    metadata: () => encodeMetadata(config, labels, preprocessing),
  };

  const trainingData: TrainingData<DetectionBatch> = {
    ...loadedData<DetectionSample, DetectionBatch>(
      {
        load: samplesFrom({ data, labels, augmentation: recipe.augmentation }),
        sampler: () => createAspectSampler(sizes, { batchSize, seed }),
        workers: recipe.workers ?? undefined,
      },
      ({ meta }) => collate(meta, COCO_PREPROCESSING),
    ),
    describe: ({ names }) => names.join(', '),
    preview: (batch) => previewBatch(batch, labels, preprocessing),
    summary: () => ({
      training: sizes.length,
      validation: heldOut.dataset.images.length,
      classes: labels,
    }),
  };

  return { task, data: trainingData, model, labels, preprocessing };
}

function trainingSettings(official: TrainingSettings, recipe: DetectionRecipe): TrainingSettings {
  const { rpn, roiSampler, proposals } = official;
  return {
    ...official,
    rpn: { ...rpn, sampler: { ...rpn.sampler, count: recipe.rpnSamples } },
    roiSampler: { ...roiSampler, count: recipe.roiSamples },
    proposals: {
      perLevel: recipe.proposalsPerLevel ?? proposals.perLevel,
      limit: recipe.proposals ?? proposals.limit,
    },
  };
}

/** Without the keys whose value is undefined. */
function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };
}
