import { mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { describeIoError, writeFileAtomic } from '@as-mlp/base/node';
import type { LoopRecipe } from './recipe.ts';
import type { RunFolder } from './run-folder.ts';
import type { Evaluation } from './run-state.ts';
import type { MainMetric } from './task.ts';

const FILE = /^step-\d{8,}\.safetensors$/;

/** The `count` evaluations with the best metric, the best first; of equal ones the earlier. One that is undefined is none. */
export function bestEvaluations(
  { name, better }: MainMetric,
  history: readonly Evaluation[],
  count: number,
): Evaluation[] {
  const sign = better === 'higher' ? -1 : 1;
  const value = ({ metrics }: Evaluation) => sign * metrics[name]!;
  return history
    .filter(({ metrics }) => typeof metrics[name] === 'number')
    .sort((a, b) => value(a) - value(b))
    .slice(0, count);
}

/** Keeps the weights of the evaluation at `step` where they are among `best`, of which the first is the best of all. */
export async function keepWeights(
  folder: RunFolder,
  { keepBest }: LoopRecipe,
  best: readonly Evaluation[],
  step: number,
  encode: () => Promise<Uint8Array>,
): Promise<void> {
  const rank = best.findIndex((one) => one.step === step);
  if (rank < 0) return;
  const bytes = await encode();
  if (keepBest > 1) {
    await mkdir(folder.bests, { recursive: true }).catch((error: unknown) => {
      throw describeIoError(error, folder.bests);
    });
    await writeFileAtomic(join(folder.bests, fileName(step)), bytes);
  }
  if (rank === 0) await writeFileAtomic(folder.best, bytes);
}

/** Removes the weights of evaluations that are no longer among `best`. A failure costs disk space and no data, so it is no error. */
export async function forgetWeights(folder: RunFolder, best: readonly Evaluation[]): Promise<void> {
  const kept = new Set(best.map(({ step }) => fileName(step)));
  const names = await readdir(folder.bests).catch(() => []);
  for (const name of names) {
    if (FILE.test(name) && !kept.has(name))
      await rm(join(folder.bests, name), { force: true }).catch(() => undefined);
  }
}

function fileName(step: number): string {
  return `step-${String(step).padStart(8, '0')}.safetensors`;
}
