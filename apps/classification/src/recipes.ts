import { type Command, choice } from '@as-mlp/app';

/** Recipes that can be named. */
const RECIPES = ['imagenet', 'small-photos', 'digits'] as const;

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
      'settings to start from: the official 300 epochs, a small set of photos of your own, or the digits',
      RECIPES,
    ),
  );
}

/** The settings that the flags name: a recipe, that of the digits for `mnist`, or none: the official ones, an update a batch. */
export async function presetOf({ data, recipe }: RecipeFlags): Promise<Record<string, unknown>> {
  const { DIGITS_RECIPE, IMAGENET_RECIPE, SMALL_PHOTOS_RECIPE } = await import('@as-mlp/classification');
  switch (recipe) {
    case 'imagenet':
      return IMAGENET_RECIPE;
    case 'small-photos':
      return SMALL_PHOTOS_RECIPE;
    case 'digits':
      return DIGITS_RECIPE;
    default:
      return data === 'mnist' ? DIGITS_RECIPE : {};
  }
}
