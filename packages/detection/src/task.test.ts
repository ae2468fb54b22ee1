import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fit } from '@as-mlp/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openScenes, writeDigitScenes } from './data/digit-scenes.ts';
import { loadDetector } from './load.ts';
import { DIGIT_SCENES_RECIPE, FINETUNE_RECIPE, officialRecipe } from './presets.ts';
import { type DetectionRecipe, parseDetectionRecipe } from './recipe.ts';
import { createDetectionTask } from './task.ts';

let root: string;
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'task-'));
  await writeDigitScenes(join(root, 'data'), 'train', 6);
  await writeDigitScenes(join(root, 'data'), 'val', 2);
});
afterAll(() => rm(root, { recursive: true }));

function tinyRecipe(changes: Partial<DetectionRecipe>): DetectionRecipe {
  const widths = {
    channels: 8,
    rpnChannels: 8,
    boxFcChannels: 16,
    maskConvs: 1,
    maskChannels: 8,
    boxConvChannels: 8,
  };
  const sizes = { rpnSamples: 32, roiSamples: 16, proposalsPerLevel: 50, proposals: 30 };
  return parseDetectionRecipe({
    ...DIGIT_SCENES_RECIPE,
    widths,
    ...sizes,
    batchSize: 2,
    workers: 0,
    ...changes,
  });
}

describe('createDetectionTask', () => {
  it('says what it learns from, and shows the first batch as the network gets it', async () => {
    const data = join(root, 'data');
    const recipe = tinyRecipe({});
    recipe.augmentation.flip = 0;
    const task = await createDetectionTask({ data, recipe });
    expect(task.describeData!()).toEqual({ training: 6, validation: 2, classes: task.labels });
    for await (const batch of task.batches(0, 0)) {
      const shown = task.preview!(batch);
      expect(shown).toHaveLength(2);
      const index = Number(shown[0]!.caption.slice(0, 6));
      const { image, objects } = openScenes('train').scene(index);
      expect(shown[0]!.image).toEqual(image);
      expect(shown[0]!.objects!.map(({ label }) => label)).toEqual(
        objects.map(({ label }) => task.labels[label]),
      );
      const { top, left, height, width, mask } = objects[0]!;
      expect(shown[0]!.objects![0]!.box).toEqual([left, top, left + width, top + height]);
      const sum = (values: Uint8Array) => values.reduce((a, b) => a + b, 0);
      expect(sum(shown[0]!.objects![0]!.mask!())).toBe(sum(mask));
      break;
    }
    task.model.dispose();
  });

  it.each(['mask-rcnn-as-mlp-nano', 'cascade-mask-rcnn-as-mlp-nano'])(
    'trains %s, evaluates it, and leaves weights that can be loaded',
    async (model) => {
      const recipe = tinyRecipe({ model, epochs: 1 });
      const task = await createDetectionTask({ data: join(root, 'data'), recipe });
      expect(task.batchesPerEpoch).toBe(3);
      const losses: number[] = [];
      const folder = join(root, model);
      await fit(task, recipe, { folder }, { on: { progress: ({ loss }) => void losses.push(loss) } });
      expect(losses).toHaveLength(3);
      expect(losses.every(Number.isFinite)).toBe(true);
      const metrics = await task.evaluate(new AbortController().signal);
      expect(Object.keys(metrics)).toContain('AP');
      const sections = await task.sections!();
      expect(sections.map(({ kind, title }) => `${kind}: ${title}`)).toEqual([
        'table: Each class',
        'curves: Precision and recall of boxes',
        'curves: Precision and recall of masks',
        'pictures: Worst held-out images',
        'pictures: Best held-out images',
      ]);
      const pictures = sections.flatMap((section) => (section.kind === 'pictures' ? section.pictures : []));
      expect(pictures).toHaveLength(4);
      for (const { views } of pictures) expect(views[0]!.objects!.length).toBeGreaterThan(0);
      task.model.dispose();
      const detector = await loadDetector(join(folder, 'best.safetensors'));
      expect(detector.labels).toEqual(task.labels);
      expect(detector.preprocessing.shortSide).toBe(128);
      detector.dispose();
    },
    120_000,
  );

  it('gives the same batches from anywhere in an epoch, in threads or not', async () => {
    const batchesOf = async (workers: number, start: number) => {
      const task = await createDetectionTask({ data: join(root, 'data'), recipe: tinyRecipe({ workers }) });
      const batches = [];
      for await (const batch of task.batches(1, start)) batches.push(batch);
      task.model.dispose();
      return batches;
    };
    const all = await batchesOf(0, 0);
    expect(all).toHaveLength(3);
    expect(await batchesOf(0, 2)).toEqual(all.slice(2));
    const threaded = await batchesOf(1, 0);
    expect(threaded.map(({ names }) => names)).toEqual(all.map(({ names }) => names));
    expect(threaded[0]!.images).toEqual(all[0]!.images);
  });
});

describe('recipes', () => {
  it('of the published detectors are the official ones', () => {
    const recipe = parseDetectionRecipe(officialRecipe('cascade-mask-rcnn-as-mlp-tiny', '3x'));
    expect(recipe).toMatchObject({
      epochs: 36,
      lr: 1e-4,
      lrBatch: 16,
      weightDecay: 0.05,
      clipNorm: null,
      shiftSize: 3,
      dropPathRate: 0.2,
      schedule: { kind: 'multi-step', milestones: [27, 33], gamma: 0.1, warmupRatio: 0.001 },
    });
    expect(recipe.batchSize * recipe.accumulate).toBe(16);
    expect(() => officialRecipe('mask-rcnn-as-mlp-base', '1x')).toThrow('no official recipe');
  });

  it('all hold together', () => {
    for (const preset of [DIGIT_SCENES_RECIPE, FINETUNE_RECIPE]) {
      expect(() => parseDetectionRecipe(preset)).not.toThrow();
    }
    expect(() => parseDetectionRecipe({ augmentation: { flips: 1 } })).toThrow('augmentation.flips');
  });
});
