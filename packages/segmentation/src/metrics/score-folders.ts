import { existsSync } from 'node:fs';
import { basename, extname, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { decodeLabels, type LabelMap, listImages } from '@as-mlp/data';
import { reduceZeroLabel } from '../data/reduce-zero-label.ts';
import { ignoredIndex } from '../labels.ts';
import { addToConfusion, createConfusion } from './confusion.ts';
import { type SegmentationMetrics, segmentationMetrics } from './metrics.ts';

/** What to score. */
export interface ScoreFoldersOptions {
  /** Folder of predicted label maps: PNG files of class indices, named like the ground truth's. */
  readonly predictions: string;
  /** Folder of true label maps. */
  readonly groundTruth: string;
  readonly numClasses: number;
  /** Names of the classes; their indices unless given. */
  readonly labels?: readonly string[];
  /** True pixels with this label count for nothing; 255 unless given, or 65535 with more classes than 8 bits hold. */
  readonly ignore?: number;
  /** Whether 0 means unlabelled in the ground truth and classes count from 1 there. Predictions count from 0 in any case. */
  readonly reduceZeroLabel?: boolean;
  readonly signal?: AbortSignal;
  /** Called after every image. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** Images that are decoded at a time. */
const AHEAD = 4;

/**
 * Metrics of predictions that lie in files. Every label map of the ground truth needs its prediction; predictions without
 * ground truth are not looked at.
 *
 * @throws AsMlpError (input, image) that names the file: no prediction, another size, a label that is no class.
 */
export async function scoreFolders(options: ScoreFoldersOptions): Promise<SegmentationMetrics> {
  const { predictions, groundTruth, numClasses, labels, signal, onProgress } = options;
  const { ignore = ignoredIndex(numClasses) } = options;
  const files = (await listImages([groundTruth])).filter((file) => extname(file).toLowerCase() === '.png');
  if (files.length === 0) {
    throw new AsMlpError('input', {
      where: groundTruth,
      what: 'there are no PNG files in this folder',
      fix: 'Give a folder of label maps',
    });
  }
  const confusion = createConfusion(numClasses);
  const queue: Promise<Pair>[] = [];
  for (const [i] of files.entries()) {
    signal?.throwIfAborted();
    while (queue.length < AHEAD && i + queue.length < files.length) {
      queue.push(startPair(files[i + queue.length]!, predictions));
    }
    const { labelName, label, predictionName, prediction } = await queue.shift()!;
    const truth = options.reduceZeroLabel ? reduceZeroLabel(label, ignore) : label;
    addToConfusion(confusion, prediction, truth, { ignore, labelName, predictionName });
    onProgress?.(i + 1, files.length);
  }
  return segmentationMetrics(confusion, labels);
}

interface Pair {
  readonly labelName: string;
  readonly label: LabelMap;
  readonly predictionName: string;
  readonly prediction: LabelMap;
}

function startPair(labelName: string, predictions: string): Promise<Pair> {
  const pair = decodePair(labelName, predictions);
  // Its error is met when its turn comes.
  pair.catch(() => undefined);
  return pair;
}

async function decodePair(labelName: string, predictions: string): Promise<Pair> {
  const predictionName = predictionOf(labelName, predictions);
  const [label, prediction] = await Promise.all([decodeLabels(labelName), decodeLabels(predictionName)]);
  return { labelName, label, predictionName, prediction };
}

function predictionOf(labelName: string, predictions: string): string {
  const file = join(predictions, `${basename(labelName, extname(labelName))}.png`);
  if (existsSync(file)) return file;
  throw new AsMlpError('input', {
    where: file,
    what: `there is no such file, and ${labelName} needs it`,
    fix: 'Predict every image of the ground truth, or score against a part of it',
  });
}
