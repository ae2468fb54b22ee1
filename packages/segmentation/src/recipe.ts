import { loopRecipe, parseRecipe } from '@as-mlp/train';
import { z } from 'zod';

const side = z.number().int().positive();
const chance = z.number().min(0).max(1);
const count = z.number().int().positive();
const range = z.tuple([z.number().positive(), z.number().positive()]);

const distortionSchema = z.strictObject({
  /** Bytes added to all channels: at most this much either way. */
  brightness: z.number().nonnegative().default(32),
  contrast: range.default([0.5, 1.5]),
  saturation: range.default([0.5, 1.5]),
  /** Half degrees that hues turn by, either way. */
  hue: z.number().int().min(0).max(90).default(18),
});

const augmentationSchema = z.strictObject({
  /** Images are resized to fit inside `longSide` × `shortSide` pixels, times a number in the range `ratio`. */
  longSide: side.default(2048),
  shortSide: side.default(512),
  ratio: range.default([0.5, 2]),
  /** Largest part of a crop that one class may take; up to ten other crops are tried. */
  maxClassPart: z.number().positive().max(1).default(0.75),
  /** Probability of mirroring. */
  flip: chance.default(0.5),
  /** Changes of colours, each half the time; `null` for none. */
  distortion: distortionSchema.nullable().prefault({}),
});

/** Widths other than the published ones: of the backbone's first stage, and of the heads; see `SegmentationConfig`. */
const widthsSchema = z.strictObject({
  embedDim: count.optional(),
  channels: count.optional(),
  auxiliaryChannels: z.number().int().nonnegative().optional(),
});

/**
 * Everything that decides how a segmentation network is trained. Defaults follow the official recipe of 160,000 updates on
 * ADE20K (AdamW, 6e-5 for 16 crops of 512×512, 1500 updates of warm-up, then linearly to 0, weight decay 0.01, no clipping);
 * its 20,210 images make 1263 updates an epoch.
 */
export const segmentationRecipe = loopRecipe.extend({
  epochs: loopRecipe.shape.epochs.unwrap().default(127),
  batchSize: loopRecipe.shape.batchSize.unwrap().min(2).default(16),
  lr: loopRecipe.shape.lr.unwrap().default(6e-5),
  lrBatch: loopRecipe.shape.lrBatch.unwrap().default(16),
  schedule: loopRecipe.shape.schedule.unwrap().prefault({ kind: 'poly' }),
  weightDecay: loopRecipe.shape.weightDecay.unwrap().default(0.01),
  clipNorm: loopRecipe.shape.clipNorm.unwrap().default(null),
  evalEvery: loopRecipe.shape.evalEvery.unwrap().default(13),
  logEvery: loopRecipe.shape.logEvery.unwrap().default(50),
  /** Architecture, e.g. `upernet-as-mlp-tiny`. */
  model: z.string().default('upernet-as-mlp-tiny'),
  widths: widthsSchema.prefault({}),
  /** Shift size of the backbone; 5 unless given. */
  shiftSize: count.nullable().default(null),
  /** Stochastic depth of the backbone's last block; the architecture's own unless given. */
  dropPathRate: z.number().min(0).lt(1).nullable().default(null),
  /** Side of the training crops in pixels. */
  cropSize: side.default(512),
  augmentation: augmentationSchema.prefault({}),
  /** Evaluation: images are resized to fit inside these, in pixels. */
  testLongSide: side.default(2048),
  testShortSide: side.default(512),
  /** Whether the network sees whole images in evaluation, or windows as large as the training crops that slide over them. */
  testMode: z.enum(['whole', 'slide']).default('whole'),
  /** Whether it sees the mirrored images too. */
  testFlip: z.boolean().default(false),
  /** Sizes at which it sees them, times that of `testLongSide` and `testShortSide`. */
  testScales: z.array(z.number().positive()).min(1).default([1]),
  /** Whether 0 means unlabelled and classes count from 1 in label maps; what the list of classes says unless given. */
  reduceZeroLabel: z.boolean().nullable().default(null),
  /** Threads that decode and augment; chosen by the machine unless given. */
  workers: z.number().int().nonnegative().nullable().default(null),
});

/** A resolved recipe. */
export type SegmentationRecipe = z.infer<typeof segmentationRecipe>;

/** What a recipe may say. */
export type SegmentationRecipeInput = z.input<typeof segmentationRecipe>;

/**
 * Fills in the defaults of a recipe and checks every value.
 *
 * @throws AsMlpError (usage) that names the wrong value, or an unknown key and the nearest known one.
 */
export function parseSegmentationRecipe(values: Readonly<Record<string, unknown>>): SegmentationRecipe {
  return parseRecipe(segmentationRecipe, values);
}
