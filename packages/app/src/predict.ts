import { realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { contactSheet, decodeImage, listImages, type RgbImage, type Tile } from '@as-mlp/data';
import type { Engine } from '@as-mlp/engine';
import type { Command } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { addComputeOptions, type EngineFlags, wholeNumber } from './options.ts';
import { checkTarget, createNamer, outputFolder, writeJson, writePicture } from './outputs.ts';
import { thumbnail } from './pictures.ts';

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
  /**
   * Writes what else belongs to an image into the folder of `--out`, `file` being the name of its picture there; what it returns joins
   * the JSON entry.
   */
  save?(result: R, folder: string, file: string): Promise<Record<string, unknown>>;
  /** Whether the overview shows pictures as drawn, and not the images themselves. */
  readonly showsDrawn?: boolean;
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
  /** What `--batch` means, and how many unless given; "images at a time", 8. */
  readonly batch?: { readonly help: string; readonly standard: number };
  /** A folder in that of `--out` where `save` writes a file of the same name for each picture. */
  readonly alsoIn?: string;
  /** Adds the task's own options. */
  addOptions?(command: Command): void;
  /** Loads the network. */
  open(flags: F, engine: Engine): Promise<Predictor<R>>;
}

/** The overview sheet. */
const SHEET = { tiles: 100, tileSize: 200 } as const;
const OVERVIEW = 'overview';

/**
 * `predict <files or folders…> --weights FILE [--json FILE|-] [--out DIR]`: one JSON entry and one picture an image.
 * Images that cannot be read are named, the others done. A run that is interrupted leaves the pictures that are done,
 * and no JSON.
 */
export function predictVerb<R, F extends PredictFlags = PredictFlags>(task: PredictTask<R, F>): Verb {
  const { batch = { help: 'images at a time', standard: 8 } } = task;
  return (program, cli) => {
    const command = program
      .command('predict')
      .description('predict for images: files, or folders of images')
      .argument('<images...>')
      .requiredOption('--weights <file>', 'a .pth or .safetensors checkpoint')
      .option('--json <file>', 'write the results as JSON; - is standard output')
      .option('--out <folder>', 'write one picture an image and an overview')
      .option('--batch <n>', batch.help, wholeNumber(1), batch.standard);
    task.addOptions?.(command);
    addComputeOptions(command).action((images: string[], flags: F) => predict(task, images, flags, cli));
  };
}

async function predict<R, F extends PredictFlags>(
  task: PredictTask<R, F>,
  paths: readonly string[],
  flags: F,
  cli: Cli,
): Promise<void> {
  const { terminal, signal } = cli;
  const files = await findImages(paths, cli);
  await checkTarget(flags.json);
  const folder = flags.out === undefined ? undefined : await outputFolder(flags.out);
  const pictures = folder === undefined ? [] : await pictureNames(files, folder, task.alsoIn);
  const engine = await cli.openEngine(flags);
  const predictor = await task.open(flags, engine);
  for (const note of predictor.notes) terminal.log(note);
  const entries: Record<string, unknown>[] = [];
  const tiles: Tile[] = [];
  const progress = terminal.progress('predict', files.length, 'images');
  try {
    for (let start = 0; start < files.length && !signal.aborted; start += flags.batch) {
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
        const entry = { file, width: image.width, height: image.height, ...predictor.toJson(result) };
        entries.push(entry);
        if (flags.json !== '-') terminal.out(`${file}: ${predictor.toText(result)}\n`);
        if (!folder) continue;
        const path = pictures[start + i]!;
        Object.assign(entry, await predictor.save?.(result, folder, basename(path)));
        const picture = await predictor.draw(image, result);
        await writePicture(path, picture);
        // Whole photos of a long run would fill the memory.
        if (tiles.length < SHEET.tiles) {
          const shown = thumbnail(predictor.showsDrawn ? picture : image, SHEET.tileSize);
          tiles.push({ image: shown, caption: predictor.toText(result) });
        }
      }
      progress.update(start + batch.length);
    }
  } finally {
    progress.stop();
    predictor.dispose();
  }
  if (signal.aborted) {
    terminal.log(`stopped after ${entries.length} of ${files.length} images`);
    return;
  }
  if (flags.json !== undefined) await writeJson(flags.json, entries, terminal);
  if (!folder) return;
  terminal.log(`pictures: ${folder}`);
  if (tiles.length > 1) await writeOverview(join(folder, `${OVERVIEW}.png`), tiles, cli);
}

async function writeOverview(path: string, tiles: readonly Tile[], { terminal }: Cli): Promise<void> {
  await writePicture(path, await contactSheet(tiles, { tileSize: SHEET.tileSize }));
  terminal.log(`overview: ${path}`);
}

/** Where the picture of each image goes; never onto an image that is predicted for. */
async function pictureNames(
  files: readonly string[],
  folder: string,
  alsoIn: string | undefined,
): Promise<string[]> {
  const nameOf = createNamer(folder, 'png', [OVERVIEW]);
  const names = files.map(nameOf);
  const place = await realpath(folder);
  const places = alsoIn === undefined ? [place] : [place, join(place, alsoIn)];
  const inputs = new Set(await Promise.all(files.map((file) => realpath(file))));
  const replaced = names.find((name) => places.some((one) => inputs.has(join(one, basename(name)))));
  if (replaced === undefined) return names;
  throw new AsMlpError('usage', {
    where: replaced,
    what: 'the picture of a result would replace this image',
    fix: 'Choose another --out',
  });
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
