import { basename, extname, join } from 'node:path';
import { contactSheet, type RgbImage, type Tile } from '@as-mlp/data';
import type { Command } from 'commander';
import type { Verb } from './cli.ts';
import { collect, wholeNumber } from './options.ts';
import { outputFolder, writePicture } from './outputs.ts';

/** Options of every `inspect`. */
export interface InspectFlags {
  readonly data: string;
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly set?: readonly string[];
}

/** A training example that can be drawn. */
export interface InspectedExample {
  /** Of its image. */
  readonly name: string;
  /** A picture, its longer side `side` pixels, or of a readable size. */
  draw(side?: number): Promise<RgbImage>;
}

/** What a task brings to `inspect`. */
export interface InspectTask<F extends InspectFlags> {
  /** What is drawn, for the help. */
  readonly description: string;
  /** A setting of the recipe as an example, for the help. */
  readonly setting: string;
  addOptions?(command: Command): void;
  /** Examples after augmentation: `count` of them, chosen and varied by `seed`. */
  examples(flags: F): AsyncIterable<InspectedExample>;
}

const TILE = 320;

/** `inspect --data ROOT --out DIR`: what training would see, a picture an example and a sheet of all. Opens no engine. */
export function inspectVerb<F extends InspectFlags = InspectFlags>(task: InspectTask<F>): Verb {
  return (program, { terminal, signal }) => {
    const command = program
      .command('inspect')
      .description(task.description)
      .requiredOption('--data <folder>', 'the data set')
      .requiredOption('--out <folder>', 'where the pictures go')
      .option('--count <n>', 'images to draw', wholeNumber(1), 12)
      .option('--seed <n>', 'which images, and how they are varied', wholeNumber(0), 0)
      .option('--set <path=value>', `a setting of the recipe, e.g. ${task.setting}`, collect);
    task.addOptions?.(command);
    command.action(async (flags: F) => {
      const tiles: Tile[] = [];
      let folder: string | undefined;
      for await (const { name, draw } of task.examples(flags)) {
        signal.throwIfAborted();
        folder ??= await outputFolder(flags.out);
        const stem = basename(name, extname(name)).replaceAll(' ', '-');
        const file = `${String(tiles.length).padStart(3, '0')}-${stem}.png`;
        await writePicture(join(folder, file), await draw());
        tiles.push({ image: await draw(TILE), caption: basename(name) });
      }
      const path = join(folder ?? flags.out, 'sheet.png');
      await writePicture(path, await contactSheet(tiles, { tileSize: TILE }));
      terminal.out(`${tiles.length} images: ${path}\n`);
    });
  };
}
