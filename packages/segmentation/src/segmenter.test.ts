import { decodeImage, type RgbImage } from '@as-mlp/data';
import { openEngine } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { golden, goldenPath } from './golden.fixture.ts';
import { loadSegmenter } from './load.ts';
import { createSegmentationModel } from './model.ts';
import { createNetwork } from './predict/network.ts';
import type { View } from './predict/preprocess.ts';
import { segmentImage } from './predict/segment.ts';
import { createSegmenter, type SegmentOptions } from './segmenter.ts';

interface Pixels {
  readonly points_yx: readonly (readonly [number, number])[];
  readonly values: readonly (readonly number[])[];
}
interface Expected {
  readonly config: {
    readonly scale: [number, number];
    readonly crop: [number, number];
    readonly stride: [number, number];
    readonly ratios: readonly number[];
  };
  readonly tolerance: { readonly logits: number; readonly probabilities: number };
  readonly cases: Readonly<Record<string, { logits?: Pixels; probabilities?: Pixels; may_differ: number }>>;
}
const expected = golden<Expected>('e2e/expected.json');
const size = ([height, width]: readonly [number, number]) => ({ height, width });
const sliding = { crop: size(expected.config.crop), stride: size(expected.config.stride) };
const { ratios } = expected.config;

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

async function load(eager: boolean) {
  const { compile } = await openEngine({ eager, log: () => undefined });
  const [longSide, shortSide] = expected.config.scale;
  const segmenter = await loadSegmenter(goldenPath('e2e/checkpoint.pth'), {
    compile,
    preprocessing: { longSide, shortSide },
  });
  const image = await decodeImage(goldenPath('e2e/image.png'));
  return { segmenter, image, compile };
}

/** Labels that the reference gave: a grey image, of which every channel is the label. */
async function labelsOf(name: string): Promise<Uint8Array> {
  const { data } = await decodeImage(goldenPath(`e2e/label_${name}.png`));
  return data.filter((_, i) => i % 3 === 0);
}

const differing = (a: ArrayLike<number>, b: ArrayLike<number>) => {
  expect(a.length).toBe(b.length);
  return Array.from(a).filter((label, i) => label !== b[i]).length;
};
const softmax = (logits: Float32Array) => {
  const powers = logits.map((value) => Math.exp(value - Math.max(...logits)));
  return powers.map((value) => value / powers.reduce((a, b) => a + b));
};

const plain: View = { scale: 1, flipped: false };
const VIEWS: Readonly<Record<string, readonly View[]>> = {
  native_whole: [{ scale: 'none', flipped: false }],
  scaled_whole: [plain],
  scaled_slide: [plain],
  scaled_flip: [{ scale: 1, flipped: true }],
  aug_whole: ratios.flatMap((scale) => [false, true].map((flipped) => ({ scale, flipped }))),
};
const OPTIONS: Readonly<Record<string, SegmentOptions>> = {
  native_whole: { scale: 'none' },
  scaled_whole: {},
  scaled_slide: { mode: 'slide', ...sliding },
  aug_whole: { scales: ratios, flip: true },
};

describe.each([
  ['plain', true],
  ['compiled', false],
])('%s', (_, eager) => {
  it('gives the scores and labels of the reference', async () => {
    const { segmenter, image, compile } = await load(eager);
    const network = createNetwork(segmenter.model, { compile });
    for (const [name, { logits, probabilities, may_differ }] of Object.entries(expected.cases)) {
      const { points_yx, values } = (logits ?? probabilities)!;
      const wanted = new Map(points_yx.map((point, i) => [point.join(), values[i]!]));
      let worst = 0;
      const how = {
        preprocessing: segmenter.preprocessing,
        views: VIEWS[name]!,
        sliding: name === 'scaled_slide' ? sliding : undefined,
      };
      const { data } = await segmentImage(network, 21, image, how, (row, column, scores) => {
        const all = wanted.get(`${row},${column}`);
        if (!all) return;
        wanted.delete(`${row},${column}`);
        // A single view gives logits; the reference has only probabilities of the mirrored one.
        const given = logits || how.views.length > 1 ? scores : softmax(scores);
        worst = Math.max(worst, ...all.map((value, k) => Math.abs(value - given[k]!)));
      });
      expect(wanted.size).toBe(0);
      expect(worst, name).toBeLessThan(logits ? expected.tolerance.logits : expected.tolerance.probabilities);
      expect(differing(data, await labelsOf(name)), name).toBeLessThanOrEqual(may_differ);
    }
    await network.dispose();
    segmenter.dispose();
  });

  it('gives the labels of the reference by its options', async () => {
    const { segmenter, image } = await load(eager);
    for (const [name, options] of Object.entries(OPTIONS)) {
      const { width, height, labels, classes } = await segmenter.segment(image, options);
      expect([width, height]).toEqual([image.width, image.height]);
      expect(differing(labels, await labelsOf(name)), name).toBeLessThanOrEqual(
        expected.cases[name]!.may_differ,
      );
      expect(classes.map(({ pixels }) => pixels)).toEqual(
        classes.map(({ pixels }) => pixels).sort((a, b) => b - a),
      );
      for (const { index, label, pixels } of classes) {
        expect(label).toBe(segmenter.labels[index]);
        expect(labels.filter((one) => one === index)).toHaveLength(pixels);
      }
    }
    segmenter.dispose();
  });
});

