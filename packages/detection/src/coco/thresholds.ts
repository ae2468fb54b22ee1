/** `numpy.linspace(start, stop, count)`, to the last bit: a recall or an IoU may lie exactly on a threshold. */
function linspace(start: number, stop: number, count: number): Float64Array {
  const step = (stop - start) / (count - 1);
  const values = Float64Array.from({ length: count }, (_, i) => i * step + start);
  values[count - 1] = stop;
  return values;
}

/** The ten IoU thresholds of COCO: 0.50, 0.55, …, 0.95. */
export const IOU_THRESHOLDS: Float64Array = linspace(0.5, 0.95, 10);

/** The 101 recalls at which COCO reads the precision: 0.00, 0.01, …, 1.00. */
export const RECALL_THRESHOLDS: Float64Array = linspace(0, 1, 101);

/** Names of {@link AREA_RANGES}. */
export const AREA_NAMES = ['all', 'small', 'medium', 'large'] as const;

/** Square pixels from and to, both included. */
export const AREA_RANGES: readonly (readonly [number, number])[] = [
  [0, 1e10],
  [0, 32 ** 2],
  [32 ** 2, 96 ** 2],
  [96 ** 2, 1e10],
];

/** Detections of one class that count in an image. */
export const MAX_DETECTIONS: readonly number[] = [1, 10, 100];
