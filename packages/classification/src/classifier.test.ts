import { readFileSync } from 'node:fs';
import { decodeImage } from '@as-mlp/data';
import { openEngine } from '@as-mlp/engine';
import { bytesSource, encodeSafetensors, openWeights, type StateTensor } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { classifierFromWeights, inspectWeights } from './classifier.ts';
import { loadClassifier } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import { ClassificationModel, createClassificationModel } from './model.ts';
import { evaluationBatch, IMAGENET_PREPROCESSING } from './preprocess.ts';

const golden = (name: string) => new URL(`../golden/${name}`, import.meta.url);
const json = <T>(name: string): T => JSON.parse(readFileSync(golden(name), 'utf8')) as T;
/** The plain engines sum in another order. */
const isNative = () => tf.getBackend() === 'tensorflow';

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

interface ExpectedImage {
  lossy: boolean;
  logits: number[];
  top5: number[];
  top5_prob: number[];
  top2_margin: number;
}
interface Expected {
  tolerance: { logits_atol: number; jpeg_logits_atol: number };
  raw: { logits: number[][] };
  images: Record<string, ExpectedImage>;
}

const expected = json<Expected>('e2e/expected.json');
const worst = (actual: ArrayLike<number>, wanted: readonly number[]) =>
  wanted.reduce((most, value, i) => Math.max(most, Math.abs(actual[i]! - value)), 0);

describe.each([
  ['plain', true],
  ['compiled', false],
])('an official network, %s', (_, eager) => {
  const load = async () => {
    const { compile } = await openEngine({ eager, log: () => undefined });
    return await loadClassifier(golden('e2e/weights.safetensors').pathname, { compile });
  };

  it('gives the official logits for raw tensors', async () => {
    const classifier = await load();
    const bytes = readFileSync(golden('e2e/raw-input.bin'));
    const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    const images = tf.tidy(() => tf.transpose(tf.tensor4d(values, [2, 3, 224, 224]), [0, 2, 3, 1]));
    const logits = await classifier.logits(images);
    expect(worst(logits, expected.raw.logits.flat())).toBeLessThan(isNative() ? 1e-4 : 1e-3);
    images.dispose();
    classifier.dispose();
  });

  it('classifies images as officially preprocessed', async () => {
    const classifier = await load();
    for (const [name, { lossy, logits, top5, top5_prob, top2_margin }] of Object.entries(expected.images)) {
      const image = await decodeImage(golden(`e2e/${name}`).pathname);
      const tolerance = lossy ? expected.tolerance.jpeg_logits_atol : expected.tolerance.logits_atol;
      const input = tf.tensor4d(evaluationBatch([image], classifier.preprocessing), [1, 224, 224, 3]);
      expect(worst(await classifier.logits(input), logits), name).toBeLessThan(tolerance);
      input.dispose();
      const predictions = await classifier.classify(image, { topK: 5 });
      if (top2_margin >= 2 * tolerance) expect(predictions[0]!.index, name).toBe(top5[0]);
      if (!lossy)
        expect(
          worst(
            predictions.map(({ score }) => score),
            top5_prob,
          ),
          name,
        ).toBeLessThan(1e-3);
    }
    classifier.dispose();
  });
});

const small = { embedDim: 8, depths: [1, 1, 1, 1], shiftSize: 5, numClasses: 3 } as const;

async function safetensors(
  metadata: Record<string, string>,
  change?: (tensors: StateTensor[]) => StateTensor[],
) {
  const model = new ClassificationModel(small, 7);
  const tensors = await model.stateDict();
  model.dispose();
  return openWeights(
    bytesSource('small.safetensors', encodeSafetensors(change?.(tensors) ?? tensors, metadata)),
  );
}

const metadata = encodeMetadata(small, ['a', 'b', 'c'], IMAGENET_PREPROCESSING);

describe('loading', () => {
  it('takes everything from a file of this project', async () => {
    const { config, labels, preprocessing, notes } = inspectWeights(await safetensors(metadata), 'f');
    expect(config).toMatchObject({ ...small, mlpRatio: 4 });
    expect([labels, preprocessing, notes]).toEqual([['a', 'b', 'c'], IMAGENET_PREPROCESSING, []]);
  });

  it('assumes shift size 5 where nothing says otherwise, and says so', async () => {
    const file = await safetensors({});
    expect(inspectWeights(file, 'f').notes[0]).toMatch(/shift size 5 assumed/);
    expect(inspectWeights(file, 'f', { shiftSize: 3 })).toMatchObject({
      config: { shiftSize: 3 },
      notes: [],
    });
  });

  it('refuses a shift size that contradicts the file, and a list of names that does not fit', async () => {
    const file = await safetensors(metadata);
    expect(() => inspectWeights(file, 'f', { shiftSize: 3 })).toThrow(/made with 5/);
    await expect(classifierFromWeights(file, 'f', { labels: ['a'] })).rejects.toThrow(
      /1 class names .* 3 classes/,
    );
  });

  it.each([
    ['missing', (t: StateTensor[]) => t.filter(({ name }) => name !== 'norm.bias'), /missing: norm.bias/],
    [
      'of another shape',
      (t: StateTensor[]) =>
        t.map((x) => (x.name === 'head.bias' ? { ...x, shape: [2], data: new Float32Array(2) } : x)),
      /head.bias is \[2\], the model needs \[3\]/,
    ],
    [
      'not finite',
      (t: StateTensor[]) =>
        t.map((x) => (x.name === 'head.bias' ? { ...x, data: Float32Array.of(0, Number.NaN, 0) } : x)),
      /NaN or infinity \(in: head.bias\)/,
    ],
    [
      'unexpected',
      (t: StateTensor[]) => [...t, { name: 'attn_mask', shape: [1], data: new Float32Array(1) }],
      /unexpected: attn_mask/,
    ],
  ])('refuses weights that are %s', async (_, change, message) => {
    await expect(classifierFromWeights(await safetensors(metadata, change), 'f')).rejects.toThrow(message);
  });

  it('explains a model name given as a file', async () => {
    await expect(loadClassifier('as-mlp-tiny')).rejects.toThrow(/architecture, not a file/);
  });
});

describe('ClassificationModel', () => {
  it('counts the published parameters', () => {
    const facts = ['tiny', 'small', 'base', 'mobile'].map((variant) => {
      const model = createClassificationModel(`as-mlp-${variant}`);
      return model.parameterCount();
    });
    expect(facts).toEqual([28_282_696, 49_594_696, 87_752_808, 9_597_480]);
  });

  it('does not leak, however often it is called', async () => {
    const classifier = await classifierFromWeights(await safetensors(metadata), 'f');
    const image = { width: 40, height: 50, data: new Uint8Array(40 * 50 * 3).fill(90) };
    await classifier.classify(image);
    const held = tf.memory().numTensors;
    for (let i = 0; i < 5; i++) await classifier.classify([image, image], { topK: 2 });
    expect(tf.memory().numTensors).toBe(held);
    expect(await classifier.classify([])).toEqual([]);
    classifier.dispose();
  });
});
