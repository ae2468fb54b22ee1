import { describe, expect, it } from 'vitest';
import { replaceFigures } from './results.ts';

describe('replaceFigures', () => {
  const begin = '<!-- figures: begin -->';
  const end = '<!-- figures: end -->';

  it('leaves everything outside the markers as it was, however often it is done', () => {
    const once = replaceFigures(`before\n${begin}\nold\n${end}\nafter\n`, '| new |\n', 'a.md');
    expect(once).toBe(`before\n${begin}\n\n| new |\n\n${end}\nafter\n`);
    expect(replaceFigures(once, '| new |\n', 'a.md')).toBe(once);
  });

  it('says when a document has no place for them', () => {
    expect(() => replaceFigures('nothing', '', 'a.md')).toThrow('a.md: there is no place for the figures');
    expect(() => replaceFigures(`${end} ${begin}`, '', 'a.md')).toThrow('no place');
  });
});
