import { chooseShiftSize } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
import type { RgbImage } from '@as-mlp/data';
import type { Compile, WeightFile } from '@as-mlp/nn';
import type { DetectionConfig } from './config.ts';
import { inferDetector } from './infer.ts';
import { labelsFor } from './labels.ts';
import { decodeMetadata, mergePreprocessing } from './metadata.ts';
import { DetectionModel } from './model.ts';
import { type DetectionOptions, OFFICIAL_DETECTIONS } from './predict/choose-detections.ts';
import { type CocoMask, type DetectedObjects, detectObjects } from './predict/detect.ts';
import { createNetwork } from './predict/network.ts';
import { type Preprocessing, prepareImage } from './predict/preprocess.ts';

/** One object that was found. */
export interface Detection {
  readonly label: string;
  /** Class index. */
  readonly index: number;
  /** In [0, 1]. */
  readonly score: number;
  /** x0, y0, x1, y1 in pixels of the original image. */
  readonly box: readonly [number, number, number, number];
  /** At the size of the original image; left out when masks were not asked for. */
  readonly mask?: CocoMask;
}

/** What was found in one image, best first. */
export interface ImageResult {
  /** Of the original image, in pixels. */
  readonly width: number;
  readonly height: number;
  readonly detections: readonly Detection[];
}

/** What {@link Detector.detect} is asked for; the official values unless given. */
export interface DetectOptions extends Partial<DetectionOptions> {
  /** Whether to compute masks, which costs time for each detection. Default true. */
  readonly masks?: boolean;
}

/** What to say about a network that its weights cannot say. */
export interface DetectorOptions {
  /**
   * The shift size of the network. Weights do not show it: a file's metadata wins, then this, then 5. Naming another
   * size than the file does is an error.
   */
  readonly shiftSize?: DetectionConfig['shiftSize'];
  /** Class names in the order of the outputs; else the file's, else COCO's for 80 classes. */
  readonly labels?: readonly string[];
  /** Changes to the preprocessing that the file or COCO defines. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Makes the network fast: `compile` of the open engine. Weights that change later need a new detector then. */
  readonly compile?: Compile;
}

/** A network ready to detect. Call `dispose` when done. */
export interface Detector {
  /** Of a loaded detector with `compile` the weights are in the compiled graphs and cannot be read here. */
  readonly model: DetectionModel;
  readonly labels: readonly string[];
  readonly preprocessing: Preprocessing;
  /** Facts worth telling a user, such as a shift size that had to be assumed. */
  readonly notes: readonly string[];
  /** Objects in one image, best first. The image is preprocessed here. */
  detect(image: RgbImage, options?: DetectOptions): Promise<ImageResult>;
  /** The same in columns, for data sets. */
  detectColumns(image: RgbImage, options?: DetectOptions): Promise<DetectedObjects>;
  dispose(): void;
}

/** Beside {@link DetectorOptions}, for a model that is there already. */
export interface CreateDetectorOptions extends Omit<DetectorOptions, 'shiftSize'> {
  readonly notes?: readonly string[];
  /**
   * Whether the model may give up its weights as soon as compiled graphs hold them: half the memory, and nothing but this
   * detector can use them then. Default false.
   */
  readonly release?: boolean;
}

/** Wraps a model, labels and preprocessing as a {@link Detector} that owns the model. */
export function createDetector(model: DetectionModel, options: CreateDetectorOptions = {}): Detector {
  const labels = labelsFor(model.config.numClasses, options.labels, 'labels');
  const preprocessing = mergePreprocessing(options.preprocessing);
  const network = createNetwork(model, options);

  async function detectColumns(image: RgbImage, asked: DetectOptions = {}): Promise<DetectedObjects> {
    const full = { ...OFFICIAL_DETECTIONS, masks: true, ...asked };
    checkOptions(full);
    return await detectObjects(network, model.config, prepareImage(image, preprocessing), full);
  }

  return {
    model,
    labels,
    preprocessing,
    notes: options.notes ?? [],
    detectColumns,
    detect: async (image, asked) => {
      const { boxes, scores, labels: indices, masks } = await detectColumns(image, asked);
      const detections = Array.from(scores, (score, i) => {
        const mask = masks?.[i];
        return {
          label: labels[indices[i]!]!,
          index: indices[i]!,
          score,
          box: Array.from(boxes.subarray(i * 4, i * 4 + 4)) as [number, number, number, number],
          ...(mask ? { mask } : {}),
        };
      });
      return { width: image.width, height: image.height, detections };
    },
    dispose: () => {
      void network.dispose();
      model.dispose();
    },
  };
}

function checkOptions({ minScore, maxOverlap, maxDetections }: DetectionOptions): void {
  const isPart = (value: number) => value >= 0 && value <= 1;
  const faults = [
    ...(isPart(minScore) ? [] : [`minScore ${minScore}`]),
    ...(isPart(maxOverlap) ? [] : [`maxOverlap ${maxOverlap}`]),
    ...(Number.isInteger(maxDetections) && maxDetections >= 0 ? [] : [`maxDetections ${maxDetections}`]),
  ];
  if (faults.length === 0) return;
  throw new AsMlpError('usage', {
    what: `these options are not possible: ${faults.join(', ')}`,
    fix: 'Give scores and overlaps from 0 to 1, and a whole number of detections',
  });
}

/** What a weight file says its detector is; tells `info` without loading a value. */
export interface DetectionFile {
  readonly config: DetectionConfig;
  readonly labels: readonly string[] | undefined;
  readonly preprocessing: Preprocessing;
  readonly notes: readonly string[];
}

/** Reads architecture, labels and preprocessing of a file from its shapes and metadata. */
export function inspectWeights(
  file: WeightFile,
  source: string,
  options: DetectorOptions = {},
): DetectionFile {
  const inferred = inferDetector(file.entries, source);
  const said = decodeMetadata(file.metadata, source);
  const { shiftSize, notes } = chooseShiftSize(said.shiftSize, options.shiftSize, source);
  return {
    config: { ...inferred, ...said.ablations, shiftSize },
    labels: options.labels ?? said.labels,
    preprocessing: mergePreprocessing(said.preprocessing, options.preprocessing),
    notes,
  };
}

/** A detector from an opened weight file. Fails before taking memory when file and network do not fit. */
export async function detectorFromWeights(
  file: WeightFile,
  source: string,
  options: DetectorOptions = {},
): Promise<Detector> {
  const { config, labels, preprocessing, notes } = inspectWeights(file, source, options);
  const named = labelsFor(config.numClasses, labels, options.labels ? 'labels' : source);
  const model = new DetectionModel(config);
  try {
    await model.load(file.entries, { source });
  } catch (error) {
    model.dispose();
    throw error;
  }
  const { compile } = options;
  const known = { labels: named, preprocessing, notes, release: true };
  return createDetector(model, compile ? { ...known, compile } : known);
}
