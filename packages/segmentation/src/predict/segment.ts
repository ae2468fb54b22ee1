import { crop as cropImage, type LabelMap, type RgbImage, type Size } from '@as-mlp/data';
import { labelPixels, type OnPixel, type ViewLogits } from './label-pixels.ts';
import type { LogitMap, Network } from './network.ts';
import { normalizePixels, type Preprocessing, type View, viewImage } from './preprocess.ts';
import { mirrored, slidingWindows, windowTaps } from './taps.ts';

/** Windows that slide over an image instead of showing it whole. */
export interface Sliding {
  readonly crop: Size;
  readonly stride: Size;
}

/**
 * The class of each pixel of `image`, from one view or several. Peak memory beyond the network's: the logits of all views at a
 * quarter of their sizes – of the windows' sizes when sliding –, `[H / 4, W / 4, classes]` float32 each, and the result.
 */
export async function segmentImage(
  network: Network,
  classes: number,
  image: RgbImage,
  how: { preprocessing: Preprocessing; views: readonly View[]; sliding?: Sliding | undefined },
  onPixel?: OnPixel,
): Promise<LabelMap> {
  const views: ViewLogits[] = [];
  const seen: LogitMap[] = [];
  const logits: Network['logits'] = async (values, size) => {
    const map = await network.logits(values, size);
    seen.push(map);
    return map;
  };
  try {
    for (const view of how.views) {
      const shown = viewImage(image, view, how.preprocessing);
      const one = await viewLogits(logits, shown, image, how.preprocessing, how.sliding);
      const { rows, columns } = one.taps;
      views.push(view.flipped ? { ...one, taps: { rows, columns: mirrored(columns) } } : one);
    }
    return labelPixels(views, image, classes, onPixel);
  } finally {
    for (const map of seen) map.free();
  }
}

async function viewLogits(
  logits: Network['logits'],
  seen: RgbImage,
  original: Size,
  preprocessing: Preprocessing,
  sliding: Sliding = { crop: seen, stride: seen },
): Promise<ViewLogits> {
  const { crop, stride } = sliding;
  const windows = {
    rows: slidingWindows(seen.height, crop.height, stride.height),
    columns: slidingWindows(seen.width, crop.width, stride.width),
  };
  const maps: Float32Array[][] = [];
  const cells = { rows: [] as number[], columns: [] as number[] };
  for (const row of windows.rows) {
    const line: Float32Array[] = [];
    for (const column of windows.columns) {
      const region = { top: row.start, left: column.start, height: row.length, width: column.length };
      const { data, height, width } = await logits(
        normalizePixels(cropImage(seen, region), preprocessing),
        region,
      );
      line.push(data);
      cells.rows[maps.length] = height;
      cells.columns[line.length - 1] = width;
    }
    maps.push(line);
  }
  return {
    maps,
    cells,
    taps: {
      rows: windowTaps(windows.rows, cells.rows, seen.height, original.height),
      columns: windowTaps(windows.columns, cells.columns, seen.width, original.width),
    },
  };
}
