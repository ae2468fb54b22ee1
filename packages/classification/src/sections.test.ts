import type { PicturesSection } from '@as-mlp/train';
import { describe, expect, it } from 'vitest';
import type { ImageDataset } from './dataset.ts';
import { classificationSections, createGuesses } from './sections.ts';

const image = (index: number) => ({ height: 1, width: 1, data: Uint8Array.of(index, index, index) });
const heldOut: ImageDataset = {
  labels: ['cat', 'dog'],
  targets: [0, 0, 1, 1, 1],
  source: 'test',
  name: (index) => `${index}.png`,
  load: async (index) => image(index),
};

describe('classificationSections', () => {
  it('shows the surest answers and loads their images alone', async () => {
    const guesses = createGuesses(5);
    guesses.add({ index: 0, target: 0, predicted: 0, confidence: 0.75 });
    guesses.add({ index: 1, target: 0, predicted: 1, confidence: 0.5 });
    guesses.add({ index: 2, target: 1, predicted: 1, confidence: 1 });
    guesses.add({ index: 3, target: 1, predicted: 0, confidence: 0.625 });
    // The last image could not be read.
    const loaded: number[] = [];
    const watched = { ...heldOut, load: async (index: number) => image(loaded.push(index)) };
    const confusion = Uint32Array.of(1, 1, 1, 1);
    const perClass = [
      { label: 'cat', index: 0, count: 2, top1: 0.5 },
      { label: 'dog', index: 1, count: 2, top1: null },
    ];
    const metrics = { top1: 0.5, top5: 1, count: 4 };
    const sections = await classificationSections(
      { metrics, perClass, confusion, failures: [] },
      guesses,
      watched,
    );
    expect(sections.map(({ kind }) => kind)).toEqual(['matrix', 'table', 'pictures', 'pictures']);
    expect(sections[0]).toMatchObject({ counts: confusion, labels: ['cat', 'dog'] });
    expect(sections[1]).toMatchObject({
      rows: [
        ['cat', 2, 0.5],
        ['dog', 2, null],
      ],
    });
    const [wrong, right] = sections.slice(2).map((section) => section as PicturesSection);
    expect(wrong!.pictures.map(({ caption }) => caption)).toEqual([
      'dog, taken for cat (62.5 %)',
      'cat, taken for dog (50.0 %)',
    ]);
    expect(right!.pictures.map(({ caption }) => caption)).toEqual(['dog (100.0 %)', 'cat (75.0 %)']);
    expect(loaded).toEqual([3, 1, 2, 0]);
  });
});
