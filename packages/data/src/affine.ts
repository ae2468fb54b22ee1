import { createImage, type Rgb, type RgbImage } from './image.ts';

/** Where an output point comes from: `x' = a·x + b·y + c`, `y' = d·x + e·y + f`; pixel centres lie at halves. */
export type AffineMatrix = readonly [a: number, b: number, c: number, d: number, e: number, f: number];

/** How {@link affine} looks between pixels. */
export type AffineMethod = 'bilinear' | 'bicubic';

/** What {@link affine} does with the points between and beyond the pixels. */
export interface AffineOptions {
  readonly method: AffineMethod;
  /** Colour of what lies outside the image; black unless given. */
  readonly fill?: Rgb;
}

/**
 * An image of the same size whose pixels are taken from where `matrix` says, equal to the last bit to Pillow's
 * `Image.transform(size, AFFINE, …)` with that filter (`Geometry.c`: double precision, truncated to bytes).
 */
export function affine(
  image: RgbImage,
  matrix: AffineMatrix,
  { method, fill = [0, 0, 0] }: AffineOptions,
): RgbImage {
  const { height, width } = image;
  const output = createImage(image, fill);
  const [a, b, c, d, e, f] = matrix;
  const paint = method === 'bicubic' ? bicubicPixel : bilinearPixel;
  for (let y = 0, target = 0; y < height; y++) {
    for (let x = 0; x < width; x++, target += 3) {
      const sourceX = a * (x + 0.5) + b * (y + 0.5) + c;
      const sourceY = d * (x + 0.5) + e * (y + 0.5) + f;
      const isInside = sourceX >= 0 && sourceX < width && sourceY >= 0 && sourceY < height;
      if (isInside) paint(image, sourceX - 0.5, sourceY - 0.5, output.data, target);
    }
  }
  return output;
}

/** Sheared along the rows: a pixel comes from `factor` times its row further right. */
export function shearX(image: RgbImage, factor: number, options: AffineOptions): RgbImage {
  return affine(image, [1, factor, 0, 0, 1, 0], options);
}

/** Sheared along the columns: a pixel comes from `factor` times its column further down. */
export function shearY(image: RgbImage, factor: number, options: AffineOptions): RgbImage {
  return affine(image, [1, 0, 0, factor, 1, 0], options);
}

/** Moved to the left by `part` of the width. */
export function translateX(image: RgbImage, part: number, options: AffineOptions): RgbImage {
  return affine(image, [1, 0, part * image.width, 0, 1, 0], options);
}

/** Moved up by `part` of the height. */
export function translateY(image: RgbImage, part: number, options: AffineOptions): RgbImage {
  return affine(image, [1, 0, 0, 0, 1, part * image.height], options);
}

/** Turned counter-clockwise around its middle, the corners cut off, as Pillow's `Image.rotate`. */
export function rotate(image: RgbImage, degrees: number, options: AffineOptions): RgbImage {
  const turn = degrees % 360;
  const angle = -(turn < 0 ? turn + 360 : turn) * (Math.PI / 180);
  const cos = fifteenDigits(Math.cos(angle));
  const sin = fifteenDigits(Math.sin(angle));
  const [x, y] = [image.width / 2, image.height / 2];
  return affine(image, [cos, sin, cos * -x + sin * -y + x, -sin, cos, -sin * -x + cos * -y + y], options);
}

/** Pillow rounds the matrix, so that quarter turns are exact. */
function fifteenDigits(value: number): number {
  return Number(value.toFixed(15));
}

function bilinearPixel(image: RgbImage, x: number, y: number, output: Uint8Array, target: number): void {
  const { height, width, data } = image;
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const x0 = clamp(left, width) * 3;
  const x1 = clamp(left + 1, width) * 3;
  const y0 = clamp(top, height) * width * 3;
  const y1 = clamp(top + 1, height) * width * 3;
  for (let c = 0; c < 3; c++) {
    const upper = mix(data[y0 + x0 + c]!, data[y0 + x1 + c]!, dx);
    const lower = mix(data[y1 + x0 + c]!, data[y1 + x1 + c]!, dx);
    output[target + c] = mix(upper, lower, dy);
  }
}

function bicubicPixel(image: RgbImage, x: number, y: number, output: Uint8Array, target: number): void {
  const { height, width, data } = image;
  const left = Math.floor(x);
  const top = Math.floor(y);
  const dx = x - left;
  const dy = y - top;
  const x0 = clamp(left - 1, width) * 3;
  const x1 = clamp(left, width) * 3;
  const x2 = clamp(left + 1, width) * 3;
  const x3 = clamp(left + 2, width) * 3;
  const y0 = clamp(top - 1, height) * width * 3;
  const y1 = clamp(top, height) * width * 3;
  const y2 = clamp(top + 1, height) * width * 3;
  const y3 = clamp(top + 2, height) * width * 3;
  for (let c = 0; c < 3; c++) {
    // At the centre of a row the cubic across the rows is the row's own value; and so for columns.
    let b = data[y1 + x1 + c]!;
    if (dx !== 0) b = cubic(data[y1 + x0 + c]!, b, data[y1 + x2 + c]!, data[y1 + x3 + c]!, dx);
    if (dy !== 0) {
      let a = data[y0 + x1 + c]!;
      let d = data[y2 + x1 + c]!;
      let e = data[y3 + x1 + c]!;
      if (dx !== 0) {
        a = cubic(data[y0 + x0 + c]!, a, data[y0 + x2 + c]!, data[y0 + x3 + c]!, dx);
        d = cubic(data[y2 + x0 + c]!, d, data[y2 + x2 + c]!, data[y2 + x3 + c]!, dx);
        e = cubic(data[y3 + x0 + c]!, e, data[y3 + x2 + c]!, data[y3 + x3 + c]!, dx);
      }
      b = cubic(a, b, d, e, dy);
    }
    output[target + c] = Math.min(255, Math.max(0, b));
  }
}

function clamp(index: number, length: number): number {
  return index < 0 ? 0 : index < length ? index : length - 1;
}

function mix(a: number, b: number, t: number): number {
  return a + (b - a) * t;
}

/** Keys' cubic with a = −1 through four equidistant values, at `t` of the way between the second and the third. */
function cubic(a: number, b: number, c: number, d: number, t: number): number {
  return b + t * (-a + c + t * (2 * (a - b) + c - d + t * (-a + b - c + d)));
}
