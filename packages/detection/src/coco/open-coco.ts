import { AsMlpError, nearest } from '@as-mlp/base';
import { type CocoAnnotations, CocoDataset, type CocoImage } from './coco-dataset.ts';
import { Entry, type JsonObject, listOf, readJson } from './coco-json.ts';
import { Segmentations } from './segmentations.ts';

/** Options of {@link openCoco}. */
export interface CocoOptions {
  /**
   * Names of the classes in label order, e.g. those of a model. Categories of the file are matched by name; classes that the file
   * does not have are allowed, and annotations of categories that are not among them get label −1. Left out, the
   * categories of the file are the classes, in their order.
   */
  readonly classes?: readonly string[];
  /** Only the first images of the file, this many, with their annotations. */
  readonly limit?: number;
}

/**
 * Reads a COCO annotation file (`instances_*.json`). Masks are decoded when they are asked for.
 *
 * As pycocotools takes it: images without annotations, boxes outside their image or with no or negative size (they match
 * nothing), and fields that are not used. Annotations of unknown images or categories take no part, and `notes` counts them.
 * A missing `iscrowd` means no.
 *
 * Refused, with the id: doubled ids (pycocotools would silently evaluate one entry twice), ids that are not whole numbers,
 * images without a size, annotations whose `bbox` or `area` is missing or not finite. A mask that cannot be read is refused
 * when it is asked for, so that boxes can be used without it.
 *
 * Throws AsMlpError('input').
 */
export async function openCoco(path: string, options: CocoOptions = {}): Promise<CocoDataset> {
  return parseCoco(await readJson(path), path, options);
}

/** {@link openCoco} for JSON that is in memory; `source` names it in messages. */
export function parseCoco(json: unknown, source: string, { classes, limit }: CocoOptions = {}): CocoDataset {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) {
    throw new AsMlpError('input', {
      where: source,
      what: Array.isArray(json)
        ? 'this is a list, as results are, not a ground truth'
        : 'this is no COCO file',
      fix: 'Give a COCO file: { "images": […], "annotations": […], "categories": […] }',
    });
  }
  const file = json as JsonObject;
  const allImages = readImages(listOf(file, 'images', source), source);
  const images = allImages.slice(0, limit);
  const categories = readCategories(listOf(file, 'categories', source), source);
  const labels = classes ?? categories.map(({ name }) => name);
  const categoryIds = classes ? matchClasses(classes, categories, source) : categories.map(({ id }) => id);
  const labelById = new Map(categories.map(({ id }) => [id, -1]));
  categoryIds.forEach((id, label) => {
    if (id !== undefined) labelById.set(id, label);
  });
  const notes: string[] = [];
  const leftOut = new Set(allImages.slice(images.length).map(({ id }) => id));
  const list = listOf(file, 'annotations', source).filter(
    (value) => !leftOut.has((value as Partial<Record<string, unknown>> | null)?.image_id as number),
  );
  const order = sortByImage(list, images, source, notes);
  const annotations = readAnnotations(list, order, images, labelById, source, notes);
  const fields = Array.from(order, (index) => (list[index] as JsonObject).segmentation);
  const segmentations = new Segmentations(fields);
  return new CocoDataset({ source, images, labels, categoryIds, annotations, segmentations, notes });
}

function readImages(list: readonly unknown[], source: string): CocoImage[] {
  const seen = new Set<number>();
  return list.map((value, index) => {
    const entry = new Entry(value, source, 'image', index);
    const id = entry.whole('id');
    once(seen, id, entry);
    const { file_name: fileName = '' } = entry.fields;
    if (typeof fileName !== 'string')
      throw entry.fault('"file_name" is no text', 'Give the name of the file');
    return { id, fileName, height: entry.whole('height', 1), width: entry.whole('width', 1) };
  });
}

interface Category {
  readonly id: number;
  readonly name: string;
}

function readCategories(list: readonly unknown[], source: string): Category[] {
  const seen = new Set<number>();
  return list.map((value, index) => {
    const entry = new Entry(value, source, 'category', index);
    const id = entry.whole('id');
    once(seen, id, entry);
    const { name } = entry.fields;
    if (typeof name !== 'string') throw entry.fault('"name" is no text', 'Give the name of the class');
    return { id, name };
  });
}

