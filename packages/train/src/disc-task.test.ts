import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { trainDisc } from './disc-task.fixture.ts';
import { temporaryFolder } from './tiny-task.fixture.ts';

describe('the task of one’s own in docs/training.md', () => {
  it('is the one that runs here', () => {
    const example = readFileSync(new URL('./disc-task.fixture.ts', import.meta.url), 'utf8');
    const docs = readFileSync(new URL('../../../docs/training.md', import.meta.url), 'utf8');
    expect(docs).toContain(example.replace("'./index.ts'", "'@as-mlp/train'"));
  });

  it('learns, stops and goes on', async () => {
    const folder = join(temporaryFolder(), 'disc');
    expect(await trainDisc(folder, AbortSignal.abort())).toMatchObject({ completed: false, step: 0 });
    const result = await trainDisc(folder);
    expect(result).toMatchObject({ completed: true, step: 500 });
    expect(result.best!.metrics.accuracy).toBeGreaterThan(0.95);
  });
});
