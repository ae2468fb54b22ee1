import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Engine, openEngine } from '@as-mlp/engine';
import { fit } from '@as-mlp/train';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openScenes, writeDigitScenes } from './data/digit-scenes.ts';
import { loadDetector } from './load.ts';
import { DIGIT_SCENES_RECIPE, FINETUNE_RECIPE, officialRecipe } from './presets.ts';
import { type DetectionRecipe, parseDetectionRecipe } from './recipe.ts';
import { createDetectionTask } from './task.ts';

const engine = await openEngine({ log: () => undefined });

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
const openTask = (recipe: DetectionRecipe) => createDetectionTask({ data: join(root, 'data'), recipe });

describe('createDetectionTask', () => {
  it('says what it learns from, and shows the first batch as the network gets it', async () => {
    const recipe = tinyRecipe({});
    recipe.augmentation.flip = 0;
    const { data, model, labels } = await openTask(recipe);
    expect(data.summary!()).toEqual({ training: 6, validation: 2, classes: labels });
    for await (const batch of data.batches(0, 0)) {
      const shown = data.preview!(batch);
      expect(shown).toHaveLength(2);
      const index = Number(shown[0]!.caption.slice(0, 6));
      const { image, objects } = openScenes('train').scene(index);
      expect(shown[0]!.image).toEqual(image);
      expect(shown[0]!.objects!.map(({ label }) => label)).toEqual(objects.map(({ label }) => labels[label]));
      const { top, left, height, width, mask } = objects[0]!;
      expect(shown[0]!.objects![0]!.box).toEqual([left, top, left + width, top + height]);
      const sum = (values: Uint8Array) => values.reduce((a, b) => a + b, 0);
      expect(sum(shown[0]!.objects![0]!.mask!())).toBe(sum(mask));
      break;
    }
    model.dispose();
  });

  it.each(['mask-rcnn-as-mlp-nano', 'cascade-mask-rcnn-as-mlp-nano'])(
    'trains %s, evaluates it, and leaves weights that can be loaded',
    async (name) => {
      const recipe = tinyRecipe({ model: name, epochs: 1 });
      const { task, data, model, labels } = await openTask(recipe);
      expect(data.batchesPerEpoch).toBe(3);
      const losses: number[] = [];
      const folder = join(root, name);
      await fit(task, data, recipe, { folder }, { on: { progress: ({ loss }) => void losses.push(loss) } });
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
      model.dispose();
      const detector = await loadDetector(join(folder, 'best.safetensors'));
      expect(detector.labels).toEqual(labels);
      expect(detector.preprocessing.shortSide).toBe(160);
      detector.dispose();
    },
    120_000,
  );

  describe.skipIf(!engine.compileTrainingStep)('compiled', () => {
    /** Trains until the update before which `stop` says so; what the losses were, and the weights at the end. */
    async function train(
      folder: string,
      changes: Partial<DetectionRecipe>,
      on?: Engine,
      stopAfter = Infinity,
    ) {
      const recipe = tinyRecipe({ epochs: 1, ...changes });
      const { task, data, model } = await openTask(recipe);
      const losses: number[] = [];
      const stop = new AbortController();
      const progress = ({ loss }: { loss: number }) => {
        if (losses.push(loss) >= stopAfter) stop.abort();
      };
      const run = { folder: join(root, folder), resume: true, ...(on ? { engine: on } : {}) };
      await fit(task, data, recipe, run, { signal: stop.signal, on: { progress } });
      const weights = (await model.stateDict()).map((tensor) => [tensor.name, [...tensor.data]]);
      model.dispose();
      return { losses, weights };
    }

    it.each(['mask-rcnn-as-mlp-nano', 'cascade-mask-rcnn-as-mlp-nano'])(
      'trains %s as step by step, with dropped paths and images of several sizes',
      async (model) => {
        const augmentation = {
          ...DIGIT_SCENES_RECIPE.augmentation,
          shortSides: [96, 128, 160],
          longSide: 160,
        };
        const changes: Partial<DetectionRecipe> = {
          model,
          lr: 1e-6,
          dropPathRate: 0.2,
          // `parseDetectionRecipe` fills in the rest.
          augmentation: augmentation as unknown as DetectionRecipe['augmentation'],
        };
        const eager = await train(`${model}-eager`, changes);
        const compiled = await train(`${model}-compiled`, changes, engine);
        expect(compiled.losses).toHaveLength(3);
        for (const [i, loss] of compiled.losses.entries()) {
          expect(Math.abs(loss - eager.losses[i]!)).toBeLessThan(1e-4 * eager.losses[i]!);
        }
      },
      120_000,
    );

    it('ends with the same bits when it was stopped in between', async () => {
      const whole = await train('whole', {}, engine);
      const first = await train('stopped', {}, engine, 2);
      const rest = await train('stopped', {}, engine);
      expect([...first.losses, ...rest.losses]).toEqual(whole.losses);
      expect(rest.weights).toEqual(whole.weights);
    }, 120_000);
  });

  it('gives the same batches from anywhere in an epoch, in threads or not', async () => {
    const batchesOf = async (workers: number, start: number) => {
      const { data, model } = await openTask(tinyRecipe({ workers }));
      const batches = [];
      for await (const batch of data.batches(1, start)) batches.push(batch);
      model.dispose();
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
