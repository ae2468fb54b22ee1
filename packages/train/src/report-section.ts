import type { RgbImage } from '@as-mlp/data';

interface Titled {
  readonly title: string;
  /** A sentence or two on what is shown. */
  readonly note?: string;
}

/** Rows of words and numbers; `null` where there is no value. */
export interface TableSection extends Titled {
  readonly kind: 'table';
  readonly columns: readonly string[];
  readonly rows: readonly (readonly (string | number | null)[])[];
}

/** What each class was taken for. */
export interface MatrixSection extends Titled {
  readonly kind: 'matrix';
  readonly labels: readonly string[];
  /** `[K · K]` counts, a row for each true class, a column for each predicted one. */
  readonly counts: ArrayLike<number>;
  /** What is counted, e.g. `images`. */
  readonly unit: string;
}

/** Curves in the unit square, some in each panel. */
export interface CurvesSection extends Titled {
  readonly kind: 'curves';
  readonly x: string;
  readonly y: string;
  readonly panels: readonly CurvesPanel[];
}

/** One diagram of a {@link CurvesSection}. */
export interface CurvesPanel {
  readonly title: string;
  /** Values in [0, 1] over equal steps of x from 0 to 1. */
  readonly curves: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
}

/** A few pictures, e.g. the best and the worst examples. */
export interface PicturesSection extends Titled {
  readonly kind: 'pictures';
  readonly pictures: readonly ReportPicture[];
}

/** One example, seen in one or several ways. */
export interface ReportPicture {
  readonly caption: string;
  readonly views: readonly PictureView[];
}

/** An image with what is to be marked in it. */
export interface PictureView {
  /** What the view shows, e.g. `prediction`. */
  readonly name: string;
  readonly image: RgbImage;
  readonly objects?: readonly PictureObject[];
}

/** An object in an image. */
export interface PictureObject {
  readonly label: string;
  /** Class index; it decides the colour. */
  readonly index: number;
  /** x0, y0, x1, y1 in pixels of the image. */
  readonly box: readonly number[];
}

/** What an evaluation found beside its metrics: plain data, which the surface turns into a page. */
export type ReportSection = TableSection | MatrixSection | CurvesSection | PicturesSection;

/**
 * Indices of the `count` highest or lowest of some scores, the most extreme one first and the lower index first among equals. NaN
 * stands for no score.
 */
export function extremes(scores: ArrayLike<number>, count: number, which: 'highest' | 'lowest'): number[] {
  const sign = which === 'highest' ? 1 : -1;
  const found: number[] = [];
  for (let index = 0; index < scores.length; index++) {
    const score = sign * scores[index]!;
    if (Number.isNaN(score)) continue;
    let place = found.length;
    while (place > 0 && score > sign * scores[found[place - 1]!]!) place--;
    if (place >= count) continue;
    found.splice(place, 0, index);
    if (found.length > count) found.pop();
  }
  return found;
}
