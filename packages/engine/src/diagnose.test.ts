import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { diagnose } from './diagnose.ts';
import { fakeMachine, LINUX } from './fakes.fixture.ts';
import { formatDiagnosis } from './format-diagnosis.ts';
import { prepareEngine } from './install.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';
import { currentHost } from './platform.ts';

/** What runs without the native engine. */
const NEXT = onnxRuntimeVersion() === undefined ? 'wasm' : 'onnx';

describe('diagnose', () => {
  it('says what is missing, what runs instead, and stays JSON', async () => {
    const { env, cache } = fakeMachine({ pip: 'none', compiler: 'none' });
    const report = await diagnose({ env });
    expect(report).toMatchObject({
      usable: true,
      engine: NEXT,
      device: 'cpu',
      asked: { engine: 'auto', device: 'auto', precision: 'float32' },
      precision: { used: 'float32', note: null },
    });
    expect(report.tools).toEqual({ pip: null, compiler: null });
    expect(report.cache).toEqual({ folder: cache, bytes: 0, items: [] });
    expect(report.missing.map(({ what }) => what)).toEqual([
      'no native engine: TensorFlow is not installed yet',
      'no Python with pip',
      'no C++ compiler',
    ]);
    expect(JSON.parse(JSON.stringify(report))).toEqual(report);
    expect(formatDiagnosis(report)).toMatch(
      /^engine {5}(onnx, as fast to predict, but training is 2 to 7 times slower|wasm, 2 to 7 times slower)$/m,
    );
    expect(formatDiagnosis(report)).toMatch(/^missing {4}no native engine: .*: npm run setup$/m);
  });

  it('says why bf16 would not be used', async () => {
    const { env } = fakeMachine({ pip: 'none' });
    const report = await diagnose({ env, precision: 'bf16' });
    const note = 'float32 is kept: bf16 needs the native engine';
    expect(report.precision).toEqual({ used: 'float32', note });
    expect(formatDiagnosis(report)).toContain(`\nprecision  ${note}\nasked for  precision bf16\n`);
  });

  it('judges the engine that was asked for', async () => {
    const { env } = fakeMachine({ pip: 'none' });
    expect(await diagnose({ env, engine: 'native' })).toMatchObject({
      usable: false,
      engine: null,
      device: null,
    });
    expect(await diagnose({ env, device: 'gpu' })).toMatchObject({ usable: false, engine: null });
    expect(await diagnose({ env: { ...env, ASMLP_ENGINE: 'cpu' } })).toMatchObject({
      usable: true,
      engine: 'cpu',
      missing: [],
    });
    await expect(diagnose({ env, engine: 'tpu' })).rejects.toMatchObject({ kind: 'usage' });
    const text = formatDiagnosis(await diagnose({ env, engine: 'native', device: 'gpu' }));
    expect(text).toMatch(/^engine {5}none: what was asked for does not work here$/m);
    expect(text).toMatch(/^asked for {2}native, device gpu$/m);
  });

  it.skipIf(process.platform !== 'linux' || !process.report)(
    'tries the native engine and lists the cache',
    async () => {
      const machine = fakeMachine();
      await prepareEngine({ env: machine.env, log: () => undefined });
      mkdirSync(join(machine.cache, 'tensorflow-1.0-cpu.work-x'));
      writeFileSync(join(machine.cache, 'tensorflow-1.0-cpu.work-x', 'half'), 'half');
      const report = await diagnose({ env: machine.env });
      expect(report).toMatchObject({
        usable: true,
        engine: 'native',
        device: 'cpu',
        versions: { tensorflow: '2.21.0' },
        missing: [],
      });
      expect(report.cache.items.map(({ name, complete }) => [name.replace(/-.*/, ''), complete])).toEqual([
        ['addon', true],
        ['tensorflow', false],
        ['tensorflow', true],
      ]);
      expect(formatDiagnosis(report)).toMatch(/work-x, 0\.0 MB, incomplete$/m);
    },
  );

  it('turns a crash of the native engine into a line', async () => {
    const machine = fakeMachine();
    // The addon is looked for under the instructions of the processor that runs this.
    const host = { ...LINUX, cpuFlags: currentHost().cpuFlags };
    await prepareEngine({ env: machine.env, host, log: () => undefined });
    const crashed = fakeMachine({ runs: false });
    const env = { ...machine.env, NODE_OPTIONS: crashed.env.NODE_OPTIONS };
    const report = await diagnose({ env, engine: 'native' });
    expect(report.usable).toBe(false);
    expect(report.missing[0]!.what).toMatch(/does not run here|not installed/);
  });
});
