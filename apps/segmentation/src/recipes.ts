import { addDenseRecipeOptions, type Command, type DenseRecipeFlags } from '@as-mlp/app';

/** Recipes that can be named. */
const RECIPES = ['official', 'finetune', 'digit-scenes'] as const;

/** Options that choose the settings to start from. */
export interface RecipeFlags extends DenseRecipeFlags {
  readonly recipe?: (typeof RECIPES)[number];
}

/** Adds `--recipe`, `--finetune` and `--scale`. */
export const recipeOptions = (command: Command): Command =>
  addDenseRecipeOptions(
    command,
    RECIPES,
    'the official 160,000 updates, a small data set of your own, or the demo',
  );

/** The settings that the flags name: a recipe, that of going on from weights, that of the data, or the official one. */
export async function presetOf(flags: RecipeFlags): Promise<Record<string, unknown>> {
  const { atScale } = await import('@as-mlp/segmentation');
  const preset = await namedPreset(flags);
  const { scale } = flags;
  return scale ? atScale(preset, { longSide: scale[0], shortSide: scale[1] }) : preset;
}

async function namedPreset({ data, model, recipe, finetune }: RecipeFlags) {
  const segmentation = await import('@as-mlp/segmentation');
  const { DIGIT_SCENES, DIGIT_SCENES_RECIPE, FINETUNE_RECIPE, OFFICIAL_MODELS } = segmentation;
  if (finetune !== undefined && (recipe ?? 'finetune') === 'finetune') {
    return await segmentation.finetuneRecipe(finetune);
  }
  const network = model ?? OFFICIAL_MODELS[0]!;
  const official = () =>
    segmentation.officialRecipe(network, segmentation.openExamples(data, 'train').length);
  switch (recipe) {
    case 'official':
      return official();
    case 'finetune':
      return FINETUNE_RECIPE;
    case 'digit-scenes':
      return DIGIT_SCENES_RECIPE;
    default:
      if (data === DIGIT_SCENES) return DIGIT_SCENES_RECIPE;
      return OFFICIAL_MODELS.includes(network) ? official() : {};
  }
}
