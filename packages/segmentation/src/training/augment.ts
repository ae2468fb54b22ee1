import type { Rng } from '@as-mlp/base';
import {
  fitInside,
  flipHorizontal,
  type LabelMap,
  nearestSources,
  type Region,
  resizeCrop,
  type Size,
} from '@as-mlp/data';
import type { Example } from '../data/examples.ts';
import { type DistortionLimits, distort, drawDistortion } from './distort.ts';

/** How training images are varied. */
export interface SegmentationAugmentation {
  /** Images are resized to fit inside `longSide` × `shortSide`, both multiplied by a number in the range `ratio`. */
  readonly longSide: number;
  readonly shortSide: number;
  readonly ratio: readonly [number, number];
  /** Largest part of a crop that one class may take; up to ten other crops are tried. 1: the first crop is taken. */
  readonly maxClassPart: number;
  /** Probability of mirroring. */
  readonly flip: number;
  /** `null`: colours stay. */
  readonly distortion: DistortionLimits | null;
}

const TRIES = 10;

/**
 * One varied example: resized, cropped to at most `cropSize`, mirrored, with other colours; smaller than `cropSize` where the
 * resized image is. A function of its arguments and the numbers that `rng` gives.
 */
export function augmentExample(
  { image, labels }: Example,
  cropSize: Size,
  ignore: number,
  how: SegmentationAugmentation,
  rng: Rng,
): Example {
  const size = drawSize(image, how, rng);
  const scaled = resizedLabels(labels, size);
  let region = drawRegion(size, cropSize, rng);
  for (let n = 0; n < TRIES && how.maxClassPart < 1; n++) {
    if (isMixed(scaled(region), ignore, how.maxClassPart)) break;
    region = drawRegion(size, cropSize, rng);
  }
  let varied: Example = {
    image: resizeCrop(image, size, region, 'opencv-bilinear'),
    labels: scaled(region),
  };
  if (rng.next() < how.flip) varied = flipExample(varied);
  if (!how.distortion) return varied;
  return { ...varied, image: distort(varied.image, drawDistortion(how.distortion, rng)) };
}

function drawSize(image: Size, { longSide, shortSide, ratio }: SegmentationAugmentation, rng: Rng): Size {
  const factor = ratio[0] + (ratio[1] - ratio[0]) * rng.next();
  const sides = [Math.trunc(longSide * factor), Math.trunc(shortSide * factor)] as const;
  return fitInside(image, Math.max(...sides), Math.min(...sides));
}

function drawRegion(size: Size, crop: Size, rng: Rng): Region {
  const height = Math.min(size.height, crop.height);
  const width = Math.min(size.width, crop.width);
  return { top: rng.int(size.height - height + 1), left: rng.int(size.width - width + 1), height, width };
}

/** `crop(resizeLabels(labels, size), region)` for any region. */
function resizedLabels(labels: LabelMap, size: Size): (region: Region) => LabelMap {
  const rows = nearestSources(labels.height, size.height);
  const columns = nearestSources(labels.width, size.width);
  const Values = labels.data.constructor as new (length: number) => LabelMap['data'];
  return ({ top, left, height, width }) => {
    const data = new Values(height * width);
    for (let y = 0, o = 0; y < height; y++) {
      const start = rows[top + y]! * labels.width;
      for (let x = 0; x < width; x++) data[o++] = labels.data[start + columns[left + x]!]!;
    }
    return { height, width, data };
  };
}

/** Whether there are several classes, and none takes `maxPart` or more of the pixels that count. */
function isMixed({ data }: LabelMap, ignore: number, maxPart: number): boolean {
  const counts = new Int32Array(ignore + 1);
  for (const value of data) counts[value]!++;
  counts[ignore] = 0;
  const present = counts.filter((count) => count > 0);
  const all = present.reduce((sum, count) => sum + count, 0);
  return present.length > 1 && Math.max(...present) / all < maxPart;
}

/** Mirrored left to right. */
export function flipExample({ image, labels }: Example): Example {
  const { height, width } = labels;
  const data = labels.data.slice();
  for (let y = 0; y < height; y++) data.subarray(y * width, (y + 1) * width).reverse();
  return { image: flipHorizontal(image), labels: { height, width, data } };
}
