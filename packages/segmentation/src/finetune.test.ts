import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsMlp, variantConfig } from '@as-mlp/backbone';
import { encodeSafetensors } from '@as-mlp/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finetuneRecipe } from './finetune.ts';
import { encodeMetadata } from './metadata.ts';
import { createSegmentationModel } from './model.ts';
import { paletteFor } from './names.ts';
import { ADE20K_PREPROCESSING } from './predict/preprocess.ts';
import { atScale, FINETUNE_RECIPE } from './presets.ts';
import { parseSegmentationRecipe } from './recipe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetune-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('finetuneRecipe', () => {
  it('takes the network and the scale of a segmenter', async () => {
    const changes = { numClasses: 2, shiftSize: 3, channels: 8, auxiliaryChannels: 0 };
    const model = createSegmentationModel('upernet-as-mlp-nano', changes);
    const preprocessing = { ...ADE20K_PREPROCESSING, longSide: 800, shortSide: 300 };
    const metadata = encodeMetadata(model.config, ['a', 'b'], paletteFor(2), preprocessing);
    const path = join(folder, 'segmenter.safetensors');
    await writeFile(path, encodeSafetensors(await model.stateDict(), metadata));
    model.dispose();
    expect(parseSegmentationRecipe(await finetuneRecipe(path))).toMatchObject({
      model: 'upernet-as-mlp-nano',
      shiftSize: 3,
      widths: { channels: 8, auxiliaryChannels: 0 },
      cropSize: 300,
      augmentation: { longSide: 800, shortSide: 300, ratio: [0.5, 2] },
      testLongSide: 800,
      testShortSide: 300,
      batchSize: 4,
    });
  });

  it('puts UperNet on the backbone of a classifier', async () => {
    const backbone = createAsMlp(variantConfig('as-mlp-nano'), { out: 'final' });
    const path = join(folder, 'classifier.safetensors');
    await writeFile(path, encodeSafetensors(await backbone.stateDict(), { shift_size: '3' }));
    backbone.dispose();
    expect(await finetuneRecipe(path)).toMatchObject({ model: 'upernet-as-mlp-nano', shiftSize: 3 });
  });
});

describe('atScale', () => {
  it.each([
    [480, 360, 360],
    [2048, 1024, 512],
  ])('fits images into %i × %i pixels and crops %i of them', (longSide, shortSide, cropSize) => {
    const recipe = { ...FINETUNE_RECIPE, augmentation: { flip: 0 } };
    expect(atScale(recipe, { longSide, shortSide })).toEqual({
      ...recipe,
      cropSize,
      augmentation: { flip: 0, longSide, shortSide },
      testLongSide: longSide,
      testShortSide: shortSide,
    });
  });
});
