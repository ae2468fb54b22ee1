import { chooseShiftSize } from '@as-mlp/backbone';
import { AsMlpError } from '@as-mlp/base';
import type { LabelMap, Rgb, RgbImage, Size } from '@as-mlp/data';
import type { Compile, WeightFile } from '@as-mlp/nn';
import { ADE20K_CLASSES, ADE20K_PALETTE, isAde20k } from './ade20k.ts';
import type { SegmentationConfig } from './config.ts';
import { inferSegmenter } from './infer.ts';
import { decodeMetadata, mergePreprocessing } from './metadata.ts';
import { SegmentationModel } from './model.ts';
import { labelsFor, paletteFor } from './names.ts';
import { createNetwork } from './predict/network.ts';
import type { Preprocessing } from './predict/preprocess.ts';
import { segmentImage } from './predict/segment.ts';

/** One class that was found in an image. */
export interface SegmentedClass {
  readonly label: string;
  /** Class index. */
  readonly index: number;
  /** How many pixels of the image are of this class. */
  readonly pixels: number;
}

/** The classes of the pixels of one image. */
export interface Segmentation extends Size {
  /** Class indices row by row, `height · width`; 16 bits when there are more than 256 classes. */
  readonly labels: Uint8Array | Uint16Array;
  /** The classes that occur, most pixels first. */
  readonly classes: readonly SegmentedClass[];
}

/** Scales of the official evaluation with several views, each with and without {@link SegmentOptions.flip}. */
export const OFFICIAL_SCALES: readonly number[] = [0.5, 0.75, 1, 1.25, 1.5, 1.75];

/** What {@link Segmenter.segment} is asked for; one view of the whole image unless given. */
export interface SegmentOptions {
  /** `whole`: the network sees all of the image at once. `slide`: it sees crops, whose logits are averaged. */
  readonly mode?: 'whole' | 'slide';
  /** Pixels of the resized image that are seen at once when sliding. Default 512×512. */
  readonly crop?: Size;
  /** Pixels between crops, at most those of the crop. Default 341×341. */
  readonly stride?: Size;
  /** Whether to look at the mirrored image too. Default false. */
  readonly flip?: boolean;
  /** Sizes to look at, times that of the preprocessing; the mean of the probabilities decides. Default [1]. */
  readonly scales?: readonly number[];
  /** What the image is fitted into; `none` leaves it at its size. Default the preprocessing's. */
  readonly scale?: 'none' | Pick<Preprocessing, 'longSide' | 'shortSide'>;
}

/** What to say about a network that its weights cannot say. */
export interface SegmenterOptions {
  /**
   * The shift size of the network. Weights do not show it: a file's metadata wins, then this, then 5. Naming another
   * size than the file does is an error.
   */
  readonly shiftSize?: SegmentationConfig['shiftSize'];
  /** Class names in the order of the outputs; else the file's, else those of ADE20K for 150 classes. */
  readonly labels?: readonly string[];
  /** A colour for each class; else the file's, else ADE20K's own for its classes. */
  readonly palette?: readonly Rgb[];
  /** Changes to the preprocessing that the file or ADE20K defines. */
  readonly preprocessing?: Partial<Preprocessing>;
  /** Makes the network fast: `compile` of the open engine. Weights that change later need a new segmenter then. */
  readonly compile?: Compile;
}

/** A network ready to segment. Call `dispose` when done. */
export interface Segmenter {
  /** Of a loaded segmenter with `compile` the weights are in the compiled graph and cannot be read here. */
  readonly model: SegmentationModel;
  readonly labels: readonly string[];
  readonly palette: readonly Rgb[];
  readonly preprocessing: Preprocessing;
  /** Facts worth telling a user, such as a shift size that had to be assumed. */
  readonly notes: readonly string[];
  /**
   * The class of each pixel of one image, which is preprocessed here. Peak memory beyond the network's: the logits of every
   * view at a quarter of its sides (13 MB for 150 classes at 683×512, (crop / stride)² as much when sliding), and
   * the labels; pixels × classes are never held.
   *
   * @throws AsMlpError `usage` for options that are not possible, `weights` when the network's outputs are not finite.
   */
  segment(image: RgbImage, options?: SegmentOptions): Promise<Segmentation>;
  /** The class indices alone, for data sets. */
  segmentLabels(image: RgbImage, options?: SegmentOptions): Promise<LabelMap>;
  dispose(): void;
}

/** Beside {@link SegmenterOptions}, for a model that is there already. */
export interface CreateSegmenterOptions extends Omit<SegmenterOptions, 'shiftSize'> {
  readonly notes?: readonly string[];
  /**
   * Whether the model may give up its weights as soon as a compiled graph holds them: half the memory, and nothing but this
   * segmenter can use them then. Default false.
   */
  readonly release?: boolean;
}

