import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLabels, encodePng } from '@as-mlp/data';
import { openEngine } from '@as-mlp/engine';
import { splitDecay } from '@as-mlp/nn';
import { fit, planTraining } from '@as-mlp/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openScenes, sceneLabelMap, sceneLabels } from './data/digit-scenes.ts';
import { evaluateSegmenter } from './evaluate.ts';
import { loadSegmenter } from './load.ts';
import { DIGIT_SCENES_RECIPE, FINETUNE_RECIPE, officialRecipe } from './presets.ts';
import { parseSegmentationRecipe, type SegmentationRecipe } from './recipe.ts';
import { createSegmenter } from './segmenter.ts';
import { createSegmentationTask } from './task.ts';

const engine = await openEngine();
let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'task-'));
  for (const [split, length] of [
    ['train', 7],
    ['val', 2],
  ] as const) {
    const scenes = openScenes(split, length);
    for (const folder of ['images', 'labels']) {
      await mkdir(join(root, 'data', folder, split), { recursive: true });
    }
    for (let i = 0; i < length; i++) {
      const scene = scenes.scene(i);
      await writeFile(join(root, 'data/images', split, `${i}.png`), await encodePng(scene.image));
      const labels = await encodeLabels(sceneLabelMap(scene));
      await writeFile(join(root, 'data/labels', split, `${i}.png`), labels);
    }
    await writeFile(join(root, 'data/classes.txt'), sceneLabels(scenes).join('\n'));
  }
});
afterAll(() => rm(root, { recursive: true }));

function tinyRecipe(changes: Partial<SegmentationRecipe> = {}): SegmentationRecipe {
  const augmentation = { longSide: 96, shortSide: 96, ratio: [0.5, 2] as const };
  return parseSegmentationRecipe({
    ...DIGIT_SCENES_RECIPE,
    widths: { channels: 8, auxiliaryChannels: 8 },
    augmentation,
    cropSize: 64,
    testLongSide: 96,
    testShortSide: 96,
    epochs: 1,
    batchSize: 2,
    workers: 0,
    ...changes,
  });
}
const openTask = (recipe: SegmentationRecipe) => createSegmentationTask({ data: join(root, 'data'), recipe });

