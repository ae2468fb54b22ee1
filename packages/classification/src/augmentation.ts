import { z } from 'zod';

const probability = z.number().min(0).max(1);
const range = z.tuple([z.number().positive(), z.number().positive()]);

/** timm's `rand-m9-mstd0.5-inc1`. */
const randAugmentSchema = z.strictObject({
  /** How strong the operations are, 0 to 10. */
  magnitude: z.number().min(0).max(10).default(9),
  /** Standard deviation of the magnitude, which is drawn for each operation. */
  magnitudeStd: z.number().nonnegative().default(0.5),
  /** Operations drawn for an image. */
  layers: z.number().int().nonnegative().default(2),
  /** Probability that a drawn operation is applied. */
  probability: probability.default(0.5),
  /** Every operation grows stronger with the magnitude; else some grow weaker. */
  increasing: z.boolean().default(true),
});

const erasingSchema = z.strictObject({
  /** Probability that something is erased. */
  probability: probability.default(0.25),
  /** Standard normal numbers, one of them for each channel of a rectangle, or zeros. */
  mode: z.enum(['pixel', 'rand', 'const']).default('pixel'),
  /** Rectangles. */
  count: z.number().int().positive().default(1),
});

/**
 * The `augmentation` section of a recipe. The defaults of `random-resized-crop` are those of the official ImageNet recipe,
 * as timm understands it.
 */
export const augmentationSchema = z.discriminatedUnion('kind', [
  z.strictObject({
    /** A random part of the image, resized to the input, mirrored at random, and varied further. */
    kind: z.literal('random-resized-crop').default('random-resized-crop'),
    /** Least and greatest part of the area. */
    scale: range.default([0.08, 1]),
    /** Least and greatest width over height. */
    ratio: range.default([3 / 4, 4 / 3]),
    /** Of the crop and of RandAugment's geometry; `random` draws one of the two each time. */
    interpolation: z.enum(['bicubic', 'bilinear', 'random']).default('bicubic'),
    /** Probability of mirroring. */
    flip: probability.default(0.5),
    /** `null`: none. */
    randAugment: randAugmentSchema.nullable().prefault({}),
    /** Brightness, contrast and saturation by up to this part, where there is no RandAugment. `null`: none. */
    colorJitter: z.number().positive().nullable().default(0.4),
    erasing: erasingSchema.prefault({}),
    /** α of the Beta law of mixup; 0: none. */
    mixup: z.number().nonnegative().default(0.8),
    /** α of the Beta law of CutMix; 0: none. */
    cutmix: z.number().nonnegative().default(1),
    /** Probability that a batch is mixed. */
    mixProbability: probability.default(1),
    /** Probability of CutMix where both are on. */
    switchProbability: probability.default(0.5),
  }),
  z.strictObject({
    /** Small centred images such as digits: the evaluation crop, moved by up to `pixels` each way, black outside. */
    kind: z.literal('shift'),
    pixels: z.number().int().nonnegative().default(2),
    /** Probability of mirroring. */
    flip: probability.default(0),
  }),
]);

/** How training images are varied. */
export type Augmentation = z.infer<typeof augmentationSchema>;
