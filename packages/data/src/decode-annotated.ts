import { AsMlpError } from '@as-mlp/base';
import { decodeImage } from './decode.ts';
import type { RgbImage, Size } from './image.ts';

/**
 * Decodes an image that goes with annotations of `size`: turned as its EXIF orientation says, as OpenCV and with it the official
 * loaders do, or as it is stored where only that has the size.
 *
 * @throws AsMlpError as `decodeImage`, and (input) when the image has another size either way.
 */
export async function decodeAnnotated(path: string, size: Size): Promise<RgbImage> {
  const turned = await decodeImage(path, { orient: true });
  if (hasSize(turned, size)) return turned;
  const isTransposed = turned.height === size.width && turned.width === size.height;
  if (isTransposed) {
    const stored = await decodeImage(path);
    if (hasSize(stored, size)) return stored;
  }
  throw new AsMlpError('input', {
    where: path,
    what: `the image is ${turned.width}×${turned.height} pixels, and its annotations are for ${size.width}×${size.height}`,
    fix: 'Give the image that was annotated',
  });
}

function hasSize(image: Size, { height, width }: Size): boolean {
  return image.height === height && image.width === width;
}
