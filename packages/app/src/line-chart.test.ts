import { describe, expect, it } from 'vitest';
import { lineChart, sparkline } from './line-chart.ts';

describe('lineChart', () => {
  it('puts points where they belong, on a logarithmic axis too', () => {
    const points = [
      [1, 0],
      [10, 1],
      [50, Number.NaN],
      [100, 2],
    ] as const;
    const chart = { title: 'a < b', x: 'x', y: 'y', lines: [{ name: 'one', points }] };
    // 72 to 620 across, 272 up to 34.
    expect(lineChart({ ...chart, logX: true })).toContain('points="72.0,272.0 346.0,153.0 620.0,34.0"');
    expect(lineChart(chart)).toContain('points="72.0,272.0 121.8,153.0 620.0,34.0"');
    expect(lineChart(chart)).toContain('a &lt; b');
  });

  it('marks places, names several lines, and stands one value and none', () => {
    const lines = ['one', 'two'].map((name) => ({ name, points: [[3, 5]] as const }));
    const svg = lineChart({ title: '', x: '', y: '', lines, marks: [{ x: 3, label: 'here' }] });
    expect(svg).toContain('>two</text>');
    expect(svg).toContain('>here</text>');
    expect(svg).not.toContain('NaN');
    expect(lineChart({ title: '', x: '', y: '', lines: [] })).not.toContain('NaN');
  });
});

describe('sparkline', () => {
  it('is a row of bars', () => {
    expect(sparkline([0, 1, 2, 7])).toBe('▁▂▃█');
    expect(sparkline([3, 3])).toBe('▁▁');
  });
});
