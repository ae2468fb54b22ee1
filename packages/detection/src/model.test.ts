import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { detectionConfig, MODEL_NAMES, modelName } from './config.ts';
import { createDetectionModel, type DetectionModel } from './model.ts';

interface OfficialKeys {
  readonly tensors: number;
  readonly sha256: string;
  readonly heads?: readonly string[];
}
const { models } = JSON.parse(readFileSync(new URL('../golden/keys.json', import.meta.url), 'utf8')) as {
  models: Record<string, OfficialKeys>;
};

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

const lines = (model: DetectionModel) =>
  [...model.namedTensors()].map(([name, { shape }]) => `${name} [${shape}]`);

describe('the official state dict', () => {
  it.each(Object.entries(models))(
    'of %s has these keys in this order',
    (name, { tensors, sha256, heads }) => {
      const own = lines(createDetectionModel(name));
      if (heads) expect(own.filter((line) => !line.startsWith('backbone.'))).toEqual(heads);
      expect(own.length).toBe(tensors);
      expect(createHash('sha256').update(own.join('\n')).digest('hex')).toBe(sha256);
    },
  );

  it.each([
    ['mask-rcnn-as-mlp-tiny', 47_788_944],
    ['mask-rcnn-as-mlp-small', 69_100_944],
    ['cascade-mask-rcnn-as-mlp-tiny', 85_624_146],
    ['cascade-mask-rcnn-as-mlp-small', 106_936_146],
    ['cascade-mask-rcnn-as-mlp-base', 144_961_586],
  ])('%s has the published number of parameters', (name, count) => {
    expect(createDetectionModel(name).parameterCount()).toBe(count);
  });
});

const small = {
  embedDim: 8,
  depths: [1, 1, 1, 1],
  channels: 12,
  rpnChannels: 10,
  boxConvChannels: 6,
  boxFcChannels: 20,
  maskChannels: 8,
  numClasses: 3,
} as const;

describe.each(['mask-rcnn', 'cascade-mask-rcnn'])('%s', (architecture) => {
  it('gives five levels and what each head says', () => {
    const model = createDetectionModel(`${architecture}-as-mlp-nano`, small);
    tf.tidy(() => {
      const { maps, rpn } = model.dense(tf.ones([2, 64, 96, 3]));
      expect(maps.map(({ shape }) => shape)).toEqual([
        [2, 16, 24, 12],
        [2, 8, 12, 12],
        [2, 4, 6, 12],
        [2, 2, 3, 12],
        [2, 1, 2, 12],
      ]);
      expect(model.neck.strides).toEqual([4, 8, 16, 32, 64]);
      expect(rpn[0]!.logits.shape).toEqual([2, 16, 24, 3]);
      expect(rpn[0]!.deltas.shape).toEqual([2, 16, 24, 12]);
      const { logits, deltas } = model.boxHeads[0]!.forward(tf.ones([5, 7, 7, 12]));
      expect([logits.shape, deltas.shape]).toEqual([
        [5, 4],
        [5, 12],
      ]);
      expect(model.maskHeads[0]!.forward(tf.ones([5, 14, 14, 12])).shape).toEqual([5, 28, 28, 3]);
    });
    expect(model.boxHeads.length).toBe(architecture === 'mask-rcnn' ? 1 : 3);
    model.dispose();
  });

  it('has a coarsest level of every second cell', () => {
    const model = createDetectionModel(`${architecture}-as-mlp-nano`, small);
    tf.tidy(() => {
      const maps = model.features(tf.randomUniform([1, 96, 160, 3], -1, 1, 'float32', 1));
      const [p5, p6] = [maps[3]!.arraySync(), maps[4]!.arraySync()];
      expect(p6[0]).toEqual([0, 2].map((row) => [0, 2, 4].map((column) => p5[0]![row]![column])));
    });
    model.dispose();
  });
});

describe('names', () => {
  it('lead to configurations and back', () => {
    for (const name of MODEL_NAMES) expect(modelName(detectionConfig(name))).toBe(name);
  });

  it('are explained when unknown', () => {
    expect(() => detectionConfig('yolo')).toThrow(/no such detector. Known: mask-rcnn-as-mlp-nano/);
    expect(() => detectionConfig('mask-rcnn-as-mlp-huge')).toThrow(/no such model/);
    expect(() => createDetectionModel('mask-rcnn-as-mlp-nano', { numClasses: 0 })).toThrow(/numClasses 0/);
  });
});
