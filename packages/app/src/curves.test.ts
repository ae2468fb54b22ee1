import { describe, expect, it } from 'vitest';
import { curveFigure } from './curves.ts';

const CURVES = [
  { name: 'high & low', values: [1, 0.5, 0] },
  { name: 'flat', values: [0.25, 0.25] },
];

describe('curveFigure', () => {
  it('draws each curve from the left edge to the right one, 1 at the top', () => {
    const svg = curveFigure({
      x: 'recall',
      y: 'precision',
      main: { title: 'mean', curves: CURVES },
      small: [],
    });
    const points = [...svg.matchAll(/points="([^"]+)"/g)].map(([, text]) => text);
    expect(points).toEqual(['54.0,30.0 234.0,210.0 414.0,390.0', '54.0,300.0 414.0,300.0']);
  });

  it('names curves in a legend, titles panels and escapes what it writes', () => {
    const small = Array.from({ length: 8 }, (_, i) => ({ title: `<${i}>`, curves: CURVES }));
    const svg = curveFigure({ x: 'recall', y: 'precision', main: { title: 'mean', curves: CURVES }, small });
    expect(svg).toContain('>high &amp; low</text>');
    expect(svg).toContain('>&lt;7&gt;</text>');
    expect(svg.match(/<polyline/g)).toHaveLength(2 + 16);
    // Six panels a row.
    const heightOf = (text: string) => Number(/height="(\d+)"/.exec(text)![1]);
    const six = curveFigure({ x: '', y: '', main: { title: '', curves: [] }, small: small.slice(0, 6) });
    expect(heightOf(svg)).toBeGreaterThan(heightOf(six));
  });
});
