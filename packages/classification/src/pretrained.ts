import { fileURLToPath } from 'node:url';

/** Weights that come with this package, trained by its own `train`. Paths of safetensors files. */
export const PRETRAINED = {
  /** `as-mlp-nano` on the handwritten digits of MNIST, 32×32; see `DIGITS_RECIPE`. */
  digits: fileURLToPath(new URL('../weights/as-mlp-nano-digits.safetensors', import.meta.url)),
} as const;
