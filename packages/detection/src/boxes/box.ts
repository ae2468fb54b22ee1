/** An axis-aligned rectangle as [x0, y0, x1, y1] in pixels, corners included as real numbers (no +1). */
export type Box = readonly [number, number, number, number];

/** Area in square pixels; zero where the corners are in the wrong order. */
export function boxArea([x0, y0, x1, y1]: Box): number {
  return Math.max(0, x1 - x0) * Math.max(0, y1 - y0);
}
