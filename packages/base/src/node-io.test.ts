import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { describeIoError, fileSource, writeFileAtomic } from './node-io.ts';

function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'as-mlp-io-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe('fileSource', () => {
  it('reads any range as it is in the file', async () => {
    const path = join(temporaryFolder(), 'data');
    const bytes = Uint8Array.from({ length: 1000 }, (_, i) => (i * 7) % 256);
    writeFileSync(path, bytes);
    const source = await fileSource(path);
    expect([source.name, source.size]).toEqual([path, 1000]);
    await fc.assert(
      fc.asyncProperty(fc.nat(1000), fc.nat(1000), async (a, b) => {
        const [start, end] = [Math.min(a, b), Math.max(a, b)];
        expect(await source.read(start, end - start)).toEqual(bytes.subarray(start, end));
      }),
    );
    await source.close();
  });

  it.each([
    [999, 2],
    [-1, 1],
    [0, -1],
    [0.5, 1],
    [0, 2 ** 40],
    [Number.NaN, 1],
    [2 ** 53, 1],
  ])('refuses to read %d + %d of 1000 bytes', async (offset, length) => {
    const path = join(temporaryFolder(), 'data');
    writeFileSync(path, new Uint8Array(1000));
    const source = await fileSource(path);
    await expect(source.read(offset, length)).rejects.toMatchObject({ kind: 'io', where: path });
    await source.close();
  });

  it('notices a file that shrinks', async () => {
    const path = join(temporaryFolder(), 'data');
    writeFileSync(path, new Uint8Array(100));
    const source = await fileSource(path);
    truncateSync(path, 10);
    await expect(source.read(0, 50)).rejects.toThrow('became shorter');
    await source.close();
  });

  it('names what is wrong with a path', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'file'), '');
    await expect(fileSource(join(folder, 'no'))).rejects.toThrow(
      `${join(folder, 'no')}: there is no such file`,
    );
    await expect(fileSource(folder)).rejects.toThrow('is a folder, not a file');
    await expect(fileSource(join(folder, 'file', 'x'))).rejects.toThrow('a part of this path is a file');
    await expect(fileSource('/dev/null')).rejects.toThrow('is not a regular file');
  });
});

describe('writeFileAtomic', () => {
  it('writes text and bytes, replaces, and leaves no other file', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'out.json');
    await writeFileAtomic(path, 'text');
    expect(readFileSync(path, 'utf8')).toBe('text');
    chmodSync(path, 0o600);
    await writeFileAtomic(path, Uint8Array.of(1, 2));
    expect([...readFileSync(path)]).toEqual([1, 2]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(folder)).toEqual(['out.json']);
  });

  it('keeps a symbolic link and writes what it points to', async () => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'real'), 'old');
    symlinkSync('real', join(folder, 'link'));
    await writeFileAtomic(join(folder, 'link'), 'new');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
  });

  it('says why it cannot write', async () => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'file'), '');
    await expect(writeFileAtomic(join(folder, 'sub'), '')).rejects.toThrow('is a folder');
    await expect(writeFileAtomic(join(folder, 'no', 'x'), '')).rejects.toThrow(
      'there is no such file or folder',
    );
    await expect(writeFileAtomic(join(folder, 'file', 'x'), '')).rejects.toMatchObject({ kind: 'io' });
  });

  // A device that is always full; renaming over it would destroy it.
  it.skipIf(!existsSync('/dev/full'))('reports a full disk and writes devices in place', async () => {
    await expect(writeFileAtomic('/dev/full', 'x')).rejects.toThrow('/dev/full: the disk is full');
    await writeFileAtomic('/dev/null', 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });
});

describe('describeIoError', () => {
  it('has words for codes and keeps the rest', () => {
    const denied = Object.assign(new Error('x'), { code: 'EACCES' });
    expect(describeIoError(denied, '/p').message).toMatch(/^\/p: may not be accessed by this user\. /);
    expect(describeIoError(new Error('odd'), '/p').message).toBe('/p: could not be read or written (odd).');
  });
});
