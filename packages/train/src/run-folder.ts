import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, writeFileAtomic } from '@as-mlp/base/node';
import { lastCheckpoint, type SavedCheckpoint } from './checkpoint.ts';
import { rewindLog } from './log.ts';
import type { LoopRecipe } from './recipe.ts';
import { differences, parseJson } from './run-state.ts';
import type { Task } from './task.ts';

/** The files of a run. */
export interface RunFolder {
  readonly path: string;
  /** `recipe.json`: the resolved recipe. */
  readonly recipe: string;
  /** `log.jsonl`. */
  readonly log: string;
  /** `best.safetensors`: the weights with the best metric. */
  readonly best: string;
  /** `checkpoints/`. */
  readonly checkpoints: string;
}

/** The files of the run in folder `path`. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    recipe: join(path, 'recipe.json'),
    log: join(path, 'log.jsonl'),
    best: join(path, 'best.safetensors'),
    checkpoints: join(path, 'checkpoints'),
  };
}

/**
 * Makes the folder of a new run and writes the recipe into it.
 *
 * @throws AsMlpError (usage) when the folder holds anything already; (io) when it cannot be made or written.
 */
export async function startRun(path: string, recipe: LoopRecipe): Promise<RunFolder> {
  const folder = runFolder(path);
  if ((await namesIn(path)).length > 0) {
    throw new AsMlpError('usage', {
      where: path,
      what: 'this folder is not empty, and a new run would mix its files with those in it',
      fix: 'Resume the run that is there (--resume) or choose another folder',
    });
  }
  await mkdir(path, { recursive: true }).catch((error: unknown) => {
    throw describeIoError(error, path);
  });
  await writeFileAtomic(folder.recipe, `${JSON.stringify(recipe, null, 2)}\n`);
  return folder;
}

/** A run to go on with. */
export interface OpenedRun {
  readonly folder: RunFolder;
  /** Undefined when the run stopped before its first checkpoint. */
  readonly checkpoint: SavedCheckpoint | undefined;
}

/**
 * Opens the run in `path` to go on from its last checkpoint, and cuts the log back to it.
 *
 * @returns undefined when there is nothing in `path` yet.
 * @throws AsMlpError (usage) when it is no run, or recipe, task, model or data are not those that it was started with;
 *   the message names the differences and nothing has changed.
 */
export async function resumeRun(
  path: string,
  task: Fingerprint,
  recipe: LoopRecipe,
): Promise<OpenedRun | undefined> {
  if ((await namesIn(path)).length === 0) return undefined;
  const folder = runFolder(path);
  const text = await readFile(folder.recipe, 'utf8').catch(() => undefined);
  if (text === undefined) {
    throw new AsMlpError('usage', {
      where: path,
      what: 'this folder is not empty and holds no run: recipe.json is missing',
      fix: 'Check the path',
    });
  }
  const checkpoint = await lastCheckpoint(folder.checkpoints);
  const changes = [
    ...differences(parseJson(text, folder.recipe), asJson(recipe)),
    ...(checkpoint ? stateDifferences(checkpoint, task) : []),
  ];
  if (changes.length > 0) {
    throw new AsMlpError('usage', {
      where: path,
      what: `this run was started differently (${changes.slice(0, 8).join('; ')})`,
      fix: 'Resume it as it was started, or start a new run in another folder',
    });
  }
  await rewindLog(folder.log, checkpoint?.state);
  return { folder, checkpoint };
}

/** What of a task must stay the same while a run goes on. */
type Fingerprint = Pick<Task<unknown>, 'name' | 'batchesPerEpoch' | 'metadata'>;

function stateDifferences({ state }: SavedCheckpoint, task: Fingerprint): string[] {
  return differences(
    { task: state.task, batchesPerEpoch: state.batchesPerEpoch, model: state.metadata },
    { task: task.name, batchesPerEpoch: task.batchesPerEpoch, model: task.metadata() },
  );
}

/** As it reads back from a file. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return [];
    throw describeIoError(error, path);
  }
}
