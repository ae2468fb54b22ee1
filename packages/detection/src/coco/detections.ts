import { AsMlpError } from '@as-mlp/base';
import type { CocoDataset } from './coco-dataset.ts';
import { type Rle, rleArea } from './rle.ts';

/** Detections of a whole data set in columns, in the order in which they were made. */
export interface Detections {
  readonly length: number;
  /** Index into the images of the data set. */
  readonly image: Int32Array;
  /** Label index of the data set, or −1 for a class that it does not have. */
  readonly label: Int32Array;
  readonly score: Float64Array;
  /** `[N · 4]` x, y, width, height in pixels of the original image. */
  readonly xywh: Float64Array;
  /** Square pixels: what decides between small, medium and large. */
  readonly area: Float64Array;
  /** The mask of a detection; throws AsMlpError('input') where there is none. */
  readonly mask: (index: number) => Rle;
}

/** What a model found in one image. */
export interface ImageDetections {
  /** `[N · 4]` x0, y0, x1, y1 in pixels of the original image. */
  readonly boxes: ArrayLike<number>;
  /** `[N]` in [0, 1]. */
  readonly scores: ArrayLike<number>;
  /** `[N]` label indices of the data set. */
  readonly labels: ArrayLike<number>;
  /** `[N]` at the size of the original image. */
  readonly masks?: readonly Rle[];
}

/** Collects what a model finds, image by image, for `evaluateCoco` and for writing. */
export class DetectionCollector {
  private readonly dataset: CocoDataset;
  private readonly images: number[] = [];
  private readonly labels: number[] = [];
  private readonly scores: number[] = [];
  private readonly xywh: number[] = [];
  private readonly masks: (Rle | undefined)[] = [];

  constructor(dataset: CocoDataset) {
    this.dataset = dataset;
  }

  /**
   * Adds the detections of the image with this index. Throws AsMlpError('input') for a box or score that is not finite and
   * for a mask of another size than the image.
   */
  add(image: number, { boxes, scores, labels, masks }: ImageDetections): void {
    const { id, height, width } = this.dataset.images[image]!;
    for (let i = 0; i < scores.length; i++) {
      const [x0, y0, x1, y1] = [boxes[4 * i]!, boxes[4 * i + 1]!, boxes[4 * i + 2]!, boxes[4 * i + 3]!];
      const mask = masks?.[i];
      const wrong = mask && (mask.height !== height || mask.width !== width);
      if (wrong || !Number.isFinite(x0 + y0 + x1 + y1 + scores[i]!)) {
        throw new AsMlpError('input', {
          where: `${this.dataset.source}, image ${id}, detection ${i + 1}`,
          what: wrong
            ? `the mask has ${mask.height}×${mask.width} pixels and the image ${height}×${width} (height × width)`
            : `the box is [${x0}, ${y0}, ${x1}, ${y1}] and the score ${scores[i]}`,
          fix: wrong ? 'Make masks at the size of the original image' : 'Give finite numbers',
        });
      }
      this.images.push(image);
      this.labels.push(labels[i]!);
      this.scores.push(scores[i]!);
      this.xywh.push(x0, y0, x1 - x0, y1 - y0);
      this.masks.push(mask);
    }
  }

  /**
   * Everything added so far. With `areas: 'mask'` small, medium and large mean the area of the mask where there is one, as in
   * the COCO challenge; with `'box'` that of the box, as mmdetection 2.11 had it, whose results carry a `bbox` beside each
   * mask. Give 'box' for scoring boxes: a COCO box result has no other area.
   */
  detections(areas: 'mask' | 'box'): Detections {
    const { masks, dataset } = this;
    const xywh = Float64Array.from(this.xywh);
    return {
      length: this.scores.length,
      image: Int32Array.from(this.images),
      label: Int32Array.from(this.labels),
      score: Float64Array.from(this.scores),
      xywh,
      area: Float64Array.from(masks, (mask, i) =>
        mask && areas === 'mask' ? rleArea(mask) : xywh[4 * i + 2]! * xywh[4 * i + 3]!,
      ),
      mask: (index) => masks[index] ?? noMask(dataset, this.images[index]!),
    };
  }
}

function noMask({ source, images }: CocoDataset, image: number): never {
  throw new AsMlpError('input', {
    where: `${source}, image ${images[image]?.id}`,
    what: 'a detection has no mask',
    fix: 'Evaluate boxes alone, or use a model that makes masks',
  });
}
