import { applySettings, type InspectFlags, inspectVerb, overlaid, withLegend } from '@as-mlp/app';
import { legendOf } from './colours.ts';
import { presetOf, type RecipeFlags, recipeOptions } from './recipes.ts';

type Flags = InspectFlags & RecipeFlags;

/** `inspect`: what training would see, drawn: crops after augmentation, tinted with the classes of their pixels. */
export const inspect = inspectVerb<Flags>({
  description: 'draw training crops as they are after augmentation, tinted with their classes',
  setting: 'augmentation.flip=0',
  addOptions: (command) => void recipeOptions(command),
  async *examples(flags) {
    const { paletteFor, parseSegmentationRecipe, variedExamples } = await import('@as-mlp/segmentation');
    const { data, count, seed, set = [] } = flags;
    const recipe = parseSegmentationRecipe(applySettings({ ...(await presetOf(flags)) }, set));
    const { augmentation, cropSize, reduceZeroLabel } = recipe;
    const options = { data, augmentation, cropSize, reduceZeroLabel, count, seed };
    for await (const { image, labels, name, classes, palette, ignore } of variedExamples(options)) {
      const colours = palette ?? paletteFor(classes.length);
      const present = new Set(labels.data);
      const legend = legendOf(classes, colours).filter((_, index) => present.has(index));
      if (present.has(ignore)) legend.push({ text: 'not tinted: ignored' });
      yield {
        name,
        draw: async (side) => {
          const picture = overlaid(image, labels, colours, { side });
          return side === undefined ? await withLegend(picture, legend) : picture;
        },
      };
    }
  },
});
