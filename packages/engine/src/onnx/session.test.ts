import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, vi } from 'vitest';
import { openEngine } from '../engine.ts';
import * as versions from '../versions.ts';
import { encodeOnnx } from './encode.ts';
import { float32, programOf } from './models.fixture.ts';
import { onnxRuntimeVersion, openOnnxSession } from './session.ts';

await openEngine();

const program = programOf((x) => tf.add(x, 1), [float32(2, 3), float32(5, 3)]);
const model = encodeOnnx(program, { inputs: [{ name: 'x' }], outputs: ['y'] });
const feed = (...values: number[]) =>
  ({ dtype: 'float32', shape: [values.length / 3, 3], data: Float32Array.from(values) }) as const;

describe('openOnnxSession', () => {
  it('answers calls in order, with inputs as they were', async () => {
    const session = await openOnnxSession(model, { threads: 1 });
    const x = feed(1, 2, 3);
    const first = session.run({ x });
    x.data.fill(0);
    const second = session.run({ x: feed(4, 5, 6, 7, 8, 9) });
    expect((await first).y).toEqual({ dtype: 'float32', shape: [1, 3], data: Float32Array.of(2, 3, 4) });
    expect((await second).y!.shape).toEqual([2, 3]);
    await session.dispose();
  });

  it('passes on what ONNX Runtime says, and goes on', async () => {
    const session = await openOnnxSession(model, { threads: 1 });
    await expect(session.run({ z: feed(1, 2, 3) })).rejects.toMatchObject({ kind: 'engine' });
    const wide = { dtype: 'float32', shape: [1, 2], data: new Float32Array(2) } as const;
    await expect(session.run({ x: wide })).rejects.toThrow(/Expected: 3/);
    expect((await session.run({ x: feed(1, 2, 3) })).y!.data).toEqual(Float32Array.of(2, 3, 4));
    await session.dispose();
  });

  it('finishes what was asked before it is disposed, and nothing after', async () => {
    const session = await openOnnxSession(model, { threads: 1 });
    const last = session.run({ x: feed(1, 2, 3) });
    await Promise.all([session.dispose(), session.dispose()]);
    expect((await last).y!.data).toEqual(Float32Array.of(2, 3, 4));
    await expect(session.run({ x: feed(1, 2, 3) })).rejects.toThrow('the session is disposed');
  });

  it('refuses bytes that are no model, and threads that are none', async () => {
    await expect(openOnnxSession(new Uint8Array([1, 2, 3]))).rejects.toMatchObject({ kind: 'engine' });
    await expect(openOnnxSession(model, { threads: 0 })).rejects.toMatchObject({ kind: 'usage' });
  });

  it('says what to install where ONNX Runtime is not', async () => {
    expect(onnxRuntimeVersion()).toMatch(/^1\.\d+\.\d+$/);
    const missing = vi.spyOn(versions, 'packageVersion').mockImplementation(() => {
      throw new Error('Cannot find module');
    });
    expect(onnxRuntimeVersion()).toBeUndefined();
    await expect(openOnnxSession(model)).rejects.toThrow(
      /ONNX Runtime is not installed\. Run `npm install onnxruntime-node`/,
    );
    missing.mockRestore();
  });
});
