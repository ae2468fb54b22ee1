import { openEngine } from '@as-mlp/engine';
import type { Compile } from '@as-mlp/nn';
import { describe, expect, it } from 'vitest';
import { openDataset } from './dataset.ts';
import { loadClassifier } from './load.ts';
import { PRETRAINED } from './pretrained.ts';

const DIGITS = 400;

const engine = await openEngine({ log: () => undefined });

describe.skipIf(engine.name !== 'native' || engine.device !== 'cpu')('bf16', () => {
  it('reads the digits that float32 reads', async () => {
    const dataset = openDataset('mnist', { split: 'val' });
    const images = await Promise.all(Array.from({ length: DIGITS }, (_, i) => dataset.load(i)));
    // On processors that lack the instructions too.
    const inBf16: Compile = (fn, options) => engine.compile(fn, { ...options, precision: 'bf16' });
    const [wide, narrow] = await Promise.all(
      [engine.compile, inBf16].map(async (compile) => {
        const classifier = await loadClassifier(PRETRAINED.digits, { compile });
        const predictions = await classifier.classify(images, { topK: 1 });
        classifier.dispose();
        return predictions.map(([best]) => best!);
      }),
    );
    const agreeing = wide!.filter(({ index }, i) => index === narrow![i]!.index).length;
    expect(agreeing / DIGITS).toBeGreaterThanOrEqual(0.99);
    // Not the same numbers: products are in bfloat16.
    expect(wide!.some(({ score }, i) => Math.abs(score - narrow![i]!.score) > 1e-5)).toBe(true);
  });
});
