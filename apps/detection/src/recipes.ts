import { addDenseRecipeOptions, type Command, type DenseRecipeFlags } from '@as-mlp/app';

/** Recipes that can be named. */
const RECIPES = ['1x', '3x', 'finetune', 'digit-scenes'] as const;

/** Options that choose the settings to start from. */
export interface RecipeFlags extends DenseRecipeFlags {
  readonly recipe?: (typeof RECIPES)[number];
}

/** Adds `--recipe`, `--finetune` and `--scale`. */
export const recipeOptions = (command: Command): Command =>
  addDenseRecipeOptions(
    command,
    RECIPES,
    'the official 12 or 36 epochs, a small data set of your own, or the demo',
  );

/** The settings that the flags name: a recipe, that of going on from weights, that of the data, or the official 1x. */
export async function presetOf(flags: RecipeFlags): Promise<Record<string, unknown>> {
  const { atScale } = await import('@as-mlp/detection');
  const preset = await namedPreset(flags);
  const { scale } = flags;
  return scale ? atScale(preset, { longSide: scale[0], shortSide: scale[1] }) : preset;
}

async function namedPreset({ data, model, recipe, finetune }: RecipeFlags) {
  const {
    DIGIT_SCENES,
    DIGIT_SCENES_RECIPE,
    FINETUNE_RECIPE,
    finetuneRecipe,
    officialRecipe,
    OFFICIAL_MODELS,
  } = await import('@as-mlp/detection');
  if (finetune !== undefined && (recipe ?? 'finetune') === 'finetune') return await finetuneRecipe(finetune);
  const official = model ?? OFFICIAL_MODELS[0]!;
  switch (recipe) {
    case '1x':
    case '3x':
      return officialRecipe(official, recipe);
    case 'finetune':
      return FINETUNE_RECIPE;
    case 'digit-scenes':
      return DIGIT_SCENES_RECIPE;
    default:
      if (data === DIGIT_SCENES) return DIGIT_SCENES_RECIPE;
      return OFFICIAL_MODELS.includes(official) ? officialRecipe(official, '1x') : {};
  }
}
