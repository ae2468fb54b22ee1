import { mkdir, readdir, readFile, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, errorCode, writeFileAtomic } from '@as-mlp/base/node';
import { lastCheckpoint, type SavedCheckpoint } from './checkpoint.ts';
import type { LoopRecipe } from './recipe.ts';
import { differences, parseJson } from './run-state.ts';
import type { Task, TrainingData } from './task.ts';

/** The files of a run. */
export interface RunFolder {
  readonly path: string;
  /** `recipe.json`: the resolved recipe. */
  readonly recipe: string;
  /** `log.jsonl`. */
  readonly log: string;
  /** `log.csv`: the steps of the log as a table. */
  readonly steps: string;
  /** `metrics.csv`: its evaluations as a table. */
  readonly metrics: string;
  /** `best.safetensors`: the weights with the best metric. */
  readonly best: string;
  /** `best/`: with `keepBest` above 1, the weights of the best evaluations, each named by its step. */
  readonly bests: string;
  /** `checkpoints/`. */
  readonly checkpoints: string;
  /** `failure/`: what is known of the update that stopped the run. */
  readonly failure: string;
}

/** The files of the run in folder `path`. */
export function runFolder(path: string): RunFolder {
  return {
    path,
    recipe: join(path, 'recipe.json'),
    log: join(path, 'log.jsonl'),
    steps: join(path, 'log.csv'),
    metrics: join(path, 'metrics.csv'),
    best: join(path, 'best.safetensors'),
    bests: join(path, 'best'),
    checkpoints: join(path, 'checkpoints'),
    failure: join(path, 'failure'),
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
 * Opens the run in `path` to go on from its last checkpoint. Changes nothing in it, but for removing what interrupted
 * writes left.
 *
 * @returns undefined when there is nothing in `path` yet.
 * @throws AsMlpError (usage) when it is no run, its checkpoints are gone, or recipe, task, model or data are not those
 *   that it was started with; the message names the differences.
 */
export async function resumeRun(
  path: string,
  now: Fingerprint,
  recipe: LoopRecipe,
): Promise<OpenedRun | undefined> {
  const names = await namesIn(path);
  if (names.length === 0) return undefined;
  const folder = runFolder(path);
  if (!names.includes(basename(folder.recipe))) {
    throw new AsMlpError('usage', {
      where: path,
      what: 'this folder is not empty and holds no run: recipe.json is missing',
      fix: 'Check the path',
    });
  }
  const checkpoint = await lastCheckpoint(folder.checkpoints);
  if (!checkpoint && names.includes(basename(folder.best))) {
    // Weights are evaluated only after a checkpoint, so there was one. Starting anew would overwrite them.
    throw new AsMlpError('usage', {
      where: folder.checkpoints,
      what: 'the checkpoints of this run are gone, so it cannot go on',
      fix: 'Start a new run in another folder',
    });
  }
  const text = await readFile(folder.recipe, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, folder.recipe);
  });
  const changes = [
    ...differences(parseJson(text, folder.recipe), asJson(recipe)),
    ...(checkpoint ? stateDifferences(checkpoint, now, recipe) : []),
  ];
  if (changes.length > 0) {
    throw new AsMlpError('usage', {
      where: path,
      what: `this run was started differently (${changes.slice(0, 8).join('; ')})`,
      fix: 'Resume it as it was started, or start a new run in another folder',
    });
  }
  await removeRemains(path);
  return { folder, checkpoint };
}

/** What of task and data must stay the same while a run goes on. */
interface Fingerprint {
  readonly task: Pick<Task<unknown>, 'name' | 'metadata'>;
  readonly data: Pick<TrainingData<unknown>, 'batchesPerEpoch'>;
}

function stateDifferences(
  { state, hasAverages }: SavedCheckpoint,
  { task, data: { batchesPerEpoch } }: Fingerprint,
  { emaDecay }: LoopRecipe,
): string[] {
  return differences(
    {
      task: state.task,
      batchesPerEpoch: state.batchesPerEpoch,
      model: state.metadata,
      averages: hasAverages,
    },
    { task: task.name, batchesPerEpoch, model: task.metadata(), averages: emaDecay !== null },
  );
}

/** As it reads back from a file. */
function asJson(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

/** What looking ahead leaves in the folder of a run that is to be: `--dry-run` and `lr-find`. */
const LOOKS_AHEAD: ReadonlySet<string> = new Set(['dry-run', 'lr-find.csv', 'lr-find.svg']);

/** What a process that was killed while it wrote a file left beside it. */
const REMAINS = /^\..+\.tmp$/;

/** What a run has in a folder; nothing when it is not there. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return (await readdir(path)).filter((name) => !REMAINS.test(name) && !LOOKS_AHEAD.has(name));
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw describeIoError(error, path);
  }
}

async function removeRemains(path: string): Promise<void> {
  for (const name of await readdir(path)) {
    if (REMAINS.test(name))
      await rm(join(path, name), { force: true, recursive: true }).catch(() => undefined);
  }
}
