import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { makeWheel, temporaryFolder } from './fakes.fixture.ts';
import { extraRequirements, unpackWheel } from './wheel.ts';

function saved(bytes: Uint8Array): { wheel: string; into: string } {
  const folder = temporaryFolder();
  const wheel = join(folder, 'package-1-py3-none-any.whl');
  writeFileSync(wheel, bytes);
  return { wheel, into: join(folder, 'out') };
}

const all = () => true;

describe('unpackWheel', () => {
  it('writes the wanted files and reports their sizes', async () => {
    const { wheel, into } = saved(makeWheel({ 'a/lib.so': 'binary', 'a/b,c.h': 'header', 'a/skip.py': 'x' }));
    const unpacked = await unpackWheel(wheel, into, (path) => path.startsWith('a/') && !path.endsWith('.py'));
    expect(unpacked.files).toEqual([
      { path: 'a/lib.so', size: 6 },
      { path: 'a/b,c.h', size: 6 },
    ]);
    expect(readFileSync(join(into, 'a/lib.so'), 'utf8')).toBe('binary');
    expect(() => statSync(join(into, 'a/skip.py'))).toThrow();
    expect(unpacked.metadata).toContain('Name: package');
  });

  it.each([
    ['a changed file', makeWheel({ 'a.so': 'abc' }, { tampered: ['a.so'] }), 'a.so differs from its RECORD'],
    [
      'an unrecorded file',
      makeWheel({ 'a.so': 'abc' }, { unrecorded: ['a.so'] }),
      'a.so is not in its RECORD',
    ],
    ['no RECORD', makeWheel({ 'a.so': 'abc' }, { noRecord: true }), 'it has no RECORD'],
    ['a path that climbs out', makeWheel({ '../evil': 'abc' }), 'invalid relative path'],
    ['a truncated file', makeWheel({ 'a.so': 'abc' }).slice(0, 200), 'damaged'],
    ['no zip', new TextEncoder().encode('<html>Sign in to continue</html>'), 'damaged'],
  ])('refuses %s', async (_name, bytes, message) => {
    const { wheel, into } = saved(bytes);
    const failure = unpackWheel(wheel, into, all);
    await expect(failure).rejects.toMatchObject({ name: 'AsMlpError', kind: 'engine' });
    await expect(failure).rejects.toThrow(message);
  });

  it('refuses data that does not inflate', async () => {
    const text = 'compressible '.repeat(500);
    const bytes = makeWheel({ 'a.so': text });
    bytes.fill(0xff, 60, 80);
    const { wheel, into } = saved(bytes);
    await expect(unpackWheel(wheel, into, all)).rejects.toMatchObject({ kind: 'engine' });
  });

  it('leaves errors of the disk to the caller', async () => {
    const { wheel } = saved(makeWheel({ 'a.so': 'abc' }));
    await expect(unpackWheel(wheel, wheel, all)).rejects.toMatchObject({ code: 'EEXIST' });
  });
});

describe('extraRequirements', () => {
  it('lists what one extra asks for', () => {
    const metadata = [
      'Requires-Dist: numpy>=1.26.0',
      'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"',
      "Requires-Dist: nvidia-cudnn-cu12<10.0,>=9.3.0.75 ; extra == 'and-cuda'",
      'Requires-Dist: gcs; (sys_platform != "win32") and extra == "gcs-filesystem"',
    ].join('\r\n');
    expect(extraRequirements(metadata, 'and-cuda')).toEqual([
      'nvidia-nccl-cu12<3.0,>=2.27.7',
      'nvidia-cudnn-cu12<10.0,>=9.3.0.75',
    ]);
    expect(extraRequirements(metadata, 'none')).toEqual([]);
  });
});
