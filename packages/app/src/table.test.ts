import { describe, expect, it } from 'vitest';
import { formatCsv, formatTable } from './table.ts';

describe('formatTable', () => {
  it('pads columns, puts numbers to the right and leaves no spaces at the end of a line', () => {
    const rows = [
      ['disc', '9.50 %', '4'],
      ['a longer name', '–', '1,000'],
    ];
    expect(formatTable(['class', 'top-1', 'n'], rows)).toBe(
      [
        'class           top-1      n',
        '─────────────  ──────  ─────',
        'disc           9.50 %      4',
        'a longer name       –  1,000',
        '',
      ].join('\n'),
    );
  });

  it('takes rows with missing cells, and no rows', () => {
    expect(formatTable(['a', 'b'], [['x']])).toBe('a  b\n─  ─\nx\n');
    expect(formatTable(['a', 'b'], [])).toBe('a  b\n─  ─\n');
  });
});

describe('formatCsv', () => {
  it('quotes only what needs it', () => {
    const rows = [
      ['label', 'n'],
      ['crane, bird', 1],
      ['12" pizza', null],
      ['two\nlines', 0.5],
    ];
    expect(formatCsv(rows)).toBe('label,n\n"crane, bird",1\n"12"" pizza",\n"two\nlines",0.5\n');
  });
});
