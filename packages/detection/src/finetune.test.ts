import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createAsMlp, variantConfig } from '@as-mlp/backbone';
import { encodeSafetensors } from '@as-mlp/nn';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { finetuneRecipe } from './finetune.ts';
import { encodeMetadata } from './metadata.ts';
import { createDetectionModel } from './model.ts';
import { COCO_PREPROCESSING } from './predict/preprocess.ts';
import { atScale, FINETUNE_RECIPE } from './presets.ts';
import { parseDetectionRecipe } from './recipe.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'finetune-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('finetuneRecipe', () => {
  it('takes the network and the scale of a detector', async () => {
    const changes = { numClasses: 2, shiftSize: 3, channels: 8, boxFcChannels: 16, maskConvs: 1 };
    const model = createDetectionModel('cascade-mask-rcnn-as-mlp-nano', changes);
    const preprocessing = { ...COCO_PREPROCESSING, shortSide: 400, longSide: 666 };
    const metadata = encodeMetadata(model.config, ['a', 'b'], preprocessing);
    const path = join(folder, 'detector.safetensors');
    await writeFile(path, encodeSafetensors(await model.stateDict(), metadata));
    model.dispose();
    expect(parseDetectionRecipe(await finetuneRecipe(path))).toMatchObject({
      model: 'cascade-mask-rcnn-as-mlp-nano',
      shiftSize: 3,
      widths: { channels: 8, boxFcChannels: 16, maskConvs: 1, rpnChannels: 256 },
      augmentation: { shortSides: [320, 336, 352, 368, 384, 400], longSide: 666 },
      testShortSide: 400,
      testLongSide: 666,
      batchSize: 2,
    });
  });

  it('puts Mask R-CNN on the backbone of a classifier', async () => {
    const backbone = createAsMlp(variantConfig('as-mlp-nano'), { out: 'final' });
    const path = join(folder, 'classifier.safetensors');
    await writeFile(path, encodeSafetensors(await backbone.stateDict(), { shift_size: '3' }));
    backbone.dispose();
    expect(await finetuneRecipe(path)).toMatchObject({ model: 'mask-rcnn-as-mlp-nano', shiftSize: 3 });
  });
});

describe('atScale', () => {
  it('keeps the proportions of the shorter sides, and all else', () => {
    const scale = { longSide: 666, shortSide: 400 };
    expect(atScale(FINETUNE_RECIPE, scale)).toEqual({
      ...FINETUNE_RECIPE,
      augmentation: { flip: 0.5, crop: 0, shortSides: [320, 336, 352, 368, 384, 400], longSide: 666 },
      testShortSide: 400,
      testLongSide: 666,
    });
    const { shortSides } = parseDetectionRecipe(atScale({}, scale)).augmentation;
    expect([shortSides.length, shortSides[0], shortSides.at(-1)]).toEqual([11, 240, 400]);
  });
});
