/** Fractional bits of the integer divisions below. */
const SHIFT = 12;
const HALF = 1 << (SHIFT - 1);
/** Hues of 8-bit images: half degrees. */
export const HUES = 180;

const SATURATION_DIVISIONS = divisions(255);
const HUE_DIVISIONS = divisions(HUES / 6);

/** ⌊scale · 2¹² / i⌉ for every byte i, halves to even. */
function divisions(scale: number): Int32Array {
  return Int32Array.from({ length: 256 }, (_, i) => {
    if (i === 0) return 0;
    const value = (scale * 2 ** SHIFT) / i;
    const floor = Math.floor(value);
    return value - floor === 0.5 ? floor + (floor % 2) : Math.round(value);
  });
}

/**
 * `[N, 3]` RGB bytes → hue (0–179), saturation and value, equal to OpenCV's `COLOR_RGB2HSV` on 8-bit images; in place unless
 * `into` is given.
 */
export function rgbToHsv(rgb: Uint8Array, into = rgb): Uint8Array {
  for (let i = 0; i < rgb.length; i += 3) {
    const r = rgb[i]!;
    const g = rgb[i + 1]!;
    const b = rgb[i + 2]!;
    const value = Math.max(r, g, b);
    const range = value - Math.min(r, g, b);
    const sector = value === r ? g - b : value === g ? b - r + 2 * range : r - g + 4 * range;
    const hue = (sector * HUE_DIVISIONS[range]! + HALF) >> SHIFT;
    into[i] = hue < 0 ? hue + HUES : hue;
    into[i + 1] = (range * SATURATION_DIVISIONS[value]! + HALF) >> SHIFT;
    into[i + 2] = value;
  }
  return into;
}

/**
 * The inverse, equal to OpenCV's `COLOR_HSV2RGB` on 8-bit images of all but a few pixels, where it computes with vectors: in
 * float32, with a product and a difference rounded once, and truncated.
 */
export function hsvToRgb(hsv: Uint8Array, into = hsv): Uint8Array {
  const { fround } = Math;
  const unit = fround(1 / 255);
  const perSector = fround(6 / HUES);
  for (let i = 0; i < hsv.length; i += 3) {
    const position = fround(hsv[i]! * perSector);
    const s = fround(hsv[i + 1]! * unit);
    const v = fround(hsv[i + 2]! * unit);
    const sector = Math.floor(position);
    const part = fround(position - sector);
    const low = toByte(fround(v * fround(1 - s)));
    const falling = toByte(fround(v * fround(1 - s * part)));
    const rising = toByte(fround(v * fround(1 - s * fround(1 - part))));
    const high = toByte(v);
    into[i] = sector === 0 || sector === 5 ? high : sector === 1 ? falling : sector === 4 ? rising : low;
    into[i + 1] = sector === 1 || sector === 2 ? high : sector === 0 ? rising : sector === 3 ? falling : low;
    into[i + 2] = sector === 3 || sector === 4 ? high : sector === 2 ? rising : sector === 5 ? falling : low;
  }
  return into;
}

function toByte(value: number): number {
  return Math.trunc(Math.fround(value * 255));
}
