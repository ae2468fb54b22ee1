import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import openWabt from 'wabt';
import { RESAMPLE_WASM } from './resample.wasm.ts';

describe('RESAMPLE_WASM', () => {
  it('is what resample.wat assembles to', async () => {
    const source = await readFile(new URL('./resample.wat', import.meta.url), 'utf8');
    const wabt = await openWabt();
    const { buffer } = wabt.parseWat('resample.wat', source).toBinary({});
    expect(Buffer.from(buffer).toString('base64')).toBe(RESAMPLE_WASM);
  });
});
