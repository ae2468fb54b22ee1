import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { chooseEngine } from './choice.ts';
import { describeEngine, openEngine } from './engine.ts';
import { temporaryFolder } from './fakes.fixture.ts';
import { findNative } from './installed.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';

const native = (await findNative('auto')).native;

afterEach(() => vi.unstubAllEnvs());

async function product(): Promise<number[]> {
  const a = tf.tensor2d([1, 2, 3, 4], [2, 2]);
  return Array.from(await tf.matMul(a, a).data());
}

/** A process of its own with an empty cache. */
function inEmptyCache(): void {
  vi.stubEnv('ASMLP_CACHE_DIR', temporaryFolder());
  vi.stubEnv('ASMLP_TENSORFLOW_DIR', '');
}

describe('chooseEngine', () => {
  it('puts an explicit choice before the environment, and that before auto', () => {
    expect(chooseEngine('cpu', { ASMLP_ENGINE: 'wasm' })).toBe('cpu');
    expect(chooseEngine('auto', { ASMLP_ENGINE: 'wasm' })).toBe('wasm');
    expect(chooseEngine(undefined, {})).toBe('auto');
    expect(chooseEngine(undefined, { ASMLP_ENGINE: '' })).toBe('auto');
  });

  it('names the source of a wrong name', () => {
    expect(() => chooseEngine(undefined, { ASMLP_ENGINE: 'webgl' })).toThrow(
      /^ASMLP_ENGINE: there is no engine "webgl"/,
    );
    expect(() => chooseEngine('wasn', {})).toThrow(/^--engine: .*Did you mean wasm\?/);
  });
});

describe('openEngine', () => {
  // Before anything opens the native engine, which stays loaded in this process.
  it('fails when the forced engine is not there', async () => {
    inEmptyCache();
    await expect(openEngine({ engine: 'native' })).rejects.toMatchObject({
      kind: 'engine',
      what: expect.stringContaining('TensorFlow is not installed yet'),
      fix: expect.stringContaining('npm run setup'),
    });
    vi.stubEnv('ASMLP_ENGINE', 'native');
    await expect(openEngine()).rejects.toMatchObject({ kind: 'engine' });
  });

  it('fails when a GPU is asked for and there is none', async () => {
    inEmptyCache();
    await expect(openEngine({ device: 'gpu' })).rejects.toThrow(/^--device gpu: there is no usable GPU/);
    await expect(openEngine({ engine: 'wasm', device: 'gpu' })).rejects.toMatchObject({ kind: 'usage' });
  });

  it('falls back to the next engine and announces it in one line', async () => {
    inEmptyCache();
    const lines: string[] = [];
    const engine = await openEngine({ log: (line) => lines.push(line) });
    expect(engine).toMatchObject({ name: onnxRuntimeVersion() ? 'onnx' : 'wasm', device: 'cpu' });
    expect(lines).toEqual([`engine: ${engine.notes[0]}`]);
    expect(lines[0]).toMatch(
      /not installed yet; the (onnx|wasm) engine runs instead, .* slower\. Run `npm run setup`\.$/,
    );
    expect(await product()).toEqual([7, 10, 15, 22]);
  });

  it.each(['wasm', 'cpu'] as const)('opens %s by name, without a word', async (name) => {
    const said = [vi.spyOn(console, 'warn'), vi.spyOn(console, 'log'), vi.spyOn(console, 'error')];
    const engine = await openEngine({ engine: name });
    expect(engine).toMatchObject({ name, device: 'cpu', tfjs: '4.22.0', threads: 1, notes: [] });
    expect(tf.getBackend()).toBe(name);
    expect(await product()).toEqual([7, 10, 15, 22]);
    const slope = tf.grad((x) => tf.sum(tf.square(x)))(tf.tensor1d([3]));
    expect(Array.from(await slope.data())).toEqual([6]);
    for (const spy of said) expect(spy).not.toHaveBeenCalled();
    expect(describeEngine(engine)).toBe(`${name} engine: TensorFlow.js 4.22.0 on the CPU, 1 thread`);
  });

  it.each([0, 1.5, -2, Number.NaN])('refuses %d threads', async (threads) => {
    await expect(openEngine({ threads })).rejects.toMatchObject({ kind: 'usage' });
  });

  it.skipIf(!native)('opens native, computes and differentiates, and goes back and forth', async () => {
    const engine = await openEngine({ device: 'cpu', threads: 1 });
    expect(engine).toMatchObject({
      name: 'native',
      device: 'cpu',
      tensorflow: '2.21.0',
      threads: 1,
      notes: [],
    });
    expect(await product()).toEqual([7, 10, 15, 22]);
    const image = tf.tensor4d([1, 2, 3, 4, 5, 6, 7, 8, 9], [1, 3, 3, 1]);
    const slope = tf.grad((w) => tf.sum(tf.conv2d(image, w as tf.Tensor4D, 1, 'valid')))(
      tf.ones([2, 2, 1, 1]),
    );
    expect(Array.from(await slope.data())).toEqual([12, 16, 24, 28]);
    await openEngine({ engine: 'wasm' });
    expect(tf.getBackend()).toBe('wasm');
    const again = await openEngine({ engine: 'native', threads: 2 });
    expect(tf.getBackend()).toBe('tensorflow');
    expect(again.notes).toEqual(['it keeps its 1 thread: TensorFlow is loaded already']);
    await expect(openEngine({ device: 'gpu' })).rejects.toThrow('TensorFlow sees no GPU');
  });

  it.skipIf(!native)('runs silently in a Node that has dropped the old util functions', () => {
    const folder = temporaryFolder();
    const script = join(folder, 'newer-node.cjs');
    const load = fileURLToPath(new URL('../native/load.cjs', import.meta.url));
    writeFileSync(
      script,
      `const util = require('node:util');
       for (const name of ['isArray', 'isNullOrUndefined', 'isString', 'isNumber', 'isBoolean', 'isObject', 'isFunction']) delete util[name];
       const { createRequire } = require('node:module');
       const tf = createRequire(${JSON.stringify(load)})('@tensorflow/tfjs-core');
       const { backend } = require(${JSON.stringify(load)}).loadNative(${JSON.stringify(native?.addon.path)});
       tf.registerBackend('tensorflow', () => backend);
       tf.setBackend('tensorflow');
       const { values, indices } = tf.topk(tf.tensor1d([1, 5, 3]), 2);
       console.log([...values.dataSync(), ...indices.dataSync(), ...tf.split(tf.range(0, 4), 2)[1].dataSync()].join());`,
    );
    const env = { ...process.env, TF_CPP_MIN_LOG_LEVEL: '2', NODE_OPTIONS: '' };
    const result = spawnSync(process.execPath, [script], { encoding: 'utf8', env });
    expect(result).toMatchObject({ stdout: '5,3,1,2,2,3\n', stderr: '', status: 0 });
  });
});
