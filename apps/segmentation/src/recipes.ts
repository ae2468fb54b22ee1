import { type Command, choice, sides } from '@as-mlp/app';

/** Recipes that can be named. */
const RECIPES = ['official', 'finetune', 'digit-scenes'] as const;

/** Options that choose the settings to start from. */
export interface RecipeFlags {
  readonly data: string;
  readonly model?: string;
  readonly recipe?: (typeof RECIPES)[number];
  readonly finetune?: string;
  /** Longer and shorter side, in pixels. */
  readonly scale?: readonly [long: number, short: number];
}

/** Adds `--recipe`, `--finetune` and `--scale`. */
export function recipeOptions(command: Command): Command {
  return command
    .addOption(
      choice(
        '--recipe <name>',
        'settings to start from: the official 160,000 updates, a small data set of your own, or the demo',
        RECIPES,
      ),
    )
    .option(
      '--finetune <file>',
      'as --weights, with the network of that file and the recipe for small data sets',
    )
    .option(
      '--scale <long,short>',
      'images are resized to fit into this, in pixels, in training and evaluation',
      sides,
    );
}

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
