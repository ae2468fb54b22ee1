import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { BatchNorm, crossEntropy, dropout, INFERENCE, Linear, type Mode, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { onTestFinished } from 'vitest';
import { type LoopRecipe, loopRecipe, parseRecipe } from './recipe.ts';
import type { Task, TrainingData } from './task.ts';

/** Two linear layers with a batch norm and dropout between: small, with buffers, and random while it trains. */
export class TinyModel extends Module {
  readonly hidden: Linear;
  readonly norm: BatchNorm;
  readonly head: Linear;

  constructor(hidden = 6) {
    super();
    this.hidden = this.add('hidden', new Linear({ inFeatures: 2, outFeatures: hidden }));
    this.norm = this.add('norm', new BatchNorm(hidden));
    this.head = this.add('head', new Linear({ inFeatures: hidden, outFeatures: 3 }));
    this.initialize(createRng(5));
  }

  forward(x: tf.Tensor2D, mode: Mode): tf.Tensor2D {
    const hidden = this.hidden.forward(x);
    const map = tf.reshape(hidden, [hidden.shape[0], 1, 1, hidden.shape[1]]) as tf.Tensor4D;
    const active = tf.relu(tf.reshape(this.norm.forward(map, mode), hidden.shape));
    return this.head.forward(dropout(active, 0.25, mode) as tf.Tensor2D);
  }
}

/** Points in the plane and the third of it that each lies in. */
export interface TinyBatch {
  readonly id: string;
  readonly x: Float32Array;
  readonly y: Int32Array;
}

export const BATCH = 4;

/** What lets the tiny task be compiled. */
export const TINY_INPUTS = [{ shape: ['batch', 2] }, { shape: ['batch'], dtype: 'int32' }] as const;

function makeBatch(seed: number, epoch: number, index: number): TinyBatch {
  const x = createRng(seed)
    .fork(epoch)
    .fork(index)
    .normal(2 * BATCH);
  const y = Int32Array.from({ length: BATCH }, (_, i) => {
    const angle = Math.atan2(x[2 * i + 1]!, x[2 * i]!);
    return Math.min(2, Math.floor(((angle + Math.PI) / (2 * Math.PI)) * 3));
  });
  return { id: `e${epoch}b${index}`, x, y };
}

/** The tiny task, with what a test may want to change or watch. */
export function tinyTask(changes: Partial<Task<TinyBatch>> = {}): Task<TinyBatch> {
  const model = (changes.model as TinyModel | undefined) ?? new TinyModel();
  onTestFinished(() => model.dispose());
  const lossOf = ([x, y]: tf.Tensor[], mode: Mode) =>
    crossEntropy(model.forward(x as tf.Tensor2D, mode), y as tf.Tensor1D);
  return {
    name: 'tiny',
    model,
    decayRule: 'classification',
    metric: { name: 'loss', better: 'lower' },
    tensors: ({ x, y }) => [
      { shape: [BATCH, 2], data: x },
      { shape: [BATCH], data: y },
    ],
    loss: (tensors, mode) => {
      const total = lossOf(tensors, mode);
      return { total, parts: { ce: total, half: tf.mul(total, 0.5) } };
    },
    evaluate: async () => {
      const { x, y } = makeBatch(2, 0, 0);
      const loss = tf.tidy(() => lossOf([tf.tensor2d(x, [BATCH, 2]), tf.tensor1d(y, 'int32')], INFERENCE));
      const [value] = await loss.data();
      loss.dispose();
      return { loss: value! };
    },
    metadata: () => ({ model: 'tiny', shift_size: '5' }),
    ...changes,
  };
}

/** Its data, five batches an epoch unless changed; `asked` are the batches that were taken. */
export function tinyData(
  changes: Partial<TrainingData<TinyBatch>> = {},
): TrainingData<TinyBatch> & { readonly asked: string[] } {
  const asked: string[] = [];
  const { batchesPerEpoch = 5 } = changes;
  return {
    batchesPerEpoch,
    async *batches(epoch, start) {
      for (let index = start; index < batchesPerEpoch; index++) {
        const batch = makeBatch(1, epoch, index);
        asked.push(batch.id);
        yield batch;
      }
    },
    describe: ({ id }) => id,
    ...changes,
    asked,
  };
}

/** A recipe for it, short and without warm-up. */
export function tinyRecipe(changes: Record<string, unknown> = {}): LoopRecipe {
  return parseRecipe(loopRecipe, {
    epochs: 3,
    batchSize: BATCH,
    lr: 0.02,
    lrBatch: null,
    schedule: { warmupEpochs: 0, minLr: 0 },
    logEvery: 1,
    ...changes,
  });
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'as-mlp-train-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** All weights of a model as bits. */
export async function weightBits(model: Module): Promise<Record<string, readonly number[]>> {
  const entries = (await model.stateDict()).map(({ name, data }) => {
    const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
    return [name, [...bits]] as const;
  });
  return Object.fromEntries(entries);
}

/** The records of a log, of one type if asked for. */
export function readLog(folder: string, type?: string): Record<string, unknown>[] {
  const lines = readFileSync(join(folder, 'log.jsonl'), 'utf8').trimEnd().split('\n');
  const records = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  return type ? records.filter((record) => record.type === type) : records;
}