const wave = (height: number, width: number): RgbImage => ({
  height,
  width,
  data: Uint8Array.from(
    { length: height * width * 3 },
    (_, i) => 128 + 100 * Math.sin(0.37 * i + 0.01 * i ** 1.3),
  ),
});

describe('a segmenter', () => {
  it('compiles one graph for every size, equal to the plain network', async () => {
    const [compiled, eager] = [await load(false), await load(true)];
    const sizes = [
      [1, 1],
      [3, 2],
      [5, 90],
      [33, 17],
      [64, 64],
      [101, 70],
      [130, 257],
    ] as const;
    const [fast, slow] = [compiled, eager].map(({ segmenter, compile }) =>
      createNetwork(segmenter.model, { compile }),
    );
    for (const [height, width] of sizes) {
      const values = Float32Array.from(wave(height, width).data, (byte) => byte / 60 - 2);
      const [a, b] = await Promise.all([fast!, slow!].map((one) => one.logits(values, { height, width })));
      expect([a!.height, a!.width]).toEqual([Math.ceil(height / 4), Math.ceil(width / 4)]);
      const worst = a!.data.reduce((most, value, i) => Math.max(most, Math.abs(value - b!.data[i]!)), 0);
      expect(worst, `${height}×${width}`).toBeLessThan(1e-3);
    }
    await Promise.all([fast!.dispose(), slow!.dispose()]);
    compiled.segmenter.dispose();
    eager.segmenter.dispose();
  });

  it('takes images of every shape without holding on to them', async () => {
    const { segmenter } = await load(false);
    const held = async (height: number, width: number, options: SegmentOptions) => {
      const { labels } = await segmenter.segment(wave(height, width), options);
      expect(labels).toHaveLength(height * width);
      return tf.memory().numTensors;
    };
    const once = await held(9, 9, {});
    for (const [height, width] of [
      [1, 1],
      [2, 700],
      [300, 3],
      [37, 53],
    ] as const) {
      expect(await held(height, width, {})).toBe(once);
      expect(await held(height, width, { scale: 'none' })).toBe(once);
      expect(await held(height, width, { mode: 'slide', ...sliding, scale: 'none', flip: true })).toBe(once);
    }
    segmenter.dispose();
  });

  it('sees an image whole when it is not larger than the crop', async () => {
    const { segmenter, image } = await load(false);
    const [whole, slide] = [
      await segmenter.segment(image),
      await segmenter.segment(image, { mode: 'slide' }),
    ];
    expect(slide.labels).toEqual(whole.labels);
    segmenter.dispose();
  });

  it('explains options that are not possible', async () => {
    const { segmenter, image } = await load(true);
    const refused: readonly [SegmentOptions, RegExp][] = [
      [{ scales: [] }, /scales \[\]/],
      [{ scales: [0.001] }, /leave nothing of 256×72/],
      [{ scales: [1, 2], scale: 'none' }, /keeps its size/],
      [{ mode: 'slide', crop: { height: 9, width: 9 } }, /a stride of 341 pixels, which leaves gaps/],
      [{ scale: { longSide: 0, shortSide: 5 } }, /a scale of 0×5/],
    ];
    for (const [options, message] of refused) {
      await expect(segmenter.segmentLabels(image, options)).rejects.toThrow(message);
    }
    segmenter.dispose();
  });

  it.each([
    ['compiled gives its weights up to the graph', false],
    ['plain keeps its weights', true],
  ])('that is loaded and %s', async (_, eager) => {
    const { segmenter, image } = await load(eager);
    const first = await segmenter.segmentLabels(image);
    const state = segmenter.model.stateDict();
    if (eager) expect(await state).not.toHaveLength(0);
    else await expect(state).rejects.toThrow(/this module was disposed/);
    expect((await segmenter.segmentLabels(image)).data).toEqual(first.data);
    segmenter.dispose();
  });

  it('that was made of a model keeps its weights when compiled', async () => {
    const { compile } = await openEngine({ log: () => undefined });
    const model = createSegmentationModel('upernet-as-mlp-nano', {
      numClasses: 2,
      channels: 8,
      auxiliaryChannels: 4,
    });
    const segmenter = createSegmenter(model, { compile, labels: ['a', 'b'] });
    await segmenter.segment(wave(40, 30), { scale: 'none' });
    expect(await segmenter.model.stateDict()).not.toHaveLength(0);
    segmenter.dispose();
  });

  it('refuses to answer from numbers that overflowed', async () => {
    const { segmenter, image } = await load(true);
    const named = new Map(segmenter.model.namedTensors());
    const weight = named.get('decode_head.fpn_bottleneck.conv.weight')!;
    weight.assign(new Float32Array(weight.size).fill(3e38));
    await expect(segmenter.segment(image)).rejects.toThrow(/decode head: its outputs are not finite/);
    segmenter.dispose();
  });
});
