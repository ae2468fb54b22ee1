import { AsMlpError } from '@as-mlp/base';
import { writeFileAtomic } from '@as-mlp/base/node';
import type { CocoDataset } from './coco-dataset.ts';
import { Entry, readJson } from './coco-json.ts';
import type { Detections } from './detections.ts';
import type { IouType } from './match-class.ts';
import { boxRle } from './polygon.ts';
import { type Rle, rleArea, rleBox, rleToJson } from './rle.ts';
import { Segmentations } from './segmentations.ts';

/** One entry of a COCO results file. */
export interface CocoResult {
  readonly image_id: number;
  readonly category_id: number;
  readonly score: number;
  /** x, y, width, height. */
  readonly bbox?: readonly [number, number, number, number];
  readonly segmentation?: { readonly size: readonly [number, number]; readonly counts: string };
}

/**
 * Reads a COCO results file (a list of `{ image_id, category_id, score, bbox | segmentation }`) or takes its content, as
 * `COCO.loadRes` of pycocotools does:
 *
 * - the first entry decides: if it has a `bbox`, every entry needs one, **the area of a detection is that of its box, for masks
 *   too**, and an entry without a mask has its box for one; otherwise every entry needs a mask, which gives its area
 *   and, where there is none, its box. So for the small, medium and large figures of masks, results with a `bbox` beside each
 *   mask (as mmdetection 2.11 writes) differ from results without;
 * - an image that the ground truth does not have is an error; detections of unknown categories take no part.
 *
 * Masks may be compressed run lengths and, other than there, plain counts and polygons. An empty list is allowed.
 * Scores and boxes must be finite numbers. Throws AsMlpError('input') with the number of the entry.
 */
export async function loadResults(
  results: string | readonly unknown[],
  dataset: CocoDataset,
): Promise<Detections> {
  const source = typeof results === 'string' ? results : 'the results';
  const list = typeof results === 'string' ? await readJson(results) : results;
  if (!Array.isArray(list)) {
    throw new AsMlpError('input', {
      where: source,
      what: 'COCO results are a list',
      fix: 'Give [{ "image_id": …, "category_id": …, "bbox": […], "score": … }, …]',
    });
  }
  const { length } = list;
  const columns = {
    length,
    image: new Int32Array(length),
    label: new Int32Array(length),
    score: new Float64Array(length),
    xywh: new Float64Array(4 * length),
    area: new Float64Array(length),
  };
  const { image, label, score, xywh, area } = columns;
  const entries = list.map((value, index) => new Entry(value, source, 'result', index));
  const segmentations = new Segmentations(entries.map(({ fields }) => fields.segmentation));
  const bare = Uint8Array.from(entries, ({ fields }) => (fields.segmentation === undefined ? 1 : 0));
  const boxed = length > 0 && hasBox(entries[0]!);
  const mask = (i: number): Rle => {
    const size = dataset.images[image[i]!]!;
    if (!boxed || !bare[i]) return segmentations.rle(i, size, `${source}, result number ${i + 1}`);
    const [x, y] = [xywh[4 * i]!, xywh[4 * i + 1]!];
    return boxRle([x, y, x + xywh[4 * i + 2]!, y + xywh[4 * i + 3]!], size);
  };
  entries.forEach((entry, i) => {
    const id = entry.whole('image_id');
    const found = dataset.imageIndex(id);
    if (found === undefined) {
      throw entry.fault(
        `image ${id} is not in ${dataset.source}`,
        'Give the ground truth that the results belong to',
      );
    }
    image[i] = found;
    label[i] = dataset.labelOf(entry.whole('category_id')) ?? -1;
    score[i] = entry.finite('score');
    if (boxed || hasBox(entry)) entry.box('bbox', xywh, 4 * i);
    if (boxed) {
      area[i] = xywh[4 * i + 2]! * xywh[4 * i + 3]!;
      return;
    }
    const rle = mask(i);
    area[i] = rleArea(rle);
    if (hasBox(entry)) return;
    const [x0, y0, x1, y1] = rleBox(rle);
    xywh.set([x0, y0, x1 - x0, y1 - y0], 4 * i);
  });
  return { ...columns, mask };
}

function hasBox({ fields: { bbox } }: Entry): boolean {
  return bbox !== undefined && !(Array.isArray(bbox) && bbox.length === 0);
}

/**
 * Detections as a list that pycocotools loads, with the category ids of the file: boxes for `bbox`, compressed masks without
 * a box for `segm`, so that areas are those of the masks. Classes that the file does not have are left out.
 */
export function toResults(detections: Detections, dataset: CocoDataset, type: IouType): CocoResult[] {
  const { image, label, score, xywh } = detections;
  const results: CocoResult[] = [];
  for (let i = 0; i < detections.length; i++) {
    const category_id = dataset.categoryIds[label[i]!];
    if (category_id === undefined) continue;
    const entry = { image_id: dataset.images[image[i]!]!.id, category_id, score: score[i]! };
    results.push(
      type === 'segm'
        ? { ...entry, segmentation: rleToJson(detections.mask(i)) }
        : { ...entry, bbox: [xywh[4 * i]!, xywh[4 * i + 1]!, xywh[4 * i + 2]!, xywh[4 * i + 3]!] },
    );
  }
  return results;
}

/** Writes {@link toResults} to a file, whole or not at all. */
export async function writeResults(
  path: string,
  detections: Detections,
  dataset: CocoDataset,
  type: IouType,
): Promise<void> {
  const lines = toResults(detections, dataset, type).map((result) => JSON.stringify(result));
  await writeFileAtomic(path, `[${lines.join(',\n')}]\n`);
}
