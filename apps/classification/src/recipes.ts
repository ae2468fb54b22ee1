import { type Command, choice } from '@as-mlp/app';

/** Recipes that can be named. */
const RECIPES = ['imagenet', 'small-photos', 'digits', 'digit-scenes'] as const;

/** Options that choose the settings to start from. */
export interface RecipeFlags {
  readonly data: string;
  readonly recipe?: (typeof RECIPES)[number];
}

/** Adds `--recipe`. */
export function recipeOption(command: Command): void {
  command.addOption(
    choice(
      '--recipe <name>',
      'settings to start from: the official 300 epochs, a small set of photos of your own, the digits, or single digits in scenes',
      RECIPES,
    ),
  );
}

/** The settings that the flags name: a recipe, that of the digits for `mnist`, or none: the official ones, an update a batch. */
export async function presetOf({ data, recipe }: RecipeFlags): Promise<Record<string, unknown>> {
  const { DIGIT_SCENES, DIGIT_SCENES_RECIPE, DIGITS_RECIPE, IMAGENET_RECIPE, SMALL_PHOTOS_RECIPE } =
    await import('@as-mlp/classification');
  switch (recipe) {
    case 'imagenet':
      return IMAGENET_RECIPE;
    case 'small-photos':
      return SMALL_PHOTOS_RECIPE;
    case 'digits':
      return DIGITS_RECIPE;
    case 'digit-scenes':
      return DIGIT_SCENES_RECIPE;
    default:
      if (data === DIGIT_SCENES) return DIGIT_SCENES_RECIPE;
      return data === 'mnist' ? DIGITS_RECIPE : {};
  }
}
