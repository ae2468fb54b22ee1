import { mkdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { describeIoError, writeFileAtomic } from '@as-mlp/base/node';
import type { StepBatch } from '@as-mlp/engine';
import { encodeSafetensors } from '@as-mlp/nn';
import type { Anomaly } from './anomaly.ts';

/** What is known of the update that stopped a run: `failure.json`. Numbers that JSON does not have are text there. */
export interface Failure {
  /** Why, in words. */
  readonly reason: string;
  /** Updates done, and the epoch, from 1. */
  readonly step: number;
  readonly epoch: number;
  /** Numbers and names of the batches, e.g. their files. */
  readonly batches: string;
  readonly learningRate: number;
  /** As far as the update found them. */
  readonly loss?: number | undefined;
  readonly parts?: Readonly<Record<string, number>> | undefined;
  readonly gradNorm?: number | undefined;
  /** Which weights the model has: those that the update started from, or those that it made. */
  readonly weights: 'before' | 'after';
  /** Where a forward and backward pass with these weights first was not finite, if it was not. */
  readonly anomaly?: Anomaly | undefined;
  /** Norms of the gradients of that pass, the largest first. */
  readonly gradientNorms?: Readonly<Record<string, number>> | undefined;
  /** Why that pass could not be made. */
  readonly notDiagnosed?: string | undefined;
}

/**
 * Writes `failure.json` and `batch.safetensors`, the tensors of the batches as `<batch>.<tensor>` counted from 0, into
 * `folder`; one that is there already is replaced. All of it appears at once.
 *
 * @throws AsMlpError (io).
 */
export async function writeFailure(
  folder: string,
  failure: Failure,
  inputs: readonly StepBatch[],
): Promise<void> {
  const temporary = join(dirname(folder), `.${basename(folder)}.${process.pid}.tmp`);
  try {
    await rm(temporary, { recursive: true, force: true });
    await mkdir(temporary, { recursive: true });
    const tensors = inputs.flatMap((batch, i) =>
      batch.tensors.map(({ shape, data }, k) => ({ name: `${i}.${k}`, shape, data })),
    );
    await writeFileAtomic(join(temporary, 'batch.safetensors'), encodeSafetensors(tensors));
    const content = { time: new Date().toISOString(), ...failure };
    const text = JSON.stringify(content, (_, value) => (isOdd(value) ? String(value) : value), 2);
    await writeFileAtomic(join(temporary, 'failure.json'), `${text}\n`);
    await rm(folder, { recursive: true, force: true });
    await rename(temporary, folder);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    throw describeIoError(error, folder);
  }
}

function isOdd(value: unknown): boolean {
  return typeof value === 'number' && !Number.isFinite(value);
}
