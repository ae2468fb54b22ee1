import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { scratchFolder } from './terminal.fixture.ts';
import { weightSettings } from './weights.ts';

it('says only what the flags say', async () => {
  const folder = scratchFolder();
  const labels = join(folder, 'labels.txt');
  writeFileSync(labels, 'cat\ndog\n');
  expect(await weightSettings({})).toEqual({});
  expect(await weightSettings({ shiftSize: 3, labels })).toEqual({ shiftSize: 3, labels: ['cat', 'dog'] });
  await expect(weightSettings({ labels: join(folder, 'gone') })).rejects.toThrow('there is no such file');
});
