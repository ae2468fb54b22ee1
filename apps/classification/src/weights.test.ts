import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { classifierOptions } from './weights.ts';

it('says only what the flags say', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'asmlp-labels-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, 'cat\ndog\n');
  expect(await classifierOptions({})).toEqual({});
  expect(await classifierOptions({ shiftSize: 3, labels })).toEqual({ shiftSize: 3, labels: ['cat', 'dog'] });
  await expect(classifierOptions({ labels: join(folder, 'gone') })).rejects.toThrow('there is no such file');
});
