import { describe, expect, it } from 'vitest';
import { openDataset, parseClassificationRecipe } from './index.ts';
import { DIGITS_RECIPE } from './recipe.ts';
import { createClassificationTask } from './task.ts';

describe('createClassificationTask', () => {
  it('says what it learns from, and shows a batch as the network gets it', async () => {
    const recipe = parseClassificationRecipe({
      ...DIGITS_RECIPE,
      batchSize: 4,
      workers: 0,
      augmentation: { kind: 'shift', pixels: 0, flip: 0 },
    });
    const task = createClassificationTask({ data: 'mnist', recipe });
    expect(task.describeData!()).toEqual({ training: 60_000, validation: 10_000, classes: task.labels });
    for await (const batch of task.batches(0, 0)) {
      const shown = task.preview!(batch);
      expect(shown.map(({ caption }) => caption)).toEqual([...batch.targets].map(String));
      const digits = openDataset('mnist', { split: 'train' });
      const index = Number(/\d+/.exec(batch.names[0]!)![0]);
      const { data } = await digits.load(index);
      const sum = (bytes: Uint8Array) => bytes.reduce((a, b) => a + b, 0);
      // The same digit, enlarged from 28 to 32 pixels.
      expect(sum(shown[0]!.image.data) / sum(data)).toBeCloseTo((32 / 28) ** 2, 1);
      break;
    }
    task.model.dispose();
  });
});
