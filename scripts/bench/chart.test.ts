import { describe, expect, it } from 'vitest';
import { barChart } from './chart.ts';

const bars = [
  { label: 'mine', value: 50, isOwn: true },
  { label: 'a < b & c', value: 100, isOwn: false },
  { label: 'tiny', value: 0.001234, isOwn: false },
];
const svg = barChart([{ title: 'images a second', bars }]);
const widths = [...svg.matchAll(/<rect class="(\w+)" .* width="([\d.]+)"/g)].map(([, kind, width]) => [
  kind,
  width,
]);

describe('barChart', () => {
  it('draws lengths in proportion, and no bar of nothing', () => {
    expect(widths).toEqual([
      ['own', '230.0'],
      ['peer', '460.0'],
      ['peer', '1.0'],
    ]);
  });

  it('writes labels and values as text', () => {
    expect(svg).toContain('>a &lt; b &amp; c</text>');
    for (const value of ['50.0', '100', '0.00123']) expect(svg).toContain(`>${value}</text>`);
  });

  it('has colours for both themes and no background', () => {
    expect(svg).toContain('prefers-color-scheme: dark');
    expect(svg.match(/<rect/g)).toHaveLength(bars.length);
  });

  it('stacks groups, each with a scale of its own', () => {
    const group = (value: number) => ({ title: 'g', bars: [{ label: 'x', value, isOwn: true }] });
    const two = barChart([group(1), group(1000)]);
    expect([...two.matchAll(/y="(\d+)" width="460.0"/g)].map(([, y]) => y)).toEqual(['34', '92']);
    expect(two).toContain('viewBox="0 0 720 116"');
  });
});
