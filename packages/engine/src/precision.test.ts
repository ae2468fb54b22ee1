import { describe, expect, it } from 'vitest';
import { describeEngine, openEngine } from './engine.ts';
import { findNative } from './installed.ts';
import { readCpuFlags } from './platform.ts';
import { whyFloat32 } from './precision.ts';

/** bf16 runs on the native engine alone. */
const missing = (await findNative('cpu')).native === undefined;
const native = { name: 'native', device: 'cpu' } as const;
/** Whether this machine has what bf16 needs. */
const isThere = [...(readCpuFlags() ?? [])].some((flag) => /^(?:avx512|amx)_bf16$/.test(flag));

describe('whyFloat32', () => {
  it('has no reason where the processor multiplies in bfloat16', () => {
    expect(whyFloat32(native, new Set(['avx2', 'avx512_bf16']))).toBeUndefined();
    expect(whyFloat32(native, new Set(['amx_tile', 'amx_bf16']))).toBeUndefined();
  });

  it('names what is missing', () => {
    const line = 'float32 is kept: this processor has neither avx512_bf16 nor amx_bf16';
    expect(whyFloat32(native, new Set(['avx2', 'avx512f', 'amx_int8']))).toBe(line);
    expect(whyFloat32({ name: 'native', device: 'gpu' }, new Set(['amx_bf16']))).toMatch(/GPU/);
    expect(whyFloat32({ name: 'wasm', device: 'cpu' }, new Set(['amx_bf16']))).toMatch(/native engine/);
  });
});

describe('openEngine with bf16', () => {
  it('is an error where it cannot be', async () => {
    for (const engine of ['onnx', 'wasm', 'cpu'] as const) {
      await expect(openEngine({ engine, precision: 'bf16' })).rejects.toThrow(
        `precision bf16: the ${engine} engine is asked for, and bf16 needs the native engine`,
      );
    }
    await expect(openEngine({ engine: 'native', eager: true, precision: 'bf16' })).rejects.toMatchObject({
      kind: 'usage',
      what: expect.stringContaining('nothing is compiled'),
    });
  });

  it.skipIf(missing)('says in one line when float32 is kept', async () => {
    const lines: string[] = [];
    const log = (line: string) => lines.push(line);
    const engine = await openEngine({ engine: 'native', device: 'cpu', precision: 'bf16', log });
    expect(engine.precision).toBe(isThere ? 'bf16' : 'float32');
    expect(lines).toEqual(isThere ? [] : [`engine: ${engine.notes[0]}`]);
    expect(describeEngine(engine).endsWith(', products in bf16')).toBe(isThere);
    expect((await openEngine({ engine: 'native', device: 'cpu', log })).precision).toBe('float32');
  });
});
