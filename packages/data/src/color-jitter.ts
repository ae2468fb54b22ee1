import type { Rng } from '@as-mlp/base';
import { adjustBrightness, adjustColor, adjustContrast } from './enhance.ts';
import type { RgbImage } from './image.ts';

/**
 * Brightness, contrast and saturation each changed by a factor uniform in [1 − amount, 1 + amount] and not below 0, in
 * random order, as torchvision's `ColorJitter(amount, amount, amount)`. A pure function of its arguments.
 */
export function colorJitter(image: RgbImage, amount: number, rng: Rng): RgbImage {
  const least = Math.max(0, 1 - amount);
  const waiting = [adjustBrightness, adjustContrast, adjustColor];
  let varied = image;
  while (waiting.length > 0) {
    const [adjust] = waiting.splice(rng.int(waiting.length), 1);
    varied = adjust!(varied, least + (1 + amount - least) * rng.next());
  }
  return varied;
}
