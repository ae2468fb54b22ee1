import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { encodePng } from '@as-mlp/data';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { openDataset } from './dataset.ts';
import { DIGITS_RECIPE } from './presets/digits.ts';
import { parseClassificationRecipe } from './recipe.ts';
import { type ClassificationBatch, createClassificationTask } from './task.ts';

const SIDE = 40;
const folder = mkdtempSync(join(tmpdir(), 'asmlp-task-'));
const rng = createRng(1);
for (const split of ['train', 'val']) {
  for (const label of ['a', 'b', 'c']) {
    mkdirSync(join(folder, split, label), { recursive: true });
    for (let i = 0; i < 4; i++) {
      const data = Uint8Array.from(rng.uniform(SIDE * SIDE * 3), (u) => 256 * u);
      const png = await encodePng({ height: SIDE, width: SIDE, data });
      writeFileSync(join(folder, split, label, `${i}.png`), png);
    }
  }
}
afterAll(() => rmSync(folder, { recursive: true }));

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

const open = (settings: Record<string, unknown> = {}) =>
  createClassificationTask({
    data: folder,
    recipe: parseClassificationRecipe({
      model: 'as-mlp-nano',
      imageSize: 32,
      batchSize: 4,
      workers: 0,
      ...settings,
    }),
  });

async function batchesOf(
  settings: Record<string, unknown>,
  epoch = 0,
  start = 0,
): Promise<ClassificationBatch[]> {
  const { data, model } = open(settings);
  const batches: ClassificationBatch[] = [];
  for await (const batch of data.batches(epoch, start)) batches.push(batch);
  model.dispose();
  return batches;
}

describe('batches of the official recipe', () => {
  it('are the same on any number of workers', async () => {
    const alone = await batchesOf({ workers: 0 });
    expect(alone).toHaveLength(3);
    expect(await batchesOf({ workers: 1 })).toEqual(alone);
    expect(await batchesOf({ workers: 2 })).toEqual(alone);
  });

  it('are the same after an interruption, and others in another epoch or of another seed', async () => {
    const whole = await batchesOf({});
    expect(await batchesOf({}, 0, 1)).toEqual(whole.slice(1));
    expect(await batchesOf({}, 1)).not.toEqual(whole);
    expect(await batchesOf({ seed: 1 })).not.toEqual(whole);
  });

  it('hold probabilities of the classes of an image and its partner', async () => {
    for (const { images, targets, names } of await batchesOf({})) {
      expect(images).toHaveLength(4 * 32 * 32 * 3);
      expect(targets).toHaveLength(4 * 3);
      for (let i = 0; i < 4; i++) {
        const row = [...targets.slice(i * 3, i * 3 + 3)];
        expect(row[0]! + row[1]! + row[2]!).toBeCloseTo(1, 6);
        const labels = [names[i]!, names[3 - i]!].map((name) => 'abc'.indexOf(name.at(-7)!));
        const others = [0, 1, 2].filter((label) => !labels.includes(label));
        for (const other of others) expect(row[other]).toBeCloseTo(0.1 / 3, 6);
      }
    }
  });

  it('hold labels where nothing is mixed', async () => {
    const [batch] = await batchesOf({ augmentation: { mixup: 0, cutmix: 0 } });
    expect(batch!.targets).toBeInstanceOf(Int32Array);
    expect(batch!.targets).toHaveLength(4);
  });

  it('come in pairs', () => {
    expect(() => open({ batchSize: 5 })).toThrow('batchSize: a batch of 5 images cannot be mixed in pairs');
    open({ batchSize: 5, augmentation: { mixProbability: 0 } }).model.dispose();
    open({ batchSize: 5, augmentation: { kind: 'shift' } }).model.dispose();
  });
});

describe('the loss', () => {
  it.each([
    ['mixed images', {}],
    ['labels', { augmentation: { mixup: 0, cutmix: 0 } }],
  ])('takes %s', async (_, settings) => {
    const { task, model } = open(settings);
    const [batch] = await batchesOf(settings);
    const tensors = task.tensors(batch!).map(({ shape, data }, i) => {
      expect(task.inputs![i]!.shape).toEqual(['batch', ...shape.slice(1)]);
      return tf.tensor(data, [...shape], data instanceof Int32Array ? 'int32' : 'float32');
    });
    const total = tf.tidy(() => task.loss(tensors, { training: false, rng: createRng(0) }).total);
    // A fresh network is unsure: ln 3.
    expect((await total.data())[0]).toBeCloseTo(Math.log(3), 0);
    tf.dispose([total, ...tensors]);
    model.dispose();
  });
});

describe('createClassificationTask', () => {
  it('says what it learns from, and shows a batch as the network gets it', async () => {
    const recipe = parseClassificationRecipe({
      ...DIGITS_RECIPE,
      batchSize: 4,
      workers: 0,
      augmentation: { kind: 'shift', pixels: 0, flip: 0 },
    });
    const { data, model, labels } = createClassificationTask({ data: 'mnist', recipe });
    expect(data.summary!()).toEqual({ training: 60_000, validation: 10_000, classes: labels });
    for await (const batch of data.batches(0, 0)) {
      const shown = data.preview!(batch);
      expect(shown.map(({ caption }) => caption)).toEqual([...batch.targets].map(String));
      const digits = openDataset('mnist', { split: 'train' });
      const index = Number(/\d+/.exec(batch.names[0]!)![0]);
      const digit = await digits.load(index);
      const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0);
      // The same digit, enlarged from 28 to 32 pixels.
      expect(sum(shown[0]!.image.data) / sum(digit.data)).toBeCloseTo((32 / 28) ** 2, 1);
      break;
    }
    model.dispose();
  });

  it('names the classes of mixed images with their shares', async () => {
    const { data, model } = open();
    const [batch] = await batchesOf({});
    for (const { caption } of data.preview!(batch!)) {
      const shares = [...caption.matchAll(/(\d+) %/g)].map(([, percent]) => Number(percent));
      // Smoothing takes a tenth.
      expect(shares.reduce((a, b) => a + b, 0)).toBeGreaterThan(88);
      expect(shares.length).toBeLessThanOrEqual(2);
    }
    model.dispose();
  });
});
