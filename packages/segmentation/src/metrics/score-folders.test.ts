import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encodeLabels, type LabelMap } from '@as-mlp/data';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { labelMap } from '../golden.fixture.ts';
import { scoreFolders } from './score-folders.ts';

let root: string;
let options: { predictions: string; groundTruth: string; numClasses: number };
const put = async (folder: 'predictions' | 'groundTruth', name: string, map: LabelMap) =>
  writeFile(join(options[folder], name), await encodeLabels(map));

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'score-'));
  options = { predictions: join(root, 'p'), groundTruth: join(root, 'g'), numClasses: 2 };
  await mkdir(options.predictions);
  await mkdir(options.groundTruth);
});
afterEach(() => rm(root, { recursive: true }));

describe('scoreFolders', () => {
  it('scores all files together', async () => {
    for (let i = 0; i < 9; i++) {
      await put('groundTruth', `${i}.png`, labelMap([[0, 1, 1, 255]]));
      await put('predictions', `${i}.png`, labelMap([[0, 1, i % 3 === 0 ? 0 : 1, 0]]));
    }
    await writeFile(join(options.predictions, 'notes.txt'), 'not looked at');
    const seen: number[] = [];
    const result = await scoreFolders({
      ...options,
      labels: ['a', 'b'],
      onProgress: (done) => void seen.push(done),
    });
    expect(result).toEqual({
      mIoU: (9 / 12 + 15 / 18) / 2,
      mAcc: (1 + 15 / 18) / 2,
      aAcc: 24 / 27,
      perClass: [
        { label: 'a', index: 0, iou: 9 / 12, acc: 1, dice: 18 / 21 },
        { label: 'b', index: 1, iou: 15 / 18, acc: 15 / 18, dice: 30 / 33 },
      ],
      confusion: [
        [9, 0],
        [3, 15],
      ],
    });
    expect(seen).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('reduces the ground truth alone, of 8 or 16 bits', async () => {
    await put('groundTruth', 'a.png', { height: 1, width: 3, data: Uint16Array.of(0, 1, 2) });
    await put('predictions', 'a.png', labelMap([[0, 0, 1]]));
    expect((await scoreFolders({ ...options, reduceZeroLabel: true })).confusion).toEqual([
      [1, 0],
      [0, 1],
    ]);
  });

  it('names the file that is wrong', async () => {
    await put('groundTruth', 'a.png', labelMap([[0, 1]]));
    await put('groundTruth', 'b.png', labelMap([[0, 1]]));
    await put('predictions', 'a.png', labelMap([[0, 1]]));
    await expect(scoreFolders(options)).rejects.toThrow(/p\/b\.png: there is no such file, and .*g\/b\.png/);
    await put('predictions', 'b.png', labelMap([[0], [1]]));
    await expect(scoreFolders(options)).rejects.toThrow(/p\/b\.png: it is 1×2 pixels/);
    await put('predictions', 'b.png', labelMap([[0, 5]]));
    await expect(scoreFolders(options)).rejects.toThrow(/p\/b\.png: it holds the label 5/);
    await put('groundTruth', 'b.png', labelMap([[0, 9]]));
    await expect(scoreFolders(options)).rejects.toThrow(/g\/b\.png: it holds the label 9/);
  });
});
