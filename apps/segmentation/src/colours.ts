import { type LegendEntry, overlaid, percent, type Rgb, type RgbImage, withLegend } from '@as-mlp/app';
import type { Segmentation, SegmentedClass } from '@as-mlp/segmentation';

/** The image tinted with the classes that were found in it, most pixels first in the legend. */
export function drawSegmentation(
  image: RgbImage,
  { height, width, labels, classes }: Segmentation,
  palette: readonly Rgb[],
): Promise<RgbImage> {
  const entries = classes.map(
    ({ label, index, pixels }): LegendEntry => ({
      text: `${label}  ${percent(pixels / (height * width))}`,
      colour: palette[index]!,
    }),
  );
  return withLegend(overlaid(image, { height, width, data: labels }, palette), entries);
}

/** A legend of all classes of a list. */
export function legendOf(labels: readonly string[], palette: readonly Rgb[]): LegendEntry[] {
  return labels.map((text, index) => ({ text, colour: palette[index]! }));
}

/** `wall 41.2 %, floor 20.0 %, …` */
export function describeClasses(classes: readonly SegmentedClass[], size: number, most = 4): string {
  const named = classes.slice(0, most).map(({ label, pixels }) => `${label} ${percent(pixels / size)}`);
  return `${named.join(', ')}${classes.length > most ? ', …' : ''}`;
}
