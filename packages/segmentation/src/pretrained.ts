import { fileURLToPath } from 'node:url';

/** Weights that come with this package, trained by its own `train`. Paths of safetensors files. */
export const PRETRAINED = {
  /** `upernet-as-mlp-nano` with narrow heads on scenes of handwritten digits; see `DIGIT_SCENES_RECIPE`. */
  digitScenes: fileURLToPath(new URL('../weights/digit-scenes.safetensors', import.meta.url)),
} as const;
