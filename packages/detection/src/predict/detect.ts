import { AsMlpError } from '@as-mlp/base';
import { rleToJson } from '../coco/rle.ts';
import { BOX_CELLS, BOX_STAGES, type DetectionConfig, MASK_CELLS, MASK_SIZE } from '../config.ts';
import { type HostMap, roiAlign, toRois } from '../roi/roi-align.ts';
import {
  chooseDetections,
  type DetectedBoxes,
  type DetectionOptions,
  type RegionScores,
  refineRegions,
} from './choose-detections.ts';
import type { CutRegions, DenseOutput, Network } from './network.ts';
import { pasteMask } from './paste.ts';
import type { PreparedImage } from './preprocess.ts';
import { chooseProposals } from './proposals.ts';

/** A mask as COCO writes it: [height, width] of the image, and compressed run lengths, column by column. */
export interface CocoMask {
  readonly size: readonly [height: number, width: number];
  readonly counts: string;
}

/** Detections in columns, with masks where they were asked for. */
export interface DetectedObjects extends DetectedBoxes {
  readonly masks: readonly CocoMask[] | undefined;
}

/** Steps of {@link detectObjects} whose values a test wants to see. */
export type Trace = (name: string, values: Float32Array) => void;

/** Everything that is found in one prepared image, best first. */
export async function detectObjects(
  network: Network,
  { architecture }: Pick<DetectionConfig, 'architecture'>,
  image: PreparedImage,
  options: DetectionOptions & { masks: boolean },
  trace?: Trace,
): Promise<DetectedObjects> {
  const dense = await network.dense(image.values, image.canvas);
  try {
    return await detectInMaps(network, architecture, dense, image, options, trace);
  } finally {
    dense.free();
  }
}

async function detectInMaps(
  network: Network,
  architecture: DetectionConfig['architecture'],
  { maps, rpn }: DenseOutput,
  image: PreparedImage,
  options: DetectionOptions & { masks: boolean },
  trace: Trace | undefined,
): Promise<DetectedObjects> {
  for (const { logits, deltas } of rpn) assertFinite('the proposal network', logits, deltas);
  const proposals = chooseProposals(rpn, image.resized);
  trace?.('proposals', proposals.boxes);

  const found = await scoreRegions(network, BOX_STAGES[architecture], maps, proposals.boxes, image, trace);
  const chosen = chooseDetections(found, image, options);
  if (!options.masks) return { ...chosen, masks: undefined };
  return { ...chosen, masks: await cutMasks(network, maps, chosen, image) };
}

/** Runs the box stages one after the other; the scores are the mean of all, the boxes those of the last. */
async function scoreRegions(
  network: Network,
  stages: readonly (readonly number[])[],
  maps: readonly HostMap[],
  proposals: Float32Array,
  { resized }: PreparedImage,
  trace: Trace | undefined,
): Promise<RegionScores> {
  let boxes = withoutFlat(proposals);
  let mean: Float32Array | undefined;
  for (const [stage, std] of stages.entries()) {
    const { logits, deltas } = await network.boxes(stage, boxes.length / 4, cutter(maps, boxes, BOX_CELLS));
    assertFinite('a box head', logits, deltas);
    trace?.(`stage${stage}.cls`, logits);
    trace?.(`stage${stage}.reg`, deltas);
    mean ??= new Float32Array(logits.length);
    for (let i = 0; i < logits.length; i++) mean[i]! += logits[i]! / stages.length;
    if (stage === stages.length - 1) return { boxes, logits: mean, deltas, std };
    boxes = refineRegions({ boxes, logits, deltas, std }, resized);
  }
  throw new AsMlpError('usage', { what: 'a detector without box stages finds nothing' });
}

/** A few regions at a time, in the same memory: a thousand take 50 MB. */
function cutter(maps: readonly HostMap[], boxes: Float32Array, size: number): CutRegions {
  let buffer: Float32Array | undefined;
  return (begin, end) => {
    const regions = roiAlign(maps, toRois(boxes.subarray(begin * 4, end * 4)), size, buffer);
    buffer ??= regions;
    return regions;
  };
}

/**
 * Without the boxes that end at the image's upper edge, which the official code takes for padding of its batches: they have
 * no area.
 */
function withoutFlat(boxes: Float32Array): Float32Array {
  const kept = new Float32Array(boxes.length);
  let end = 0;
  for (let i = 0; i < boxes.length; i += 4) {
    if (boxes[i + 3] === 0) continue;
    kept.set(boxes.subarray(i, i + 4), end);
    end += 4;
  }
  return kept.subarray(0, end);
}

async function cutMasks(
  network: Network,
  maps: readonly HostMap[],
  { boxes, labels }: DetectedBoxes,
  { original, scale }: PreparedImage,
): Promise<CocoMask[]> {
  const regions = boxes.map((value, i) => value * scale[i % 4]!);
  const masks = await network.masks(labels, cutter(maps, regions, MASK_CELLS));
  assertFinite('the mask head', masks);
  return Array.from(labels, (_, i) => {
    const mask = masks.subarray(i * MASK_SIZE ** 2, (i + 1) * MASK_SIZE ** 2);
    const box = regions.subarray(i * 4, i * 4 + 4).map((value, side) => value / scale[side]!);
    return rleToJson(pasteMask(mask, box, original));
  });
}

function assertFinite(where: string, ...all: readonly Float32Array[]): void {
  for (const values of all) {
    // x − x is 0 for finite x and NaN otherwise; one sum finds any.
    let sum = 0;
    for (let i = 0; i < values.length; i++) sum += values[i]! - values[i]!;
    if (sum === 0) continue;
    throw new AsMlpError('weights', {
      where,
      what: 'its outputs are not finite numbers',
      fix: 'The weights are too large for float32, as after a training that diverged: use an earlier checkpoint',
    });
  }
}
