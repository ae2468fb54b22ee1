import type { Rng } from '@as-mlp/base';
import type { RgbImage } from '@as-mlp/data';
import { HUES, hsvToRgb, rgbToHsv } from './hsv.ts';

/** Within which limits colours are changed. Every change happens half the time. */
export interface DistortionLimits {
  /** Added to all channels: at most this much either way. */
  readonly brightness: number;
  /** All channels are multiplied by a number in this range. */
  readonly contrast: readonly [number, number];
  /** The saturation is multiplied by a number in this range. */
  readonly saturation: readonly [number, number];
  /** Half degrees that hues turn by: from −hue, and less than hue. */
  readonly hue: number;
}

/** One change of colours; parts left out are not applied. */
export interface Distortion {
  readonly brightness?: number;
  readonly contrast?: number;
  readonly saturation?: number;
  /** Whole half degrees. */
  readonly hue?: number;
  /** Whether the contrast changes before saturation and hue, or after. */
  readonly contrastFirst: boolean;
}

/** Draws a change as mmsegmentation's `PhotoMetricDistortion` does. */
export function drawDistortion(limits: DistortionLimits, rng: Rng): Distortion {
  const { brightness, contrast, saturation, hue } = limits;
  const isChosen = () => rng.int(2) === 1;
  const between = ([least, greatest]: readonly [number, number]) => least + (greatest - least) * rng.next();
  const drawn = {
    ...(isChosen() ? { brightness: between([-brightness, brightness]) } : {}),
    contrastFirst: isChosen(),
    ...(isChosen() ? { contrast: between(contrast) } : {}),
    ...(isChosen() ? { saturation: between(saturation) } : {}),
  };
  return isChosen() && hue > 0 ? { ...drawn, hue: rng.int(2 * hue) - hue } : drawn;
}

/** The image with other colours, as mmsegmentation's `PhotoMetricDistortion` changes 8-bit images: every step truncates to bytes. */
export function distort(
  image: RgbImage,
  { brightness, contrast, saturation, hue, contrastFirst }: Distortion,
): RgbImage {
  const data = image.data.slice();
  const changeContrast = () => {
    if (contrast !== undefined) applyTo(data, 0, 1, linearTable(contrast, 0));
  };
  if (brightness !== undefined) applyTo(data, 0, 1, linearTable(1, brightness));
  if (contrastFirst) changeContrast();
  if (saturation !== undefined) {
    rgbToHsv(data);
    applyTo(data, 1, 3, linearTable(saturation, 0));
    hsvToRgb(data);
  }
  if (hue !== undefined) {
    rgbToHsv(data);
    applyTo(
      data,
      0,
      3,
      Uint8Array.from({ length: 256 }, (_, value) => (value + hue + HUES) % HUES),
    );
    hsvToRgb(data);
  }
  if (!contrastFirst) changeContrast();
  return { ...image, data };
}

/** What becomes of every byte: `factor · byte + summand` in float32, clipped and truncated. */
function linearTable(factor: number, summand: number): Uint8Array {
  const { fround } = Math;
  const [a, b] = [fround(factor), fround(summand)];
  return Uint8Array.from({ length: 256 }, (_, byte) =>
    Math.trunc(Math.min(255, Math.max(0, fround(fround(byte * a) + b)))),
  );
}

function applyTo(data: Uint8Array, first: number, step: number, table: Uint8Array): void {
  for (let i = first; i < data.length; i += step) data[i] = table[data[i]!]!;
}