describe('createSegmentationTask', () => {
  it('says what it learns from, and shows labels over the images', () => {
    const training = openTask(tinyRecipe({ cropSize: 32 }));
    const { data, model, palette } = training;
    expect(data.summary!()).toEqual({ training: 7, validation: 2, classes: training.labels });
    const { mean, std } = training.preprocessing;
    const grey = Float32Array.from({ length: 2 * 32 * 32 * 3 }, (_, i) => (100 - mean[i % 3]!) / std[i % 3]!);
    const labels = new Int32Array(2 * 32 * 32).fill(255);
    labels[32 * 32 + 1] = 4;
    const shown = data.preview!({ images: grey, labels, names: ['/x/a.png', '/x/b.png'] });
    expect(shown.map(({ caption }) => caption)).toEqual(['a.png', 'b.png']);
    expect(new Set(shown[0]!.image.data)).toEqual(new Set([100]));
    const colour = palette[4]!;
    expect([...shown[1]!.image.data.slice(0, 6)]).toEqual([
      100,
      100,
      100,
      ...colour.map((c) => (100 + c) >> 1),
    ]);
    model.dispose();
  });

  it('trains, evaluates, and leaves weights that can be loaded', async () => {
    const recipe = tinyRecipe();
    const { task, data, model, ...parts } = openTask(recipe);
    expect(data.batchesPerEpoch).toBe(3);
    const folder = join(root, 'run');
    const { best } = await fit(task, data, recipe, { folder });
    expect(Object.keys(best!.metrics)).toEqual(['mIoU', 'mAcc', 'aAcc']);
    const sections = await task.sections!();
    expect(sections.map(({ kind, title }) => `${kind}: ${title}`)).toEqual([
      'table: Each class',
      'matrix: Confusion matrix',
      'pictures: Worst held-out images',
      'pictures: Best held-out images',
    ]);
    for (const section of sections) {
      if (section.kind !== 'pictures') continue;
      expect(section.pictures).toHaveLength(2);
      for (const { views } of section.pictures) {
        expect(views.map(({ name }) => name)).toEqual(['image', 'ground truth', 'prediction']);
        expect(new Set(views.map(({ image }) => `${image.width}×${image.height}`)).size).toBe(1);
      }
    }
    model.dispose();
    const segmenter = await loadSegmenter(join(folder, 'best.safetensors'));
    const { labels, palette, preprocessing } = segmenter;
    expect({ labels, palette, preprocessing }).toEqual(parts);
    segmenter.dispose();
  }, 120_000);

  it('evaluates as the recipe says', async () => {
    const scores = async (changes: Partial<SegmentationRecipe>) => {
      const { task, model } = openTask(tinyRecipe(changes));
      const found = await task.evaluate(new AbortController().signal);
      model.dispose();
      return found;
    };
    const plain = await scores({});
    expect(await scores({ testMode: 'slide', cropSize: 96 })).toEqual(plain);
    const others: readonly Partial<SegmentationRecipe>[] = [
      { testMode: 'slide' },
      { testFlip: true },
      { testScales: [0.5, 1] },
    ];
    for (const changes of others) expect(await scores(changes)).not.toEqual(plain);
    const { task, model, labels, preprocessing } = openTask(
      tinyRecipe({ testMode: 'slide', testFlip: true }),
    );
    const segmenter = createSegmenter(model, { labels, preprocessing });
    const { metrics } = await evaluateSegmenter(segmenter, {
      data: join(root, 'data'),
      segment: {
        mode: 'slide',
        flip: true,
        crop: { height: 64, width: 64 },
        stride: { height: 42, width: 42 },
      },
    });
    expect((await task.evaluate(new AbortController().signal)).mIoU).toBe(metrics.mIoU);
    segmenter.dispose();
  });

  it.skipIf(!engine.compileTrainingStep)(
    'has the same losses in a compiled step and in single operations',
    async () => {
      const partsOf = async (compiled: boolean) => {
        const recipe = tinyRecipe({ dropPathRate: 0.2, epochs: 2 });
        const { task, data, model } = openTask(recipe);
        const parts: number[][] = [];
        await fit(
          task,
          data,
          recipe,
          { folder: join(root, `compiled-${compiled}`), ...(compiled ? { engine } : {}) },
          { on: { progress: ({ loss, parts: one }) => void parts.push([loss, ...Object.values(one)]) } },
        );
        model.dispose();
        return parts;
      };
      const [single, compiled] = [await partsOf(false), await partsOf(true)];
      expect(single).toHaveLength(6);
      single.flat().forEach((value, i) => {
        // Rounding in another order, which updates carry on.
        expect(Math.abs(compiled.flat()[i]! - value)).toBeLessThanOrEqual(1e-3 * Math.max(1, value));
      });
      // The total is the losses alone, without the accuracy.
      const [total, decode, auxiliary] = single[0]!;
      expect(total).toBeCloseTo(decode! + auxiliary!, 5);
    },
    120_000,
  );

  it('gives the same batches from anywhere in an epoch, in threads or not', async () => {
    const batchesOf = async (workers: number, start: number) => {
      const { data, model } = openTask(tinyRecipe({ workers }));
      const batches = [];
      for await (const batch of data.batches(1, start)) batches.push(batch);
      model.dispose();
      return batches;
    };
    const all = await batchesOf(0, 0);
    expect(all).toHaveLength(3);
    expect(await batchesOf(0, 2)).toEqual(all.slice(2));
    expect(await batchesOf(1, 0)).toEqual(all);
  });

  it('pads small images with zeros, and their labels with what is ignored', async () => {
    const { data, model } = openTask(tinyRecipe({ cropSize: 256 }));
    for await (const { images, labels } of data.batches(0, 2)) {
      const last = labels.length - 1;
      expect([labels[0], labels[last]]).toEqual([0, 255]);
      expect([...images.subarray(3 * last)]).toEqual([0, 0, 0]);
    }
    model.dispose();
  });
});

describe('recipes', () => {
  it.each([
    ['upernet-as-mlp-tiny', 5, 0.3],
    ['upernet-as-mlp-small', 3, 0.3],
    ['upernet-as-mlp-base', 5, 0.5],
  ])('of %s are the official ones', (model, shiftSize, dropPathRate) => {
    const recipe = parseSegmentationRecipe(officialRecipe(model));
    expect(recipe).toMatchObject({ model, shiftSize, dropPathRate, weightDecay: 0.01, clipNorm: null });
    const { totalUpdates, imagesPerUpdate, learningRate } = planTraining(recipe, 1263);
    expect(imagesPerUpdate).toBe(16);
    expect(Math.abs(totalUpdates / 160_000 - 1)).toBeLessThan(0.005);
    expect(learningRate(0)).toBeCloseTo(6e-11, 15);
    expect(learningRate(1500)).toBeCloseTo(6e-5 * (1 - 1500 / totalUpdates), 12);
    expect(learningRate(totalUpdates - 1)).toBeCloseTo(6e-5 / totalUpdates, 15);
  });

  it('spare the norms of the backbone from decay, not those of the heads', async () => {
    const { model, task } = openTask(tinyRecipe());
    const { noDecay } = splitDecay(model.namedParameters(), task.decayRule);
    expect(noDecay.length).toBeGreaterThan(20);
    expect(noDecay.every(([name]) => name.startsWith('backbone.') && name.includes('norm'))).toBe(true);
    model.dispose();
  });

  it('all hold together', () => {
    for (const preset of [DIGIT_SCENES_RECIPE, FINETUNE_RECIPE]) {
      expect(() => parseSegmentationRecipe(preset)).not.toThrow();
    }
    expect(() => officialRecipe('upernet-as-mlp-nano')).toThrow('no official recipe');
    expect(() => officialRecipe('upernet-as-mlp-tiny', 9)).toThrow('too few');
    expect(() => parseSegmentationRecipe({ augmentation: { flips: 1 } })).toThrow('augmentation.flips');
    expect(() => parseSegmentationRecipe({ batchSize: 1 })).toThrow('batchSize');
  });
});
