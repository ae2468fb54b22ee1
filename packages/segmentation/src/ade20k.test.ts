import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { ADE20K_CLASSES, ADE20K_PALETTE, isAde20k } from './ade20k.ts';

it('has the 150 classes and colours of the benchmark', () => {
  expect(ADE20K_CLASSES).toHaveLength(150);
  expect(new Set(ADE20K_CLASSES).size).toBe(150);
  expect([ADE20K_CLASSES[0], ADE20K_CLASSES[12], ADE20K_CLASSES[149]]).toEqual(['wall', 'person', 'flag']);
  expect([ADE20K_PALETTE[0], ADE20K_PALETTE[2], ADE20K_PALETTE[149]]).toEqual([
    [120, 120, 120],
    [6, 230, 230],
    [92, 0, 255],
  ]);
  // Of the list in mmsegmentation, written without spaces.
  expect(createHash('sha256').update(JSON.stringify(ADE20K_PALETTE)).digest('hex')).toBe(
    'd138948649f9dca77ee0a66c6d8d147cf2747c8524990e345c61ec495bfd6e16',
  );
});

it('knows its classes with their synonyms, and no others', () => {
  expect(isAde20k(ADE20K_CLASSES)).toBe(true);
  expect(isAde20k(ADE20K_CLASSES.map((name) => `Something, ${name}`))).toBe(true);
  expect(isAde20k(ADE20K_CLASSES.toSpliced(3, 1, 'lava'))).toBe(false);
  expect(isAde20k(ADE20K_CLASSES.slice(1))).toBe(false);
});
