import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsMlp } from '@as-mlp/backbone';
import { bytesSource, encodeSafetensors, openWeights, type StateTensor } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { ADE20K_CLASSES, ADE20K_PALETTE } from './ade20k.ts';
import { goldenPath } from './golden.fixture.ts';
import { initializeFrom } from './initialize.ts';
import { inspectSegmenter, loadSegmenter } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import { createSegmentationModel } from './model.ts';
import { ADE20K_PREPROCESSING } from './predict/preprocess.ts';
import { inspectWeights, segmenterFromWeights } from './segmenter.ts';

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));
const folder = mkdtempSync(join(tmpdir(), 'segmenter-'));
afterAll(() => rmSync(folder, { recursive: true }));

const small = {
  embedDim: 8,
  depths: [1, 2, 1, 1],
  channels: 12,
  auxiliaryChannels: 7,
  numClasses: 3,
} as const;

async function stateOf(changes: object = {}): Promise<StateTensor[]> {
  const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, seed: 3, ...changes });
  const state = await model.stateDict();
  model.dispose();
  return state;
}
const opened = (tensors: StateTensor[], metadata: Record<string, string> = {}) =>
  openWeights(bytesSource('f', encodeSafetensors(tensors, metadata)));

describe('a file', () => {
  it('says everything by its shapes, but for the shift size', async () => {
    const { config, labels, palette, notes } = inspectWeights(await opened(await stateOf()), 'f');
    expect(config).toMatchObject({ ...small, shiftSize: 5 });
    expect([labels, palette, notes.length]).toEqual([undefined, undefined, 1]);
    expect(notes[0]).toMatch(/shift size 5 assumed/);
    const without = inspectWeights(await opened(await stateOf({ auxiliaryChannels: 0 })), 'f');
    expect(without.config.auxiliaryChannels).toBe(0);
  });

  it('has the classes and colours of ADE20K when it has 150 without names, and says so', async () => {
    const file = await opened(await stateOf({ numClasses: 150 }), { shift_size: '5' });
    const segmenter = await segmenterFromWeights(file, 'f');
    expect([segmenter.labels, segmenter.palette]).toEqual([ADE20K_CLASSES, ADE20K_PALETTE]);
    expect(segmenter.notes).toEqual([expect.stringContaining('classes of ADE20K assumed')]);
    segmenter.dispose();
    const labels = Array.from({ length: 150 }, (_, i) => `thing ${i}`);
    const named = inspectWeights(file, 'f', { labels });
    expect([named.labels, named.palette, named.notes]).toEqual([labels, undefined, []]);
  });

  it('comes back as it was written', async () => {
    const state = await stateOf();
    const config = { ...inspectWeights(await opened(state), 'f').config, shiftSize: 3 };
    const labels = ['sky', 'sea', 'sand'];
    const palette = [
      [1, 2, 3],
      [4, 5, 6],
      [7, 8, 255],
    ] as const;
    const preprocessing = { ...ADE20K_PREPROCESSING, longSide: 400, shortSide: 240 };
    const metadata = encodeMetadata(config, labels, palette, preprocessing);
    const segmenter = await segmenterFromWeights(await opened(state, metadata), 'f');
    expect(segmenter).toMatchObject({ labels, palette, preprocessing, notes: [] });
    expect(segmenter.model.config.shiftSize).toBe(3);
    expect(await segmenter.model.stateDict()).toEqual(state);
    segmenter.dispose();
    const file = await opened(state, metadata);
    expect(() => inspectWeights(file, 'f', { shiftSize: 5 })).toThrow(/made with 3/);
    await expect(segmenterFromWeights(file, 'f', { labels: ['a'] })).rejects.toThrow(/1 class names .* 3/);
    await expect(segmenterFromWeights(file, 'f', { palette: [[1, 2, 3]] })).rejects.toThrow(/1 colours .* 3/);
    const broken = await opened(state, { ...metadata, palette: '[[1, 2]]' });
    expect(() => inspectWeights(broken, 'f')).toThrow(/palette is malformed/);
  });
});