/** Wraps a model, names and preprocessing as a {@link Segmenter} that owns the model. */
export function createSegmenter(model: SegmentationModel, options: CreateSegmenterOptions = {}): Segmenter {
  const { numClasses } = model.config;
  const labels = labelsFor(numClasses, options.labels, 'labels');
  const preprocessing = mergePreprocessing(options.preprocessing);
  const network = createNetwork(model, options);

  async function segmentLabels(image: RgbImage, asked: SegmentOptions = {}): Promise<LabelMap> {
    const { mode = 'whole', flip = false, scales = [1], scale = preprocessing } = asked;
    const { crop = { height: 512, width: 512 }, stride = { height: 341, width: 341 } } = asked;
    checkOptions(scales, scale, mode === 'slide' ? { crop, stride } : undefined);
    const flips = flip ? [false, true] : [false];
    const sizes = scale === 'none' ? (['none'] as const) : scales;
    return await segmentImage(network, numClasses, image, {
      preprocessing: scale === 'none' ? preprocessing : { ...preprocessing, ...scale },
      views: sizes.flatMap((size) => flips.map((flipped) => ({ scale: size, flipped }))),
      sliding: mode === 'slide' ? { crop, stride } : undefined,
    });
  }

  return {
    model,
    labels,
    palette: paletteFor(numClasses, options.palette, 'palette'),
    preprocessing,
    notes: options.notes ?? [],
    segmentLabels,
    segment: async (image, asked) => {
      const { height, width, data } = await segmentLabels(image, asked);
      return { height, width, labels: data, classes: countClasses(data, labels) };
    },
    dispose: () => {
      void network.dispose();
      model.dispose();
    },
  };
}

function countClasses(data: Uint8Array | Uint16Array, labels: readonly string[]): SegmentedClass[] {
  const pixels = new Uint32Array(labels.length);
  for (let i = 0; i < data.length; i++) pixels[data[i]!]!++;
  return labels
    .map((label, index) => ({ label, index, pixels: pixels[index]! }))
    .filter((one) => one.pixels > 0)
    .sort((a, b) => b.pixels - a.pixels);
}

function checkOptions(
  scales: readonly number[],
  scale: NonNullable<SegmentOptions['scale']>,
  sliding: { crop: Size; stride: Size } | undefined,
): void {
  const isPixels = (value: number) => Number.isInteger(value) && value >= 1;
  const faults: string[] = [];
  if (scales.length === 0 || !scales.every((one) => one > 0 && Number.isFinite(one))) {
    faults.push(`scales [${scales}]`);
  }
  if (scale === 'none') {
    if (scales.some((one) => one !== 1)) faults.push(`scales [${scales}] of an image that keeps its size`);
  } else if (!isPixels(scale.longSide) || !isPixels(scale.shortSide)) {
    faults.push(`a scale of ${scale.longSide}×${scale.shortSide}`);
  } else if (scales.some((one) => one * Math.min(scale.longSide, scale.shortSide) < 1)) {
    faults.push(`scales [${scales}], which leave nothing of ${scale.longSide}×${scale.shortSide}`);
  }
  for (const side of sliding ? (['height', 'width'] as const) : []) {
    const [crop, stride] = [sliding!.crop[side], sliding!.stride[side]];
    if (!isPixels(crop) || !isPixels(stride)) faults.push(`crops of ${crop} pixels every ${stride} pixels`);
    else if (stride > crop)
      faults.push(`a stride of ${stride} pixels, which leaves gaps between crops of ${crop}`);
  }
  if (faults.length === 0) return;
  throw new AsMlpError('usage', {
    what: `these options are not possible: ${faults.join(', ')}`,
    fix: 'Give positive scales, whole numbers of pixels, and strides that are not larger than the crops',
  });
}

/** What a weight file says its network is; tells `info` without loading a value. */
export interface SegmentationFile {
  readonly config: SegmentationConfig;
  readonly labels: readonly string[] | undefined;
  readonly palette: readonly Rgb[] | undefined;
  readonly preprocessing: Preprocessing;
  /** Whether nothing names the shift size of `config`. */
  readonly shiftIsAssumed: boolean;
  readonly notes: readonly string[];
}

/** Reads architecture, names and preprocessing of a file from its shapes and metadata. */
export function inspectWeights(
  file: WeightFile,
  source: string,
  options: SegmenterOptions = {},
): SegmentationFile {
  const inferred = inferSegmenter(file.entries, source);
  const said = decodeMetadata(file.metadata, source);
  const { shiftSize, notes } = chooseShiftSize(said.shiftSize, options.shiftSize, source);
  const named = options.labels ?? said.labels;
  const isUnnamed = named === undefined && inferred.numClasses === ADE20K_CLASSES.length;
  const labels = isUnnamed ? ADE20K_CLASSES : named;
  const ownColours = labels && isAde20k(labels) ? ADE20K_PALETTE : undefined;
  const unnamed = 'classes of ADE20K assumed: there are 150, and the file does not name them (--labels does)';
  return {
    config: { ...inferred, ...said.ablations, shiftSize },
    labels,
    palette: options.palette ?? said.palette ?? ownColours,
    preprocessing: mergePreprocessing(said.preprocessing, options.preprocessing),
    shiftIsAssumed: notes.length > 0,
    notes: isUnnamed ? [...notes, unnamed] : notes,
  };
}

/** A segmenter from an opened weight file. Fails before taking memory when file and network do not fit. */
export async function segmenterFromWeights(
  file: WeightFile,
  source: string,
  options: SegmenterOptions = {},
): Promise<Segmenter> {
  const { config, labels, palette, preprocessing, notes } = inspectWeights(file, source, options);
  const { numClasses } = config;
  const names = {
    labels: labelsFor(numClasses, labels, options.labels ? 'labels' : source),
    palette: paletteFor(numClasses, palette, options.palette ? 'palette' : source),
  };
  const model = new SegmentationModel(config);
  try {
    await model.load(file.entries, { source });
  } catch (error) {
    model.dispose();
    throw error;
  }
  const { compile } = options;
  const known = { ...names, preprocessing, notes, release: true };
  return createSegmenter(model, compile ? { ...known, compile } : known);
}
