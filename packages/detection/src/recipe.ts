import { loopRecipe, parseRecipe } from '@as-mlp/train';
import { z } from 'zod';

const side = z.number().int().positive();
const chance = z.number().min(0).max(1);
const count = z.number().int().positive();

/** Sides that the shorter one of an image is resized to in the official training, in pixels. */
export const OFFICIAL_SHORT_SIDES = [480, 512, 544, 576, 608, 640, 672, 704, 736, 768, 800];

const augmentationSchema = z.strictObject({
  /** Probability of mirroring. */
  flip: chance.default(0.5),
  /** The shorter side is resized to one of these, in pixels, as long as the longer one stays within `longSide`. */
  shortSides: z.array(side).min(1).default(OFFICIAL_SHORT_SIDES),
  longSide: side.default(1333),
  /** Probability of resizing to one of `cropShortSides` and cropping a part of `cropSides` (least, greatest) pixels before. */
  crop: chance.default(0.5),
  cropShortSides: z.array(side).min(1).default([400, 500, 600]),
  cropSides: z.tuple([side, side]).default([384, 600]),
});

/** Widths other than the published ones: of the backbone's first stage, and of the heads; see `HeadWidths`. */
const widthsSchema = z.strictObject({
  embedDim: count.optional(),
  channels: count.optional(),
  rpnChannels: count.optional(),
  boxConvChannels: count.optional(),
  boxFcChannels: count.optional(),
  maskConvs: count.optional(),
  maskChannels: count.optional(),
});

/**
 * Everything that decides how a detector is trained. Defaults follow the official recipe of 12 epochs on COCO (AdamW, 1e-4 for
 * 16 images an update, ×0.1 after epochs 8 and 11, 500 updates of warm-up, weight decay 0.05, no clipping), two images a
 * batch and eight batches an update.
 */
export const detectionRecipe = loopRecipe.extend({
  epochs: loopRecipe.shape.epochs.unwrap().default(12),
  batchSize: loopRecipe.shape.batchSize.unwrap().default(2),
  accumulate: loopRecipe.shape.accumulate.unwrap().default(8),
  lr: loopRecipe.shape.lr.unwrap().default(1e-4),
  lrBatch: loopRecipe.shape.lrBatch.unwrap().default(16),
  // Time counts batches: 500 updates of eight.
  schedule: loopRecipe.shape.schedule.unwrap().prefault({ kind: 'multi-step', warmupSteps: 4000 }),
  clipNorm: loopRecipe.shape.clipNorm.unwrap().default(null),
  logEvery: loopRecipe.shape.logEvery.unwrap().default(50),
  /** Architecture, e.g. `mask-rcnn-as-mlp-tiny`. */
  model: z.string().default('mask-rcnn-as-mlp-tiny'),
  widths: widthsSchema.prefault({}),
  /** Shift size of the backbone; 5 unless given. */
  shiftSize: count.nullable().default(null),
  /** Stochastic depth of the backbone's last block; the architecture's own unless given. */
  dropPathRate: z.number().min(0).lt(1).nullable().default(null),
  augmentation: augmentationSchema.prefault({}),
  /** Evaluation: images are resized to this shorter side, as long as the longer one stays within the other. */
  testShortSide: side.default(800),
  testLongSide: side.default(1333),
  /** Anchors that the proposal network learns from, an image. */
  rpnSamples: count.default(256),
  /** Regions that each box stage learns from, an image; a quarter of them objects at most. */
  roiSamples: count.default(512),
  /** Proposals of a level before suppression, and of an image after it; the architecture's own unless given. */
  proposalsPerLevel: count.nullable().default(null),
  proposals: count.nullable().default(null),
  /** Threads that decode and augment; chosen by the machine unless given. */
  workers: z.number().int().nonnegative().nullable().default(null),
});

/** A resolved recipe. */
export type DetectionRecipe = z.infer<typeof detectionRecipe>;

/** What a recipe may say. */
export type DetectionRecipeInput = z.input<typeof detectionRecipe>;

/**
 * Fills in the defaults of a recipe and checks every value.
 *
 * @throws AsMlpError (usage) that names the wrong value, or an unknown key and the nearest known one.
 */
export function parseDetectionRecipe(values: Readonly<Record<string, unknown>>): DetectionRecipe {
  return parseRecipe(detectionRecipe, values);
}
