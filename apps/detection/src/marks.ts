import { type AnnotateOptions, annotated, type MarkedObject, percent, type RgbImage } from '@as-mlp/app';
import type { Detection } from '@as-mlp/detection';

/** The image with what was found in it. */
export async function drawDetections(
  image: RgbImage,
  detections: readonly Detection[],
  options: AnnotateOptions = {},
): Promise<RgbImage> {
  const { decodeMask, rleFromJson } = await import('@as-mlp/detection');
  const marks = detections.map(
    ({ label, index, score, box, mask }): MarkedObject => ({
      label: `${label} ${percent(score)}`,
      index,
      box,
      ...(mask ? { mask: () => decodeMask(rleFromJson(mask)) } : {}),
    }),
  );
  return annotated(image, marks, options);
}
