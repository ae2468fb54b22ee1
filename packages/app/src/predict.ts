import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { contactSheet, decodeImage, listImages, type RgbImage, type Tile } from '@as-mlp/data';
import type { Command } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { addEngineOptions, type EngineFlags, wholeNumber } from './options.ts';
import { createNamer, outputFolder, writeJson, writePicture } from './outputs.ts';

/** A network that answers for images. */
export interface Predictor<R> {
  /** Facts that the user should know, one line each. */
  readonly notes: readonly string[];
  /** One result for each image. */
  predict(images: readonly RgbImage[]): Promise<readonly R[]>;
  /** The result as it stands in the JSON entry, beside file, width and height. */
  toJson(result: R): Record<string, unknown>;
  /** The result in one line. */
  toText(result: R): string;
  /** The image with the result drawn on it. */
  draw(image: RgbImage, result: R): Promise<RgbImage>;
  dispose(): void;
}

/** Options of every `predict`. */
export interface PredictFlags extends EngineFlags {
  readonly weights: string;
  readonly json?: string;
  readonly out?: string;
  readonly batch: number;
}

/** What a task brings to `predict`. */
export interface PredictTask<R, F extends PredictFlags> {
  /** Adds the task's own options. */
  addOptions?(command: Command): void;
  /** Loads the network; the engine is open. */
  open(flags: F): Promise<Predictor<R>>;
}

/** Tiles of the overview sheet. */
const SHEET_TILES = 100;

/**
 * `predict <files or folders…> --weights FILE [--json FILE|-] [--out DIR]`: one JSON entry and one picture an image.
 * Images that cannot be read are named, the others done.
 */
export function predictVerb<R, F extends PredictFlags = PredictFlags>(task: PredictTask<R, F>): Verb {
  return (program, cli) => {
    const command = program
      .command('predict')
      .description('predict for images: files, or folders of images')
      .argument('<images...>')
      .requiredOption('--weights <file>', 'a .pth or .safetensors checkpoint')
      .option('--json <file>', 'write the results as JSON; - is standard output')
      .option('--out <folder>', 'write one picture an image and an overview')
      .option('--batch <n>', 'images at a time', wholeNumber(1), 8);
    task.addOptions?.(command);
    addEngineOptions(command).action((images: string[], flags: F) => predict(task, images, flags, cli));
  };
}

async function predict<R, F extends PredictFlags>(
  task: PredictTask<R, F>,
  paths: readonly string[],
  flags: F,
  cli: Cli,
): Promise<void> {
  const { terminal } = cli;
  const files = await findImages(paths, cli);
  const folder = flags.out === undefined ? undefined : await outputFolder(flags.out);
  await cli.openEngine(flags);
  const predictor = await task.open(flags);
  for (const note of predictor.notes) terminal.log(note);
  const entries: Record<string, unknown>[] = [];
  const tiles: Tile[] = [];
  const nameOf = createNamer(folder ?? '', 'png');
  const progress = terminal.progress('predict', files.length, 'images');
  try {
    for (let start = 0; start < files.length && !cli.signal.aborted; start += flags.batch) {
      const batch = files.slice(start, start + flags.batch);
      const images = await Promise.all(batch.map((file) => readImage(file)));
      const readable = images.filter((image) => 'data' in image);
      const results = readable.length > 0 ? await predictor.predict(readable) : [];
      let next = 0;
      for (const [i, file] of batch.entries()) {
        const image = images[i]!;
        if (!('data' in image)) {
          cli.fail(image);
          entries.push({ file, error: image.message });
          continue;
        }
        const result = results[next++]!;
        entries.push({ file, width: image.width, height: image.height, ...predictor.toJson(result) });
        if (flags.json !== '-') terminal.out(`${file}: ${predictor.toText(result)}\n`);
        if (!folder) continue;
        const picture = await predictor.draw(image, result);
        await writePicture(nameOf(file), picture);
        if (tiles.length < SHEET_TILES) tiles.push({ image, caption: predictor.toText(result) });
      }
      progress.update(start + batch.length);
    }
  } finally {
    progress.stop();
    predictor.dispose();
  }
  if (flags.json !== undefined) await writeJson(flags.json, entries, terminal);
  if (folder && tiles.length > 1) {
    const sheet = join(folder, 'overview.png');
    await writePicture(sheet, await contactSheet(tiles, { tileSize: 200 }));
    terminal.log(`pictures: ${folder}, overview: ${sheet}`);
  } else if (folder) terminal.log(`pictures: ${folder}`);
}

/** Every path is looked at on its own, so that one wrong name does not hide the others. */
async function findImages(paths: readonly string[], cli: Cli): Promise<string[]> {
  const files: string[] = [];
  for (const path of paths) {
    try {
      files.push(...(await listImages([path])));
    } catch (error) {
      cli.fail(error);
    }
  }
  if (files.length > 0) return files;
  throw new AsMlpError('input', { what: 'none of these paths gives an image', fix: 'Check the paths' });
}

async function readImage(file: string): Promise<RgbImage | AsMlpError> {
  try {
    return await decodeImage(file, { orient: true });
  } catch (error) {
    if (error instanceof AsMlpError) return error;
    throw error;
  }
}
