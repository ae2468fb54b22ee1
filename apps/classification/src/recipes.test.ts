import {
  DIGITS_RECIPE,
  IMAGENET_RECIPE,
  parseClassificationRecipe,
  SMALL_PHOTOS_RECIPE,
} from '@as-mlp/classification';
import { describe, expect, it } from 'vitest';
import { presetOf } from './recipes.ts';

describe('presetOf', () => {
  it.each([
    ['imagenet', IMAGENET_RECIPE],
    ['small-photos', SMALL_PHOTOS_RECIPE],
    ['digits', DIGITS_RECIPE],
  ] as const)('finds the recipe %s', async (recipe, preset) => {
    const settings = await presetOf({ data: 'photos', recipe });
    expect(settings).toEqual(preset);
    expect(parseClassificationRecipe(settings)).toMatchObject(preset);
  });

  it('takes that of the digits for the digits, unless another is named', async () => {
    expect(await presetOf({ data: 'mnist' })).toEqual(DIGITS_RECIPE);
    expect(await presetOf({ data: 'mnist', recipe: 'imagenet' })).toEqual(IMAGENET_RECIPE);
    expect(await presetOf({ data: 'photos' })).toEqual({});
  });
});
