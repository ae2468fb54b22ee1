import { basename, extname, join } from 'node:path';
import {
  annotated,
  applySettings,
  collect,
  contactSheet,
  outputFolder,
  type Tile,
  type Verb,
  wholeNumber,
  writePicture,
} from '@as-mlp/app';
import { presetOf, type RecipeFlags, recipeOption } from './recipes.ts';

interface Flags extends RecipeFlags {
  readonly out: string;
  readonly count: number;
  readonly seed: number;
  readonly set?: readonly string[];
}

const TILE = 320;

/** `inspect`: what training would see, drawn: images after augmentation with their boxes, masks and labels. */
export const inspect: Verb = (program, { terminal, signal }) => {
  const command = program
    .command('inspect')
    .description('draw training images as they are after augmentation, with their objects')
    .requiredOption('--data <folder>', 'the data set')
    .requiredOption('--out <folder>', 'where the pictures go')
    .option('--count <n>', 'images to draw', wholeNumber(1), 12)
    .option('--seed <n>', 'which images, and how they are varied', wholeNumber(0), 0)
    .option('--set <path=value>', 'a setting of the recipe, e.g. augmentation.flip=0', collect);
  recipeOption(command).action(async (flags: Flags) => {
    const { parseDetectionRecipe, variedExamples, wholeMask } = await import('@as-mlp/detection');
    const { data, count, seed, set = [] } = flags;
    const { augmentation } = parseDetectionRecipe(applySettings({ ...(await presetOf(flags)) }, set));
    const folder = await outputFolder(flags.out);
    const tiles: Tile[] = [];
    let number = 0;
    for await (const example of variedExamples({ data, augmentation, count, seed })) {
      signal.throwIfAborted();
      const { image, boxes, labels, masks, classes, name } = example;
      const objects = Array.from(labels, (index, k) => ({
        label: classes[index]!,
        index,
        box: Array.from(boxes.subarray(4 * k, 4 * k + 4)),
        mask: () => wholeMask(masks[k]!, image),
      }));
      const stem = basename(name, extname(name)).replaceAll(' ', '-');
      await writePicture(
        join(folder, `${String(number++).padStart(3, '0')}-${stem}.png`),
        await annotated(image, objects),
      );
      tiles.push({ image: await annotated(image, objects, { side: TILE }), caption: basename(name) });
    }
    const sheet = join(folder, 'sheet.png');
    await writePicture(sheet, await contactSheet(tiles, { tileSize: TILE }));
    terminal.out(`${tiles.length} images: ${sheet}\n`);
  });
};
