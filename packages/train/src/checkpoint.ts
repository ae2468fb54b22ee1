import { access, mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describeIoError, errorCode, fileSource, writeFileAtomic } from '@as-mlp/base/node';
import {
  type AdamWState,
  encodeSafetensors,
  openWeights,
  type StateTensor,
  type WeightEntry,
} from '@as-mlp/nn';
import { parseRunState, type RunState } from './run-state.ts';

const NAME = /^step-(\d{8,})$/;
const TEMPORARY = /^\.step-.*\.tmp$/;
const FILES = {
  weights: 'model.safetensors',
  moments: 'optimizer.safetensors',
  averages: 'averages.safetensors',
  state: 'state.json',
} as const;

/** Everything that a checkpoint holds. */
export interface CheckpointContent {
  readonly state: RunState;
  /** The model's tensors in the official layout. */
  readonly weights: readonly StateTensor[];
  /** The optimiser's moments. */
  readonly optimizer: AdamWState;
  /** Moving averages of the model's tensors in the official layout, if the run keeps them. */
  readonly averages?: readonly StateTensor[] | undefined;
}

/** A checkpoint on disk. Its tensors are read when asked for. */
export interface SavedCheckpoint {
  readonly folder: string;
  readonly state: RunState;
  /** Calls `use` with the model's tensors; the file is open meanwhile. */
  withWeights<T>(use: (entries: ReadonlyMap<string, WeightEntry>) => Promise<T>): Promise<T>;
  readOptimizer(): Promise<AdamWState>;
  /** Whether there are moving averages. */
  readonly hasAverages: boolean;
  readAverages(): Promise<readonly StateTensor[]>;
}

/**
 * Saves a checkpoint as `root/step-<updates done>/` and then removes the older ones. All files are written and on
 * disk before the folder gets its name, so that whatever stops the process, the newest `step-` folder is whole.
 *
 * @returns the folder.
 * @throws AsMlpError (io), e.g. when the disk is full; the older checkpoints are intact then.
 */
export async function saveCheckpoint(
  root: string,
  { state, weights, optimizer, averages }: CheckpointContent,
): Promise<string> {
  const name = `step-${String(state.step).padStart(8, '0')}`;
  const folder = join(root, name);
  const temporary = join(root, `.${name}.${process.pid}.tmp`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const header = weightMetadata(state);
    await writeFileAtomic(join(temporary, FILES.weights), encodeSafetensors(weights, header));
    if (averages) await writeFileAtomic(join(temporary, FILES.averages), encodeSafetensors(averages, header));
    await writeFileAtomic(join(temporary, FILES.moments), encodeSafetensors(optimizer.moments));
    await writeFileAtomic(join(temporary, FILES.state), stateText(state));
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw describeIoError(error, folder);
  }
  await syncFolder(root);
  await removeAllBut(root, name);
  return folder;
}

/** Header of a weight file: what the task says of its model, and how far it was trained. */
export function weightMetadata({ metadata, step, epoch }: RunState): Record<string, string> {
  return { ...metadata, step: String(step), epoch: String(epoch) };
}

/** Replaces `state.json` of a saved checkpoint, e.g. after its evaluation. */
export async function updateState(folder: string, state: RunState): Promise<void> {
  await writeFileAtomic(join(folder, FILES.state), stateText(state));
}

/**
 * The newest checkpoint below `root`, or undefined when there is none. Remains of interrupted writes are ignored.
 *
 * @throws AsMlpError (io, input) when it cannot be read.
 */
export async function lastCheckpoint(root: string): Promise<SavedCheckpoint | undefined> {
  const names = (await listFolder(root)).filter((name) => NAME.test(name));
  const last = names.reduce<string | undefined>(
    (a, b) => (a !== undefined && stepOf(a) > stepOf(b) ? a : b),
    undefined,
  );
  return last === undefined ? undefined : openCheckpoint(join(root, last));
}

async function openCheckpoint(folder: string): Promise<SavedCheckpoint> {
  const path = join(folder, FILES.state);
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw describeIoError(error, path);
  });
  const state = parseRunState(text, path);
  if (stepOf(basename(folder)) !== state.step) {
    throw new AsMlpError('input', {
      where: path,
      what: `says step ${state.step}, but the folder is ${basename(folder)}`,
      fix: 'Give the folder its old name back',
    });
  }
  return {
    folder,
    state,
    withWeights: (use) => withFile(join(folder, FILES.weights), use),
    readOptimizer: () =>
      withFile(join(folder, FILES.moments), async (entries) => {
        return { step: state.step, moments: await readAll(entries) };
      }),
    hasAverages: await isThere(join(folder, FILES.averages)),
    readAverages: () => withFile(join(folder, FILES.averages), readAll),
  };
}

async function withFile<T>(
  path: string,
  use: (entries: ReadonlyMap<string, WeightEntry>) => Promise<T>,
): Promise<T> {
  const source = await fileSource(path);
  try {
    return await use((await openWeights(source)).entries);
  } finally {
    await source.close();
  }
}

async function readAll(entries: ReadonlyMap<string, WeightEntry>): Promise<StateTensor[]> {
  const tensors: StateTensor[] = [];
  for (const [name, entry] of entries) tensors.push({ name, shape: entry.shape, data: await entry.read() });
  return tensors;
}

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === 'ENOENT') return false;
      throw describeIoError(error, path);
    },
  );
}

function stateText(state: RunState): string {
  return `${JSON.stringify(state, null, 2)}\n`;
}

function stepOf(name: string): number {
  return Number(NAME.exec(name)?.[1]);
}

async function listFolder(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw describeIoError(error, folder);
  }
}

/** Older checkpoints, and what interrupted writes left. A failure costs disk space and no data, so it is no error. */
async function removeAllBut(root: string, keep: string): Promise<void> {
  for (const name of await listFolder(root)) {
    const old = name !== keep && (NAME.test(name) || TEMPORARY.test(name));
    if (old) await rm(join(root, name), { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Makes the new name durable. Not every file system can. */
async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r').catch(() => undefined);
  await handle?.sync().catch(() => undefined);
  await handle?.close();
}
