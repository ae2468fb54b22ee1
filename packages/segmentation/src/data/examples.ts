import { decodeAnnotated, decodeLabels, type LabelMap, type Rgb, type RgbImage } from '@as-mlp/data';
import { ignoredIndex } from '../labels.ts';
import { assertLabels } from '../metrics/confusion.ts';
import { DIGIT_SCENES, openScenes, SCENE_PALETTE, sceneLabelMap, sceneLabels } from './digit-scenes.ts';
import { reduceZeroLabel } from './reduce-zero-label.ts';
import { openSegmentationFolder, type SegmentationFolder, type Split } from './segmentation-folder.ts';

/** An image with the class of each pixel. */
export interface Example {
  readonly image: RgbImage;
  /** Class indices from 0, and the ignored index. */
  readonly labels: LabelMap;
}

/** The images of one part of a data set, in a fixed order. */
export interface ExampleSource {
  readonly labels: readonly string[];
  /** A colour for each class, where the data set names them. */
  readonly palette: readonly Rgb[] | undefined;
  /** The label of pixels that count for nothing. */
  readonly ignore: number;
  /** Whether label maps, as they are stored, have 0 for unlabelled pixels and classes from 1. */
  readonly reduceZeroLabel: boolean;
  readonly length: number;
  /** Names an example in messages. */
  name(index: number): string;
  /** @throws AsMlpError that names the file: unreadable, of another size than its image, a label that is no class. */
  load(index: number): Promise<Example>;
}

/** Options of {@link openExamples}. */
export interface ExampleOptions {
  /** Whether 0 means unlabelled and classes count from 1; what the list of classes says unless given. */
  readonly reduceZeroLabel?: boolean | null | undefined;
  /** Only the first images. */
  readonly limit?: number | undefined;
}

/** A part of a data set: a folder, as `openSegmentationFolder` reads it, or scenes of handwritten digits for `digit-scenes`. */
export function openExamples(data: string, split: Split, options: ExampleOptions = {}): ExampleSource {
  const { limit = Number.POSITIVE_INFINITY } = options;
  const all =
    data === DIGIT_SCENES
      ? sceneExamples(split)
      : folderExamples(openSegmentationFolder(data, split), options);
  return { ...all, length: Math.min(all.length, limit) };
}

function sceneExamples(split: Split): ExampleSource {
  const scenes = openScenes(split);
  const labels = sceneLabels(scenes);
  return {
    labels,
    palette: SCENE_PALETTE,
    ignore: ignoredIndex(labels.length),
    reduceZeroLabel: false,
    length: scenes.length,
    name: (index) => `scene ${index}`,
    load: async (index) => {
      const scene = scenes.scene(index);
      return { image: scene.image, labels: sceneLabelMap(scene) };
    },
  };
}

function folderExamples(folder: SegmentationFolder, options: ExampleOptions): ExampleSource {
  const { labels, palette, pairs } = folder;
  const ignore = ignoredIndex(labels.length);
  const reduces = options.reduceZeroLabel ?? folder.reduceZeroLabel;
  return {
    labels,
    palette,
    ignore,
    reduceZeroLabel: reduces,
    length: pairs.length,
    name: (index) => pairs[index]!.image,
    load: async (index) => {
      const pair = pairs[index]!;
      const stored = await decodeLabels(pair.labels);
      const image = await decodeAnnotated(pair.image, stored);
      const map = reduces ? reduceZeroLabel(stored, ignore) : stored;
      assertLabels(map, labels.length, pair.labels, ignore);
      return { image, labels: map };
    },
  };
}
