import { type Command, choice, imageSize, positiveNumbers, sides } from '@as-mlp/app';
import type { SegmentOptions } from '@as-mlp/segmentation';

/** How images are looked at. */
export interface ViewFlags {
  /** Longer and shorter side, in pixels. */
  readonly scale?: 'none' | readonly [long: number, short: number];
  readonly mode: 'whole' | 'slide';
  readonly crop?: { readonly height: number; readonly width: number };
  readonly stride?: { readonly height: number; readonly width: number };
  readonly flip?: boolean;
  readonly scales?: readonly number[];
}

/** Adds `--scale`, `--mode`, `--crop`, `--stride`, `--flip` and `--scales`. */
export function viewOptions(command: Command): Command {
  return command
    .option(
      '--scale <long,short>',
      'images are resized to fit into this, in pixels; none keeps their size (2048,512, or what the weights say)',
      (text: string) => (text === 'none' ? text : sides(text)),
    )
    .addOption(
      choice('--mode <name>', 'the whole image at once, or windows that slide over it', [
        'whole',
        'slide',
      ]).default('whole'),
    )
    .option('--crop <side|height,width>', 'size of the windows, in pixels (512)', imageSize)
    .option('--stride <side|height,width>', 'pixels from window to window (two thirds of --crop)', imageSize)
    .option('--flip', 'look at the mirrored image too')
    .option(
      '--scales <factor,…>',
      'look at several sizes, times --scale: 0.5,0.75,1,1.25,1.5,1.75',
      positiveNumbers,
    );
}

/** What the flags say of how to look at an image. */
export function segmentOptions({ scale, mode, crop, stride, flip, scales }: ViewFlags): SegmentOptions {
  const third = (pixels: number) => Math.max(1, Math.floor((2 * pixels) / 3));
  const step = stride ?? (crop && { height: third(crop.height), width: third(crop.width) });
  return {
    mode,
    ...(scale === undefined
      ? {}
      : { scale: scale === 'none' ? scale : { longSide: scale[0], shortSide: scale[1] } }),
    ...(crop ? { crop } : {}),
    ...(step ? { stride: step } : {}),
    ...(flip === undefined ? {} : { flip }),
    ...(scales ? { scales } : {}),
  };
}
