import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PartReport } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import { checkDataVerb } from './check-data.ts';
import { runVerbs, scratchFolder } from './terminal.fixture.ts';

const spread = { min: 1, median: 2, max: 3 };
const part = (split: string, faults: readonly string[]): PartReport => ({
  split,
  images: 1200,
  objects: 3,
  empty: 1,
  height: spread,
  width: spread,
  classes: [{ name: 'cat', images: 2, objects: 3 }],
  faults,
});
const check = (faults: readonly string[], ...args: string[]) =>
  runVerbs(
    [
      checkDataVerb({
        check: async (_, { onProgress }) => {
          onProgress?.(1200, 1200);
          return [part('train', faults), part('val', [])];
        },
      }),
    ],
    'check-data',
    '--data',
    'd',
    ...args,
  );

describe('check-data', () => {
  it('prints tables', async () => {
    const { code, out, log } = await check([]);
    expect({ code, log }).toEqual({ code: 0, log: [] });
    expect(out).toMatch(/^train +1,200 +3 +1 +1 \/ 2 \/ 3 +1 \/ 2 \/ 3 +0$/m);
    expect(out).toMatch(/^cat +2 +3 +2 +3$/m);
  });

  it('fails where there are faults, names the first and keeps all as JSON', async () => {
    const faults = Array.from({ length: 25 }, (_, i) => `${i}.png: it is damaged.`);
    const file = join(scratchFolder(), 'found.json');
    const { code, log } = await check(faults, '--json', file);
    expect(code).toBe(1);
    expect(log).toHaveLength(21);
    expect(log[0]).toBe('train: 0.png: it is damaged.');
    expect(log[20]).toContain('error: d: 25 faults; the first 20 are named above.');
    expect(JSON.parse(readFileSync(file, 'utf8')).parts[0].faults).toEqual(faults);
    const { out } = await check(faults, '--json', '-');
    expect(JSON.parse(out)).toMatchObject({ data: 'd', parts: [{ images: 1200 }, { split: 'val' }] });
  });
});
