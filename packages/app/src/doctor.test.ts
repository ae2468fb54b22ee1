import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { doctorVerb } from './doctor.ts';
import { runVerbs, scratchFolder } from './terminal.fixture.ts';

/** An empty cache has no native engine, whatever this machine has. */
beforeEach(() => {
  vi.stubEnv('ASMLP_CACHE_DIR', scratchFolder());
  vi.stubEnv('ASMLP_ENGINE', '');
});
afterEach(() => void vi.unstubAllEnvs());

const doctor = (...args: string[]) => runVerbs([doctorVerb], 'doctor', ...args);

describe('doctor', () => {
  it('says what computes, and ends with 0 when the asked-for engine works', async () => {
    const { code, out, log } = await doctor('--engine', 'cpu');
    expect({ code, log }).toEqual({ code: 0, log: [] });
    expect(out).toMatch(/^engine +cpu, some/);
    expect(out).toMatch(/[^\n]\n$/);
  });

  it('ends with 1 when it does not, and says what would mend it', async () => {
    const { code, out, log } = await doctor('--engine', 'native', '--json');
    expect(code).toBe(1);
    expect(log).toEqual(['error: the engine that was asked for cannot be used. See above.']);
    const { usable, engine, missing } = JSON.parse(out) as Record<string, unknown>;
    expect({ usable, engine }).toEqual({ usable: false, engine: null });
    expect(missing).toContainEqual({
      what: expect.any(String),
      fix: expect.stringContaining('npm run setup'),
    });
  });

  it('says what a precision comes to', async () => {
    const { code, out } = await doctor('--engine', 'cpu', '--precision', 'bf16');
    expect(code).toBe(0);
    expect(out).toMatch(/^precision +float32 is kept: bf16 needs the native engine$/m);
  });

  it('writes the report to a file', async () => {
    const file = join(scratchFolder(), 'report.json');
    const { code, out } = await doctor('--engine', 'wasm', '--json', file);
    expect({ code, out }).toEqual({ code: 0, out: '' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ usable: true, engine: 'wasm' });
  });

  it('knows its engines', async () => {
    expect(await doctor('--engine', 'tpu')).toMatchObject({ code: 2, out: '' });
  });
});
