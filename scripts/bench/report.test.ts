import { describe, expect, it } from 'vitest';
import type { Figures } from './figures.ts';
import { formatReport, markdownTable } from './report.ts';
import type { Outcome } from './rounds.ts';

const outcome = (name: string, p50: number, factor: number): Outcome => ({
  name,
  p50,
  p95: p50 + 1,
  rounds: [p50],
  ratio: { median: factor, min: factor, max: factor },
  peakMiB: 600,
  others: { median: 0.04, min: 0, max: 0.2 },
});

const figures: Figures = {
  about: {
    model: 'as-mlp-tiny',
    side: 224,
    rounds: 5,
    date: '2026-01-01T00:00:00.000Z',
    node: '20.19.0',
    processor: 'a processor',
    processors: 2,
    difference: 0.000002,
  },
  inference: {
    batches: [{ batch: 1, outcomes: [outcome('compiled', 100, 1), outcome('eager', 250, 2.5)] }],
    flops: 8e9,
    gemm: [{ name: 'native engine', rate: 160e9 }],
  },
};

describe('formatReport', () => {
  const lines = formatReport(figures).split('\n');

  it('has a row for each contestant, with its share of the best matrix product', () => {
    expect(lines[0]).toMatch(/^\| forward pass, batch 1 \| +time, compiled = 1 \|/);
    expect(lines[2]!.split('|').map((cell) => cell.trim())).toEqual([
      '',
      'compiled',
      '1.00 (1.00–1.00)',
      '100.0',
      '101.0',
      '10.0',
      '600',
      '50 %',
      '',
    ]);
    expect(lines[3]).toContain('2.50 (2.50–2.50)');
  });

  it('says of a row what is not as its name says', () => {
    const kept = { ...outcome('compiled, bf16', 100, 1.01), note: 'float32 kept' };
    const inference = { ...figures.inference!, batches: [{ batch: 1, outcomes: [kept] }] };
    expect(formatReport({ ...figures, inference })).toContain('| compiled, bf16 (float32 kept) | 1.01');
  });

  it('says what was measured, how equal the networks are, and what else ran', () => {
    expect(lines.at(-2)).toBe(
      "as-mlp-tiny at 224², 2 × a processor, Node 20.19.0, rounds: 5; PyTorch's logits differ by at most 2.0e-6; other programs took 4 % of the processors.",
    );
  });

  it('does without the native engine, whose matrix products are the measure', () => {
    const { batches, flops } = figures.inference!;
    const report = formatReport({ ...figures, inference: { batches, flops, gemm: [] } });
    expect(report).toMatch(/\| compiled +\|.*\| +– \|/);
    expect(report).toContain('\n\nOne image is 8.00 GFLOP.');
  });

  it('leaves out what was not measured', () => {
    expect(formatReport(figures)).not.toContain('training');
    const nobody = { ...figures, training: { batch: 8, outcomes: [] } };
    expect(formatReport(nobody)).toBe(formatReport(figures));
    expect(formatReport({ about: figures.about }).trim().split('\n')).toHaveLength(1);
  });
});

describe('markdownTable', () => {
  it('aligns text to the left and numbers to the right', () => {
    expect(markdownTable(['name', 'ms'], [['a', '10.5']])).toBe(
      '| name |   ms |\n| ---- | ---: |\n| a    | 10.5 |',
    );
  });
});