function matchClasses(
  classes: readonly string[],
  categories: readonly Category[],
  source: string,
): (number | undefined)[] {
  const doubled = classes.find((name, index) => classes.indexOf(name) !== index);
  if (doubled !== undefined) {
    throw new AsMlpError('input', {
      where: 'the list of classes',
      what: `"${doubled}" stands there twice`,
      fix: 'Name each class once',
    });
  }
  const byName = new Map<string, number>();
  for (const { id, name } of categories) {
    if (byName.has(name)) {
      throw new AsMlpError('input', {
        where: `${source}, category ${id}`,
        what: `category ${byName.get(name)} is called "${name}" too, so that classes cannot be found by name`,
        fix: 'Give each category a name of its own',
      });
    }
    byName.set(name, id);
  }
  const ids = classes.map((name) => byName.get(name));
  if (ids.some((id) => id !== undefined)) return ids;
  const guess = nearest(classes[0] ?? '', byName.keys());
  throw new AsMlpError('input', {
    where: source,
    what: `none of the ${classes.length} classes is among the ${categories.length} categories`,
    fix: guess ? `"${classes[0]}" looks like "${guess}": use the same names` : 'Use the same names in both',
  });
}

/** Indices of the annotations of known images, image after image; within one, in the order of the file. */
function sortByImage(
  list: readonly unknown[],
  images: readonly CocoImage[],
  source: string,
  notes: string[],
): Uint32Array {
  const imageById = new Map(images.map(({ id }, index) => [id, index]));
  const start = new Uint32Array(images.length + 1);
  const imageOf = new Int32Array(list.length);
  const strangers: unknown[] = [];
  list.forEach((value, index) => {
    const entry = new Entry(value, source, 'annotation', index);
    const image = imageById.get(entry.whole('image_id')) ?? -1;
    imageOf[index] = image;
    if (image < 0) strangers.push(entry.fields.id);
    else start[image + 1]!++;
  });
  for (let i = 0; i < images.length; i++) start[i + 1]! += start[i]!;
  const order = new Uint32Array(list.length - strangers.length);
  imageOf.forEach((image, index) => {
    if (image >= 0) order[start[image]!++] = index;
  });
  note(notes, strangers, 'of images that the file does not list');
  return order;
}

function readAnnotations(
  list: readonly unknown[],
  order: Uint32Array,
  images: readonly CocoImage[],
  labelById: ReadonlyMap<number, number>,
  source: string,
  notes: string[],
): CocoAnnotations {
  const imageById = new Map(images.map(({ id }, index) => [id, index]));
  const { length } = order;
  const columns = {
    length,
    ids: new Float64Array(length),
    image: new Int32Array(length),
    label: new Int32Array(length),
    xywh: new Float64Array(4 * length),
    area: new Float64Array(length),
    crowd: new Uint8Array(length),
    ignore: new Uint8Array(length),
  };
  const seen = new Set<number>();
  const strangers: number[] = [];
  order.forEach((index, i) => {
    const entry = new Entry(list[index], source, 'annotation', index);
    const id = entry.whole('id');
    once(seen, id, entry);
    const label = labelById.get(entry.whole('category_id'));
    if (label === undefined) strangers.push(id);
    columns.ids[i] = id;
    columns.image[i] = imageById.get(entry.fields.image_id as number)!;
    columns.label[i] = label ?? -1;
    entry.box('bbox', columns.xywh, 4 * i);
    columns.area[i] = entry.finite(
      'area',
      "Give the number of the mask's pixels, or width · height of the box",
    );
    columns.crowd[i] = entry.flag('iscrowd');
    columns.ignore[i] = entry.flag('ignore');
  });
  note(notes, strangers, 'of categories that the file does not list');
  return columns;
}

function once(seen: Set<number>, id: number, entry: Entry): void {
  if (seen.has(id)) throw entry.fault('this id occurs twice', 'Give each one an id of its own');
  seen.add(id);
}

function note(notes: string[], ids: readonly unknown[], what: string): void {
  if (ids.length === 0) return;
  const some = ids.slice(0, 5).join(', ');
  notes.push(
    `${ids.length} annotation${ids.length === 1 ? '' : 's'} ${what} ${ids.length === 1 ? 'takes' : 'take'} no part (id ${some}${ids.length > 5 ? ', …' : ''})`,
  );
}
