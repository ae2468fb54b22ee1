import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsMlp } from '@as-mlp/backbone';
import { bytesSource, encodeSafetensors, openWeights, type StateTensor } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterAll, afterEach, describe, expect, it } from 'vitest';
import { detectorFromWeights, inspectWeights } from './detector.ts';
import { goldenPath } from './golden.fixture.ts';
import { initializeFrom } from './initialize.ts';
import { loadDetector } from './load.ts';
import { encodeMetadata } from './metadata.ts';
import { createDetectionModel } from './model.ts';
import { COCO_PREPROCESSING } from './predict/preprocess.ts';

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));
const folder = mkdtempSync(join(tmpdir(), 'detector-'));
afterAll(() => rmSync(folder, { recursive: true }));

const small = {
  embedDim: 8,
  depths: [1, 2, 1, 1],
  channels: 12,
  rpnChannels: 10,
  boxConvChannels: 6,
  boxFcChannels: 20,
  maskConvs: 2,
  maskChannels: 9,
  numClasses: 3,
} as const;
const name = (architecture: string) => `${architecture}-as-mlp-nano`;

async function stateOf(architecture: string): Promise<StateTensor[]> {
  const model = createDetectionModel(name(architecture), { ...small, seed: 3 });
  const state = await model.stateDict();
  model.dispose();
  return state;
}
const opened = (tensors: StateTensor[], metadata: Record<string, string> = {}) =>
  openWeights(bytesSource('f', encodeSafetensors(tensors, metadata)));

describe.each(['mask-rcnn', 'cascade-mask-rcnn'] as const)('a file of a %s', (architecture) => {
  it('says everything by its shapes, but for the shift size', async () => {
    const file = await opened(await stateOf(architecture));
    const { config, labels, notes } = inspectWeights(file, 'f');
    const { boxConvChannels, ...rest } = small;
    expect(config).toMatchObject({ ...rest, architecture, shiftSize: 5 });
    expect(config.boxConvChannels).toBe(architecture === 'mask-rcnn' ? 12 : boxConvChannels);
    expect([labels, notes.length]).toEqual([undefined, 1]);
    expect(notes[0]).toMatch(/shift size 5 assumed/);
  });

  it('comes back as it was written', async () => {
    const state = await stateOf(architecture);
    const config = { ...inspectWeights(await opened(state), 'f').config, shiftSize: 3 };
    const labels = ['a', 'b', 'c'];
    const metadata = encodeMetadata(config, labels, { ...COCO_PREPROCESSING, longSide: 400, shortSide: 240 });
    const detector = await detectorFromWeights(await opened(state, metadata), 'f');
    expect(detector.labels).toEqual(labels);
    expect(detector.notes).toEqual([]);
    expect(detector.model.config.shiftSize).toBe(3);
    expect(detector.preprocessing).toEqual({ ...COCO_PREPROCESSING, longSide: 400, shortSide: 240 });
    expect(await detector.model.stateDict()).toEqual(state);
    detector.dispose();
    const file = await opened(state, metadata);
    expect(() => inspectWeights(file, 'f', { shiftSize: 5 })).toThrow(/made with 3/);
    await expect(detectorFromWeights(file, 'f', { labels: ['a'] })).rejects.toThrow(/1 class names .* 3/);
  });
});

describe('an mmdetection checkpoint', () => {
  it('gives class names, shift size and the counters of its norms', async () => {
    const detector = await loadDetector(goldenPath('e2e-cascade/checkpoint.pth'));
    expect(detector.labels).toHaveLength(5);
    expect(detector.labels[0]).not.toBe('class 0');
    expect(detector.notes).toEqual([]);
    const state = await detector.model.stateDict();
    const counter = state.find(({ name }) => name.endsWith('num_batches_tracked'));
    expect([counter!.shape, [...counter!.data]]).toEqual([[], [17]]);
    detector.dispose();
  });
});

