import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Path of a file of pycocotools' answers. */
export function cocoPath(name: string): string {
  return fileURLToPath(new URL(`../../golden/cocoeval/${name}`, import.meta.url));
}

/** Content of a file of pycocotools' answers. */
export function readCoco<T>(name: string): T {
  return JSON.parse(readFileSync(cocoPath(name), 'utf8')) as T;
}

type Counts = string;
type Xywh = [number, number, number, number];

/** `masks.json`. */
export interface MaskAnswers {
  readonly rle: readonly {
    readonly size: [number, number];
    readonly rows: string[] | null;
    readonly counts: number[];
    readonly compressed: Counts;
    readonly area: number;
    readonly bbox: Xywh;
  }[];
  readonly iou: {
    readonly dt: number[];
    readonly gt: number[];
    readonly iscrowd: number[];
    readonly expected: number[][];
  };
  readonly box_iou: {
    readonly dt: Xywh[];
    readonly gt: Xywh[];
    readonly iscrowd: number[];
    readonly expected: number[][];
  };
  readonly merge: readonly {
    readonly inputs: number[];
    readonly intersect: boolean;
    readonly compressed: Counts;
  }[];
  readonly box_raster: readonly {
    readonly size: [number, number];
    readonly box: Xywh;
    readonly compressed: Counts;
  }[];
  readonly polygons: readonly {
    readonly note: string;
    readonly size: [number, number];
    readonly segmentation: number[][];
    readonly parts: Counts[];
    readonly union: Counts;
  }[];
}

/** The answers for one kind in `eval.json`. */
export interface EvalAnswers {
  readonly stats: number[];
  readonly stat_names: string[];
  readonly category_ids: number[];
  readonly ap_per_class: number[];
  readonly ap50_per_class: number[];
  readonly ar100_per_class: number[];
  readonly recall: number[][][][];
  readonly precision_at_50: number[][];
}

/** A ground truth of one image of 40 × 30 (width × height) with the given annotations; ids and flags are filled in. */
export function smallTruth(annotations: readonly object[], more: object = {}): object {
  return {
    images: [{ id: 7, width: 40, height: 30, file_name: 'a.png' }],
    categories: [
      { id: 5, name: 'cup' },
      { id: 2, name: 'cat' },
    ],
    annotations: annotations.map((annotation, i) => ({
      id: i + 1,
      image_id: 7,
      category_id: 5,
      bbox: [0, 0, 10, 10],
      area: 100,
      iscrowd: 0,
      ...annotation,
    })),
    ...more,
  };
}
