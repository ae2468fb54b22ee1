import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { checkData, type DataPart } from './check-data.ts';

const part: DataPart = {
  labels: ['a', 'b', 'c'],
  length: 6,
  load: { module: new URL('./check-data.fixture.ts', import.meta.url), export: 'factsOfProbes' },
  faults: ['the list is old.'],
};

describe('checkData', () => {
  it.each([0, 1])('counts, measures and names faults, with %i threads', async (workers) => {
    const done: string[] = [];
    const onProgress = (n: number, total: number) => void done.push(`${n}/${total}`);
    const [report, missing] = await checkData(
      ['train', 'val'],
      (split) => {
        if (split === 'train') return part;
        throw new AsMlpError('input', { where: 'val', what: 'there is no such folder' });
      },
      { workers, onProgress },
    );
    expect(report).toEqual({
      split: 'train',
      images: 6,
      objects: 6,
      empty: 1,
      height: { min: 10, median: 12, max: 15 },
      width: { min: 20, median: 20, max: 20 },
      classes: [
        { name: 'a', images: 1, objects: 2 },
        { name: 'b', images: 2, objects: 2 },
        { name: 'c', images: 0, objects: 0 },
      ],
      faults: [
        'the list is old.',
        '2.png: it is odd.',
        '4.png: it has class 7, and there are 3 classes, from 0.',
        '5.png: it has class -1, and there are 3 classes, from 0.',
        '3.png (sample 3): it is damaged.',
      ],
    });
    expect(missing).toMatchObject({ split: 'val', images: 0, faults: ['val: there is no such folder.'] });
    expect(done).toEqual(['6/6']);
  });

  it('can be stopped', async () => {
    const check = checkData(['train'], () => part, { workers: 0, signal: AbortSignal.abort() });
    await expect(check).rejects.toMatchObject({ kind: 'cancelled' });
  });
});
