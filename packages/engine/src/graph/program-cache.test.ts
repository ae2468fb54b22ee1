import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openEngine } from '../engine.ts';
import { compileProgram } from './compile.ts';
import type { Program } from './program.ts';

const INPUTS = [{ shape: ['batch', 'height', 'width', 3] }] as const;
const before = process.env.ASMLP_CACHE_DIR;
let root: string;
let engine: Awaited<ReturnType<typeof openEngine>>;

beforeAll(async () => {
  engine = await openEngine();
});

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'as-mlp-graphs-'));
  process.env.ASMLP_CACHE_DIR = root;
});

afterEach(() => {
  if (before === undefined) delete process.env.ASMLP_CACHE_DIR;
  else process.env.ASMLP_CACHE_DIR = before;
  rmSync(root, { recursive: true, force: true });
});

const files = () => readdirSync(join(root, 'graphs'));
const scaled = (weight: tf.Tensor) => (x: tf.Tensor) =>
  tf.add(tf.div(tf.mul(x, weight), x.size), [0.5, -1, 2]);

/** Compiles and says whether a program was made, or found. */
async function make(fn: (x: tf.Tensor) => tf.Tensor, options: { cache?: boolean } = {}) {
  const rewrite = vi.fn((program: Program) => program);
  const program = await compileProgram((x) => fn(x!), { inputs: INPUTS, ...options }, rewrite);
  return { program, made: rewrite.mock.calls.length > 0 };
}

describe('the cache of programs', () => {
  it('gives the same program without making it', async () => {
    const weight = tf.variable(tf.tensor1d([1, 2, 3]));
    const first = await make(scaled(weight));
    const second = await make(scaled(weight));
    expect([first.made, second.made, files().length]).toEqual([true, false, 1]);
    expect(second.program).toEqual(first.program);
    weight.dispose();
  });

  it('holds no weights and takes those that are there', async () => {
    const values = [1234.5, 2345.5, 3456.5];
    const [old, other] = [tf.variable(tf.tensor1d(values)), tf.variable(tf.tensor1d([4, 5, 6]))];
    await make(scaled(old));
    const file = readFileSync(join(root, 'graphs', files()[0]!));
    for (const value of values) {
      expect(file.includes(Buffer.from(Float32Array.of(value).buffer))).toBe(false);
      expect(file.includes(Buffer.from(Float64Array.of(value).buffer))).toBe(false);
    }
    const { program, made } = await make(scaled(other));
    expect(made).toBe(false);
    expect(program.constants.find(({ kind }) => kind === 'variable')).toMatchObject({ variable: other });
    tf.dispose([old, other]);
  });

  it.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['another kernel', (x) => tf.sub(tf.mul(x, 2), 1)],
    ['another constant', (x) => tf.add(tf.mul(x, 2), 1.5)],
    ['a constant that is no number', (x) => tf.add(tf.mul(x, 2), Number.NaN)],
    ['other wiring', (x) => tf.add(x, tf.mul(x, 2))],
    [
      'another way at larger sizes alone',
      (x) => (x.shape[1]! > 100 ? tf.add(tf.mul(x, 2), 3) : tf.add(tf.mul(x, 2), 1)),
    ],
  ])('does not mistake %s for the same function', async (_, changed) => {
    await make((x) => tf.add(tf.mul(x, 2), 1));
    const result = make(changed).then(
      ({ made }) => made,
      (error: Error) => error.message,
    );
    expect(await result).toSatisfy((made) => made === true || /depend on the size/.test(String(made)));
  });

  it('makes anew what is damaged, and what is under a wrong name', async () => {
    await make((x) => tf.neg(x));
    const [name] = files();
    const path = join(root, 'graphs', name!);
    const intact = readFileSync(path);
    for (const damaged of [intact.subarray(0, 40), Buffer.alloc(0), Buffer.from(intact).fill(0, 60, 61)]) {
      writeFileSync(path, damaged);
      expect((await make((x) => tf.neg(x))).made).toBe(true);
      expect(readFileSync(path).equals(intact)).toBe(true);
    }
    await make((x) => tf.square(x));
    const foreign = files().find((file) => file !== name)!;
    writeFileSync(path, readFileSync(join(root, 'graphs', foreign)));
    expect((await make((x) => tf.neg(x))).made).toBe(true);
  });

  it('can be left out, and need not be writable', async () => {
    await make((x) => tf.neg(x), { cache: false });
    expect(readdirSync(root)).toEqual([]);
    // A file where the folder should be: also a superuser cannot write there.
    process.env.ASMLP_CACHE_DIR = join(root, 'file');
    writeFileSync(join(root, 'file'), '');
    expect((await make((x) => tf.neg(x))).program.kernels).toHaveLength(1);
  });

  it('keeps the newest files', async () => {
    await make((x) => tf.neg(x));
    for (let i = 0; i < 40; i++) {
      const path = join(root, 'graphs', `old-${i}`);
      writeFileSync(path, '');
      utimesSync(path, i, i);
    }
    await make((x) => tf.square(x));
    expect(files()).toHaveLength(32);
    expect(files()).not.toContain('old-9');
    expect(files()).toContain('old-39');
    expect((await make((x) => tf.neg(x))).made).toBe(false);
  });

  it('changes no bit of what a compiled function gives', async ({ skip }) => {
    if (engine.name !== 'native') skip('no native engine here');
    const weight = tf.variable(tf.randomNormal<tf.Rank.R2>([3, 5]));
    const fn = (x: tf.Tensor) =>
      tf.relu(tf.matMul(tf.reshape(x, [-1, 3]) as tf.Tensor2D, weight as tf.Tensor2D));
    const x = tf.randomNormal([2, 7, 9, 3]);
    const results: Uint8Array[] = [];
    for (const cache of [false, true, true]) {
      const compiled = await engine.compile(fn, { inputs: INPUTS, cache });
      const y = await compiled(x);
      results.push(new Uint8Array((await y.data()).buffer));
      y.dispose();
      await compiled.dispose();
    }
    expect(results[1]).toEqual(results[0]);
    expect(results[2]).toEqual(results[0]);
    tf.dispose([weight, x]);
  });
});
