import { createHash } from 'node:crypto';
import { INFERENCE } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { MODEL_NAMES, modelName, segmentationConfig } from './config.ts';
import { golden } from './golden.fixture.ts';
import { createSegmentationModel, type SegmentationModel } from './model.ts';

interface OfficialKeys {
  readonly tensors: number;
  readonly sha256: string;
  readonly heads?: readonly string[];
}
const { models } = golden<{ models: Record<string, OfficialKeys> }>('keys.json');

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

const lines = (model: SegmentationModel) =>
  [...model.namedTensors()].map(([name, { shape }]) => `${name} [${shape}]`);

describe('the official state dict', () => {
  it.each(Object.entries(models))(
    'of %s has these keys in this order',
    (name, { tensors, sha256, heads }) => {
      const own = lines(createSegmentationModel(name));
      if (heads) expect(own.filter((line) => !line.startsWith('backbone.'))).toEqual(heads);
      expect(own.length).toBe(tensors);
      expect(createHash('sha256').update(own.join('\n')).digest('hex')).toBe(sha256);
    },
  );

  it.each([
    ['upernet-as-mlp-tiny', 59_936_204],
    ['upernet-as-mlp-small', 81_248_204],
    ['upernet-as-mlp-base', 121_264_300],
  ])('%s has the published number of parameters', (name, count) => {
    expect(createSegmentationModel(name).parameterCount()).toBe(count);
  });
});

const small = {
  embedDim: 8,
  depths: [1, 1, 1, 1],
  channels: 12,
  auxiliaryChannels: 6,
  numClasses: 5,
} as const;

describe('the network', () => {
  it.each([
    [64, 96],
    [37, 51],
    [3, 2],
    [1, 1],
  ])('classifies every fourth pixel of %d×%d', (height, width) => {
    const model = createSegmentationModel('upernet-as-mlp-nano', small);
    tf.tidy(() => {
      const { logits, auxiliary } = model.outputs(tf.ones([2, height, width, 3]), INFERENCE);
      const cells = (stride: number) => [Math.ceil(height / stride), Math.ceil(width / stride)];
      expect(logits.shape).toEqual([2, ...cells(4), 5]);
      expect(auxiliary!.shape).toEqual([2, ...cells(16), 5]);
      expect(model.forward(tf.ones([2, height, width, 3])).dataSync()).toEqual(logits.dataSync());
    });
    model.dispose();
  });

  it('computes what its definition says', () => {
    const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, seed: 2 });
    tf.tidy(() => {
      const images = tf.randomNormal<tf.Rank.R4>([2, 52, 70, 3], 0, 1, 'float32', 3);
      const [fast, defined] = [model.forward(images), model.forwardAsDefined(images)];
      expect(tf.max(tf.abs(defined)).dataSync()[0]).toBeGreaterThan(1e-2);
      expect(tf.max(tf.abs(tf.sub(fast, defined))).dataSync()[0]).toBeLessThan(1e-5);
    });
    model.dispose();
  });

  it('may lack the auxiliary head', () => {
    const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, auxiliaryChannels: 0 });
    expect(lines(model).some((line) => line.startsWith('auxiliary_head'))).toBe(false);
    tf.tidy(() => {
      expect(model.outputs(tf.ones([1, 32, 32, 3]), INFERENCE).auxiliary).toBeUndefined();
    });
    model.dispose();
  });

  it('starts as officially: He for what a ReLU follows, nearly zero for what classifies', async () => {
    const model = createSegmentationModel('upernet-as-mlp-nano', { ...small, channels: 64, seed: 4 });
    const spread = (data: Float32Array) =>
      Math.sqrt(data.reduce((sum, value) => sum + value * value, 0) / data.length);
    const state = new Map((await model.stateDict()).map(({ name, data }) => [name, data]));
    const fanOut = (out: number, kernel: number) => Math.sqrt(2 / (out * kernel * kernel));
    expect(spread(state.get('decode_head.fpn_convs.1.conv.weight')!)).toBeCloseTo(fanOut(64, 3), 2);
    expect(spread(state.get('decode_head.psp_modules.2.1.conv.weight')!)).toBeCloseTo(fanOut(64, 1), 1);
    expect(spread(state.get('decode_head.conv_seg.weight')!)).toBeCloseTo(0.01, 2);
    expect([...state.get('decode_head.conv_seg.bias')!]).toEqual([0, 0, 0, 0, 0]);
    model.dispose();
  });
});

describe('names', () => {
  it('lead to configurations and back', () => {
    for (const name of MODEL_NAMES) expect(modelName(segmentationConfig(name))).toBe(name);
  });

  it('are explained when unknown', () => {
    expect(() => segmentationConfig('unet')).toThrow(/no such segmentation network. Known: upernet-as-mlp-/);
    expect(() => segmentationConfig('upernet-as-mlp-huge')).toThrow(/no such model/);
    expect(() => createSegmentationModel('upernet-as-mlp-nano', { numClasses: 0 })).toThrow(/numClasses 0/);
  });
});
