import { readFileSync } from 'node:fs';
import { decodeImage } from '@as-mlp/data';
import { openEngine } from '@as-mlp/engine';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it } from 'vitest';
import { decodeMask, rleFromJson } from './coco/rle.ts';
import { channelsLast, golden, goldenPath } from './golden.fixture.ts';
import { loadDetector } from './load.ts';
import { createNetwork } from './predict/network.ts';
import { prepareImage } from './predict/preprocess.ts';
import { chooseProposals } from './predict/proposals.ts';

interface ExpectedDetection {
  readonly box: readonly [number, number, number, number];
  readonly score: number;
  readonly label: number;
  readonly rle: { readonly size: [number, number]; readonly counts: string };
}
interface Digest {
  readonly shape: number[];
  readonly rms: number;
  readonly probe_index: number[];
  readonly probe: number[];
}
interface Expected {
  readonly detections: readonly ExpectedDetection[];
  readonly intermediates: Readonly<Record<string, Digest>>;
  readonly meta: { readonly scale_factor: number[] };
  readonly preprocess: { readonly scale: [number, number] };
}

const before = tf.memory().numTensors;
afterEach(() => expect(tf.memory().numTensors).toBe(before));

async function load(name: string, eager: boolean) {
  const { compile } = await openEngine({ eager, log: () => undefined });
  const expected = golden<Expected>(`${name}/expected.json`);
  const [longSide, shortSide] = expected.preprocess.scale;
  const detector = await loadDetector(goldenPath(`${name}/checkpoint.pth`), {
    compile,
    preprocessing: { longSide, shortSide },
  });
  const image = await decodeImage(goldenPath(`${name}/image.png`));
  return { expected, detector, image, compile };
}

describe.each([
  ['e2e', 'plain', true],
  ['e2e', 'compiled', false],
  ['e2e-cascade', 'plain', true],
  ['e2e-cascade', 'compiled', false],
])('%s, %s', (name, _, eager) => {
  it('finds what the reference finds', async () => {
    const { expected, detector, image } = await load(name, eager);
    const { detections, width, height } = await detector.detect(image);
    expect([width, height]).toEqual([image.width, image.height]);
    expect(detections.map(({ index }) => index).sort()).toEqual(
      expected.detections.map(({ label }) => label).sort(),
    );
    // By label and nearest box, since the order of near equal scores may differ.
    for (const { box, score, label, rle } of expected.detections) {
      const distance = (other: readonly number[]) =>
        Math.max(...box.map((side, i) => Math.abs(side - other[i]!)));
      const [match] = detections
        .filter(({ index }) => index === label)
        .sort((a, b) => distance(a.box) - distance(b.box));
      expect(distance(match!.box)).toBeLessThan(0.02);
      expect(Math.abs(match!.score - score)).toBeLessThan(1e-4);
      expect(overlap(match!.mask!, rle)).toBeGreaterThanOrEqual(0.99);
    }
    detector.dispose();
  });

  it('has the maps and proposals of the reference', async () => {
    const { expected, detector, image, compile } = await load(name, eager);
    const network = createNetwork(detector.model, { compile });
    const prepared = prepareImage(image, detector.preprocessing);
    expect([...prepared.scale]).toEqual(expected.meta.scale_factor.map(Math.fround));
    const { maps, rpn } = await network.dense(prepared.values, prepared.canvas);
    const check = (key: string, values: Float32Array) => {
      const { probe_index, probe, rms } = expected.intermediates[key]!;
      for (const [i, index] of probe_index.entries()) {
        expect(Math.abs(values[index]! - probe[i]!), `${key} ${i}`).toBeLessThan(
          1e-4 * (rms + Math.abs(probe[i]!)),
        );
      }
    };
    for (const [level, { data, height, width, channels }] of maps.entries()) {
      // Transposing as if the channels were rows: [1, H·W, C] → [1, C, H·W].
      check(`fpn.${level}`, channelsLast(data, [1, height * width, channels, 1]));
    }
    for (const [level, { logits, deltas }] of rpn.entries()) {
      check(`rpn_cls.${level}`, logits);
      check(`rpn_reg.${level}`, deltas);
    }
    const proposals = chooseProposals(rpn, prepared.resized);
    const wanted = readFloats(`${name}/proposals.bin`);
    expect(proposals.scores.length).toBe(wanted.length / 5);
    for (let i = 0; i < proposals.scores.length; i++) {
      expect(Math.abs(proposals.scores[i]! - wanted[i * 5 + 4]!)).toBeLessThan(1e-5);
    }
    await network.dispose();
    detector.dispose();
  });
});

const plain = (height: number, width: number) => ({
  height,
  width,
  data: new Uint8Array(height * width * 3).fill(120),
});

describe('a detector', () => {
  it('takes images of every shape without holding on to them, and says nothing where nothing is', async () => {
    const { detector, image } = await load('e2e', false);
    const sizes = [
      [1, 1],
      [5, 1000],
      [700, 4],
      [37, 53],
    ] as const;
    for (const [height, width] of sizes) {
      const result = await detector.detect(plain(height, width));
      expect([result.height, result.width]).toEqual([height, width]);
      for (const { box, mask } of result.detections) {
        expect(Math.min(...box)).toBeGreaterThanOrEqual(0);
        expect(Math.max(box[0], box[2])).toBeLessThanOrEqual(width);
        expect(mask!.size).toEqual([height, width]);
      }
    }
    const held = tf.memory().numTensors;
    const none = await detector.detect(image, { minScore: 1 });
    expect(none).toEqual({ width: image.width, height: image.height, detections: [] });
    expect((await detector.detect(image, { maxDetections: 0 })).detections).toEqual([]);
    const boxesOnly = await detector.detect(image, { masks: false, maxDetections: 2 });
    expect(boxesOnly.detections).toHaveLength(2);
    expect(boxesOnly.detections[0]).not.toHaveProperty('mask');
    expect(tf.memory().numTensors).toBe(held);
    await expect(detector.detect(image, { minScore: 2 })).rejects.toThrow(/not possible: minScore 2/);
    detector.dispose();
  });

  it('refuses to answer from numbers that overflowed', async () => {
    const { detector, image } = await load('e2e', true);
    const [, stem] = [...detector.model.namedTensors()].find(
      ([name]) => name === 'rpn_head.rpn_conv.weight',
    )!;
    stem.assign(new Float32Array(stem.size).fill(3e38));
    await expect(detector.detect(image)).rejects.toThrow(/proposal network: its outputs are not finite/);
    detector.dispose();
  });
});

function readFloats(name: string): Float32Array {
  const bytes = readFileSync(goldenPath(name));
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
}

function overlap(a: unknown, b: unknown): number {
  const [left, right] = [a, b].map((json) => decodeMask(rleFromJson(json)));
  let [shared, either] = [0, 0];
  for (let i = 0; i < left!.length; i++) {
    if (left![i] && right![i]) shared++;
    if (left![i] || right![i]) either++;
  }
  return either === 0 ? 1 : shared / either;
}
