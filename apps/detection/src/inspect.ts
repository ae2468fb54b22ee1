import { annotated, applySettings, type InspectFlags, inspectVerb } from '@as-mlp/app';
import { presetOf, type RecipeFlags, recipeOptions } from './recipes.ts';

type Flags = InspectFlags & RecipeFlags;

/** `inspect`: what training would see, drawn: images after augmentation with their boxes, masks and labels. */
export const inspect = inspectVerb<Flags>({
  description: 'draw training images as they are after augmentation, with their objects',
  setting: 'augmentation.flip=0',
  addOptions: (command) => void recipeOptions(command),
  async *examples(flags) {
    const { parseDetectionRecipe, variedExamples, wholeMask } = await import('@as-mlp/detection');
    const { data, count, seed, set = [] } = flags;
    const { augmentation } = parseDetectionRecipe(applySettings({ ...(await presetOf(flags)) }, set));
    for await (const example of variedExamples({ data, augmentation, count, seed })) {
      const { image, boxes, labels, masks, classes, name } = example;
      const objects = Array.from(labels, (index, k) => ({
        label: classes[index]!,
        index,
        box: Array.from(boxes.subarray(4 * k, 4 * k + 4)),
        mask: () => wholeMask(masks[k]!, image),
      }));
      yield { name, draw: (side) => annotated(image, objects, side === undefined ? {} : { side }) };
    }
  },
});