describe('weights that do not fit', () => {
  const without = (state: StateTensor[], part: string) => state.filter(({ name }) => !name.includes(part));
  const change = (state: StateTensor[], part: string, shape: number[]) =>
    state.map((tensor) =>
      tensor.name.includes(part)
        ? { ...tensor, shape, data: new Float32Array(shape.reduce((a, b) => a * b, 1)) }
        : tensor,
    );

  it.each([
    ['no neck', (s: StateTensor[]) => without(s, 'neck.'), /neck.fpn_convs.0.conv.weight is missing/],
    ['no backbone', (s: StateTensor[]) => without(s, 'backbone.'), /not the weights of an AS-MLP/],
    [
      'boxes without classes',
      (s: StateTensor[]) => change(s, 'bbox_head.fc_reg.weight', [4, 20]),
      /gives 4 numbers, not four for each class/,
    ],
    [
      'NaN',
      (s: StateTensor[]) =>
        s.map((t) => (t.name === 'rpn_head.rpn_cls.bias' ? { ...t, data: t.data.map(() => Number.NaN) } : t)),
      /NaN or infinity \(in: rpn_head.rpn_cls.bias\)/,
    ],
    [
      'a key less',
      (s: StateTensor[]) => without(s, 'fc_cls.bias'),
      /missing: roi_head.bbox_head.fc_cls.bias/,
    ],
  ])('are refused: %s', async (_, damage, message) => {
    const file = await opened(damage(await stateOf('mask-rcnn')));
    await expect(detectorFromWeights(file, 'f')).rejects.toThrow(message);
  });

  it('are refused: two stages of three', async () => {
    const state = await stateOf('cascade-mask-rcnn');
    const file = await opened(without(state, 'bbox_head.2.'));
    await expect(detectorFromWeights(file, 'f')).rejects.toThrow(/2 box stages, not 3/);
  });

  it('explains a model name given as a file', async () => {
    await expect(loadDetector('mask-rcnn-as-mlp-tiny')).rejects.toThrow(/architecture, not a file/);
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
    const config = { ...small, shiftSize: 5 } as const;
    const classifier = createAsMlp(config, { out: 'final', seed: 9 });
    const state = await classifier.stateDict();
    classifier.dispose();
    const path = save('classifier.safetensors', [
      ...state,
      { name: 'head.weight', shape: [2, 64], data: new Float32Array(128) },
    ]);
    const model = createDetectionModel(name('mask-rcnn'), { ...small, seed: 1 });
    const { missing } = await initializeFrom(model, path);
    expect(missing).toHaveLength(8);
    const own = await model.stateDict();
    const stem = 'patch_embed.proj.weight';
    expect(valuesOf(own, `backbone.${stem}`)).toEqual(valuesOf(state, stem));
    expect([...valuesOf(own, 'backbone.norm3.weight')]).toEqual(new Array(64).fill(1));
    model.dispose();
  });

  it('takes the backbone of a network of another task', async () => {
    const state = await stateOf('mask-rcnn');
    const others = state.filter(({ name }) => name.startsWith('backbone.'));
    const path = save('segmenter.safetensors', [
      ...others,
      { name: 'decode_head.conv_seg.weight', shape: [2, 8, 1, 1], data: new Float32Array(16) },
    ]);
    const model = createDetectionModel(name('mask-rcnn'), { ...small, seed: 1 });
    const before = await model.stateDict();
    await initializeFrom(model, path);
    const own = await model.stateDict();
    for (const norm of ['backbone.norm3.weight', 'backbone.patch_embed.proj.weight']) {
      expect(valuesOf(own, norm)).toEqual(valuesOf(state, norm));
    }
    expect(valuesOf(own, 'rpn_head.rpn_conv.weight')).toEqual(valuesOf(before, 'rpn_head.rpn_conv.weight'));
    model.dispose();
  });

  it('takes a detector of other classes without what belongs to a class', async () => {
    const state = await stateOf('cascade-mask-rcnn');
    const path = save('detector.safetensors', state);
    const model = createDetectionModel(name('cascade-mask-rcnn'), { ...small, numClasses: 5 });
    const { missing } = await initializeFrom(model, path);
    expect(missing).toHaveLength(3 * 6);
    expect(valuesOf(await model.stateDict(), 'rpn_head.rpn_conv.weight')).toEqual(
      valuesOf(state, 'rpn_head.rpn_conv.weight'),
    );
    model.dispose();
  });
});
