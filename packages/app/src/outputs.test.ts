import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeImage } from '@as-mlp/data';
import { describe, expect, it } from 'vitest';
import {
  checkTarget,
  createNamer,
  outputFolder,
  readLines,
  writeJson,
  writePicture,
  writeText,
} from './outputs.ts';
import { scratchFolder } from './terminal.fixture.ts';
import type { Terminal } from './terminal.ts';

describe('writing', () => {
  const recorder = () => {
    const texts: string[] = [];
    const terminal = { out: (text: string) => void texts.push(text) } as unknown as Terminal;
    return { texts, terminal };
  };

  it('gives JSON to standard output for -, and to nothing else', async () => {
    const { texts, terminal } = recorder();
    await writeJson('-', { a: [1] }, terminal);
    expect(texts).toEqual(['{\n  "a": [\n    1\n  ]\n}\n']);
    expect(existsSync('-')).toBe(false);
  });

  it('gives JSON, text and pictures to files', async () => {
    const folder = scratchFolder();
    const { texts, terminal } = recorder();
    await writeJson(join(folder, 'a.json'), { a: null }, terminal);
    await writeText(join(folder, 'b.csv'), 'x\n');
    await writePicture(join(folder, 'c.png'), { width: 2, height: 1, data: Uint8Array.of(1, 2, 3, 4, 5, 6) });
    expect(texts).toEqual([]);
    expect(readFileSync(join(folder, 'a.json'), 'utf8')).toBe('{\n  "a": null\n}\n');
    expect(readFileSync(join(folder, 'b.csv'), 'utf8')).toBe('x\n');
    const { width, height, data } = await decodeImage(join(folder, 'c.png'));
    expect({ width, height, data: [...data] }).toEqual({ width: 2, height: 1, data: [1, 2, 3, 4, 5, 6] });
    expect(readdirSync(folder).sort()).toEqual(['a.json', 'b.csv', 'c.png']);
  });
});

describe('checkTarget', () => {
  it('lets files that can be written pass, without making them', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'old.json'), '');
    for (const target of [undefined, '-', join(folder, 'new.json'), join(folder, 'old.json')]) {
      await checkTarget(target);
    }
    expect(readdirSync(folder)).toEqual(['old.json']);
  });

  it.skipIf(process.platform === 'win32')('lets devices pass', async () => {
    await checkTarget('/dev/null');
  });

  it('names what stands in the way', async () => {
    const folder = scratchFolder();
    writeFileSync(join(folder, 'file'), '');
    const none = join(folder, 'none');
    await expect(checkTarget(folder)).rejects.toThrow(`${folder}: is a folder, not a file.`);
    await expect(checkTarget(join(none, 'a.json'))).rejects.toThrow(
      `${none}: there is no such file or folder.`,
    );
    await expect(checkTarget(join(folder, 'file', 'a.json'))).rejects.toThrow(
      /is a file, not a folder|no such/,
    );
  });
});

describe('outputFolder', () => {
  it('makes what is missing and takes what is there', async () => {
    const path = join(scratchFolder(), 'a', 'b');
    expect(await outputFolder(path)).toBe(path);
    expect(await outputFolder(path)).toBe(path);
    expect(readdirSync(path)).toEqual([]);
  });

  it('is no file', async () => {
    const path = join(scratchFolder(), 'file');
    writeFileSync(path, '');
    await expect(outputFolder(path)).rejects.toThrow(
      `${path}: is a file, not a folder. Choose another --out.`,
    );
  });
});

describe('createNamer', () => {
  it('keeps the stem, and numbers namesakes whatever their case', () => {
    const nameOf = createNamer('out', 'png');
    const inputs = ['x/photo.jpg', 'y/photo.jpeg', 'Photo.webp', 'photo-2.jpg', 'b.tar.gz', 'none'];
    const names = ['photo.png', 'photo-2.png', 'Photo-3.png', 'photo-2-2.png', 'b.tar.png', 'none.png'];
    expect(inputs.map(nameOf)).toEqual(names.map((name) => join('out', name)));
  });

  it('leaves reserved stems alone', () => {
    const nameOf = createNamer('', 'png', ['overview']);
    expect(nameOf('Overview.jpg')).toBe('Overview-2.png');
  });
});

describe('readLines', () => {
  it('reads both kinds of line ends and no empty ones at the end', async () => {
    const path = join(scratchFolder(), 'names.txt');
    writeFileSync(path, 'a\r\n\nb c\n\n');
    expect(await readLines(path)).toEqual(['a', '', 'b c']);
  });

  it('names a file that is not there, or is a folder', async () => {
    const folder = scratchFolder();
    mkdirSync(join(folder, 'sub'));
    await expect(readLines(join(folder, 'gone'))).rejects.toMatchObject({
      name: 'AsMlpError',
      kind: 'input',
    });
    await expect(readLines(join(folder, 'sub'))).rejects.toThrow('is a folder, not a file');
  });
});
