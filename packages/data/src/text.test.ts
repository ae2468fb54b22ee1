import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { renderText, type TextMask } from './text.ts';

/** First and last row with ink. */
function inkRows({ width, height, data }: TextMask): [number, number] {
  const rows = Array.from({ length: height }, (_, y) => y).filter((y) =>
    data.subarray(y * width, (y + 1) * width).some((value) => value > 64),
  );
  return [rows[0]!, rows.at(-1)!];
}

describe('renderText', () => {
  it('gives every line of a size the same height and baseline', async () => {
    const masks = await Promise.all(
      ['x', 'H', 'g', 'ÄÉ', 'Hello, gÿp', ''].map((text) => renderText(text, 16)),
    );
    expect(new Set(masks.map(({ height }) => height)).size).toBe(1);
    const [x, h, g] = masks.map(inkRows);
    expect(x![1]).toBe(h![1]);
    expect(g![1]).toBeGreaterThan(x![1]);
    expect(g![0]).toBeGreaterThan(h![0]);
    expect(x![0]).toBeGreaterThan(h![0]);
  });

  it('grows with the text and the size, and takes markup as text', async () => {
    const width = async (text: string, size = 16) => (await renderText(text, size)).width;
    expect(await width('mm')).toBeGreaterThan(1.9 * (await width('m')));
    expect(await width('m', 32)).toBeGreaterThan(1.8 * (await width('m', 16)));
    expect(await width('<b>x</b>')).toBeGreaterThan(5 * (await width('x')));
    expect(await width('&amp;')).toBeGreaterThan(3 * (await width('&')));
    expect(await renderText('a\nb\tc', 16)).toEqual(await renderText('a b c', 16));
  });

  it('draws any text', async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'binary', maxLength: 8 }), async (text) => {
        const { width, height, data } = await renderText(text, 10);
        expect(data).toHaveLength(width * height);
        expect(width).toBeGreaterThan(0);
      }),
      { numRuns: 60 },
    );
    await renderText('lone \ud800 surrogate, \ufffe, \u0000', 10);
  });

  it('refuses sizes that cannot be read or drawn', async () => {
    await expect(renderText('x', 2)).rejects.toThrow(/from 4 to 512/);
    await expect(renderText('x', Number.NaN)).rejects.toThrow(/from 4 to 512/);
  });

  it('needs no configured fonts, says nothing and writes nothing', async () => {
    const home = await mkdtemp(join(tmpdir(), 'as-mlp-data-'));
    const script = join(home, 'draw.mjs');
    const tsx = createRequire(import.meta.url).resolve('tsx');
    const text = new URL('./text.ts', import.meta.url).href;
    await writeFile(
      script,
      `import { renderText } from ${JSON.stringify(text)};\nawait renderText('Hello', 14);\n`,
    );
    try {
      const { stdout, stderr } = await promisify(execFile)(
        process.execPath,
        ['--conditions=source', '--import', pathToFileURL(tsx).href, script],
        { env: { PATH: process.env.PATH, HOME: home, TMPDIR: home, FONTCONFIG_FILE: join(home, 'none') } },
      );
      expect(stdout + stderr).toBe('');
      expect((await readdir(home)).filter((name) => !name.startsWith('tsx-'))).toEqual(['draw.mjs']);
    } finally {
      await rm(home, { recursive: true });
    }
  });
});
