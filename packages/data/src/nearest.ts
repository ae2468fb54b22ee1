import type { Region, RgbImage, Size } from './image.ts';

/**
 * The source position of each output position. Pillow adds the scale up step by step in double precision
 * (`ImagingScaleAffine`), and its rounding decides ties: do the same.
 */
function nearestPositions(source: number, target: number): Int32Array {
  const scale = source / target;
  const positions = new Int32Array(target);
  let position = scale * 0.5;
  for (let i = 0; i < target; i++) {
    positions[i] = Math.min(Math.trunc(position), source - 1);
    position += scale;
  }
  return positions;
}

/** The rectangle `window` of the rectangle `region` of `image` resized to `size`, equal to Pillow's `NEAREST`. */
export function resizeNearest(image: RgbImage, region: Region, size: Size, window: Region): Uint8Array {
  const columns = nearestPositions(region.width, size.width);
  const rows = nearestPositions(region.height, size.height);
  const { data } = image;
  const output = new Uint8Array(window.height * window.width * 3);
  for (let y = 0, o = 0; y < window.height; y++) {
    const start = (region.top + rows[window.top + y]!) * image.width + region.left;
    for (let x = 0; x < window.width; x++, o += 3) {
      const p = (start + columns[window.left + x]!) * 3;
      output[o] = data[p]!;
      output[o + 1] = data[p + 1]!;
      output[o + 2] = data[p + 2]!;
    }
  }
  return output;
}