describe('an mmsegmentation checkpoint', () => {
  it('gives class names, colours, shift size and the counters of its norms', async () => {
    const segmenter = await loadSegmenter(goldenPath('e2e/checkpoint.pth'));
    expect(segmenter.labels).toHaveLength(21);
    expect(segmenter.labels[0]).not.toBe('class 0');
    expect(segmenter.palette).toHaveLength(21);
    expect(segmenter.model.config).toMatchObject({ shiftSize: 3, channels: 16, auxiliaryChannels: 4 });
    expect(segmenter.notes).toEqual([]);
    const state = await segmenter.model.stateDict();
    expect(state.find(({ name }) => name.endsWith('num_batches_tracked'))!.shape).toEqual([]);
    segmenter.dispose();
    const { config } = await inspectSegmenter(goldenPath('e2e/checkpoint.pth'));
    expect(config.numClasses).toBe(21);
  });
});

describe('weights that do not fit', () => {
  const without = (state: StateTensor[], part: string) => state.filter(({ name }) => !name.includes(part));

  it.each([
    [
      'no decode head',
      (s: StateTensor[]) => without(s, 'decode_head.'),
      /decode_head.conv_seg.weight is missing/,
    ],
    ['no backbone', (s: StateTensor[]) => without(s, 'backbone.'), /not the weights of an AS-MLP/],
    [
      'NaN',
      (s: StateTensor[]) =>
        s.map((t) =>
          t.name === 'decode_head.conv_seg.bias' ? { ...t, data: t.data.map(() => Number.NaN) } : t,
        ),
      /NaN or infinity \(in: decode_head.conv_seg.bias\)/,
    ],
    [
      'a key less',
      (s: StateTensor[]) => without(s, 'bottleneck.bn.bias'),
      /missing: decode_head.bottleneck.bn.bias/,
    ],
  ])('are refused: %s', async (_, damage, message) => {
    const file = await opened(damage(await stateOf()));
    await expect(segmenterFromWeights(file, 'f')).rejects.toThrow(message);
  });

  it('explains a model name given as a file', async () => {
    await expect(loadSegmenter('upernet-as-mlp-tiny')).rejects.toThrow(/architecture, not a file/);
  });
});

describe('initializeFrom', () => {
  const save = (file: string, state: StateTensor[]) => {
    const path = join(folder, file);
    writeFileSync(path, encodeSafetensors(state));
    return path;
  };
  const valuesOf = (state: readonly StateTensor[], name: string) =>
    state.find((tensor) => tensor.name === name)!.data;

  it('takes the backbone of a classifier and leaves the norms of the pyramid', async () => {
    const classifier = createAsMlp({ ...small, shiftSize: 5 }, { out: 'final', seed: 9 });
    const state = await classifier.stateDict();
    classifier.dispose();
    const head = { name: 'head.weight', shape: [2, 64], data: new Float32Array(128) };
    const path = save('classifier.safetensors', [...state, head]);
    const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, seed: 1 });
    const { missing } = await initializeFrom(model, path);
    expect(missing).toHaveLength(8);
    const own = await model.stateDict();
    const stem = 'patch_embed.proj.weight';
    expect(valuesOf(own, `backbone.${stem}`)).toEqual(valuesOf(state, stem));
    expect([...valuesOf(own, 'backbone.norm3.weight')]).toEqual(new Array(64).fill(1));
    model.dispose();
  });

  it('takes a network of other classes without what belongs to a class', async () => {
    const state = await stateOf();
    const path = save('segmenter.safetensors', state);
    const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, numClasses: 5 });
    const { missing } = await initializeFrom(model, path);
    expect(missing).toHaveLength(4);
    const name = 'decode_head.fpn_bottleneck.conv.weight';
    expect(valuesOf(await model.stateDict(), name)).toEqual(valuesOf(state, name));
    model.dispose();
  });

  it('takes as many classes with other names for others, and synonyms for the same', async () => {
    const path = join(folder, 'named.safetensors');
    const metadata = { class_names: JSON.stringify(['sky', 'sea', 'sand']) };
    writeFileSync(path, encodeSafetensors(await stateOf(), metadata));
    const missingFor = async (...labels: string[]) => {
      const model = createSegmentationModel('upernet-as-mlp-nano', small);
      const { missing } = await initializeFrom(model, path, labels.length > 0 ? labels : undefined);
      model.dispose();
      return missing.length;
    };
    expect(await missingFor('sky', 'sea, ocean', 'sand')).toBe(0);
    expect(await missingFor()).toBe(0);
    expect(await missingFor('cat', 'dog', 'cow')).toBe(4);
  });
});
