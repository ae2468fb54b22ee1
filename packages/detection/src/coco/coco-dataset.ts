import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { Size } from '@as-mlp/data';
import type { Box } from '../boxes/box.ts';
import type { Rle } from './rle.ts';
import type { Segmentations } from './segmentations.ts';

/** An image of a COCO file. */
export interface CocoImage extends Size {
  readonly id: number;
  /** As written, usually relative to the folder of images; empty where the file gives none. */
  readonly fileName: string;
}

/** The annotations of a COCO file in columns, those of an image side by side and in the order of the file. */
export interface CocoAnnotations {
  readonly length: number;
  /** Crowds of COCO have ids above 2³², hence not integers of 32 bits. */
  readonly ids: Float64Array;
  /** Index into the images. */
  readonly image: Int32Array;
  /** Label index, or −1 for a category that is not among the classes. */
  readonly label: Int32Array;
  /** `[N · 4]` x, y, width, height in pixels, as written. */
  readonly xywh: Float64Array;
  /** Square pixels, as written: in COCO the mask's, not the box's. */
  readonly area: Float64Array;
  readonly crowd: Uint8Array;
  /** The field `ignore`: left out of training; evaluation takes no notice of it. */
  readonly ignore: Uint8Array;
}

/** What a {@link CocoDataset} is made of. */
export interface CocoContent {
  readonly source: string;
  readonly images: readonly CocoImage[];
  readonly labels: readonly string[];
  readonly categoryIds: readonly (number | undefined)[];
  readonly annotations: CocoAnnotations;
  readonly segmentations: Segmentations;
  readonly notes: readonly string[];
}

/** Images and their objects as a COCO file describes them. Made by `openCoco` or `parseCoco`. */
export class CocoDataset {
  /** The file, for messages. */
  readonly source: string;
  /** In the order of the file. */
  readonly images: readonly CocoImage[];
  /** Names of the classes by label index. */
  readonly labels: readonly string[];
  /** The file's category id of each label; undefined for a class that the file does not know. */
  readonly categoryIds: readonly (number | undefined)[];
  readonly annotations: CocoAnnotations;
  /** What was passed over on reading, one sentence each. */
  readonly notes: readonly string[];
  private readonly segmentations: Segmentations;
  private readonly imageById: ReadonlyMap<number, number>;
  private readonly labelById: ReadonlyMap<number, number>;
  private readonly firstOf: Uint32Array;

  constructor(content: CocoContent) {
    this.source = content.source;
    this.images = content.images;
    this.labels = content.labels;
    this.categoryIds = content.categoryIds;
    this.annotations = content.annotations;
    this.notes = content.notes;
    this.segmentations = content.segmentations;
    this.imageById = new Map(this.images.map(({ id }, index) => [id, index]));
    this.labelById = new Map(
      this.categoryIds.flatMap((id, label) => (id === undefined ? [] : [[id, label]])),
    );
    this.firstOf = new Uint32Array(this.images.length + 1);
    const { image, length } = this.annotations;
    for (let i = 0; i < length; i++) this.firstOf[image[i]! + 1]!++;
    for (let i = 0; i < this.images.length; i++) this.firstOf[i + 1]! += this.firstOf[i]!;
  }

  /** Index of the image with this id. */
  imageIndex(id: number): number | undefined {
    return this.imageById.get(id);
  }

  /** Label index of a category id of the file. */
  labelOf(categoryId: number): number | undefined {
    return this.labelById.get(categoryId);
  }

  /** The annotations of an image: indices from the first up to, and not with, the last. */
  annotationsOf(image: number): readonly [from: number, to: number] {
    return [this.firstOf[image]!, this.firstOf[image + 1]!];
  }

  /** The box of an annotation, as written: it may reach out of the image. */
  box(annotation: number): Box {
    const { xywh } = this.annotations;
    const [x, y] = [xywh[4 * annotation]!, xywh[4 * annotation + 1]!];
    return [x, y, x + xywh[4 * annotation + 2]!, y + xywh[4 * annotation + 3]!];
  }

  /** Whether an annotation has a mask. */
  hasMask(annotation: number): boolean {
    return this.segmentations.has(annotation);
  }

  /** How many of the objects (not crowds) of the classes have no mask: all of them in a data set of boxes alone. */
  get maskless(): number {
    const { label, crowd, length } = this.annotations;
    let count = 0;
    for (let i = 0; i < length; i++) if (label[i]! >= 0 && !crowd[i] && !this.hasMask(i)) count++;
    return count;
  }

  /**
   * The mask of an annotation, at the size of its image; decoded on every call. Throws AsMlpError('input') with the annotation's
   * id when it has none or it cannot be read.
   */
  mask(annotation: number): Rle {
    const { ids, image } = this.annotations;
    const where = `${this.source}, annotation ${ids[annotation]}`;
    return this.segmentations.rle(annotation, this.images[image[annotation]!]!, where);
  }

  /** Path of an image below `root`. Throws AsMlpError('input') where the file gives no name. */
  imagePath(root: string, image: number): string {
    const { fileName, id } = this.images[image]!;
    if (fileName !== '') return join(root, fileName);
    throw new AsMlpError('input', {
      where: `${this.source}, image ${id}`,
      what: 'there is no "file_name"',
      fix: 'Name the image file, relative to the folder of images',
    });
  }

  /** Indices of the images whose files are not below `root`. */
  missingImages(root: string): number[] {
    return [...this.images.keys()].filter((image) => !existsSync(this.imagePath(root, image)));
  }
}
