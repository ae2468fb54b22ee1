import { existsSync, rmSync } from 'node:fs';
import { AsMlpError } from '@as-mlp/base';
import { beforeAll, describe, expect, it } from 'vitest';
import { bytesSource, openWeights } from './index.ts';
import { HOSTILE, readAll, VARIANTS } from './pack.fixture.ts';

/** What the payloads of the hostile files would create if anything ran them. */
const MARKERS = ['/tmp/asmlp_hostile_marker', '/tmp/asmlp_zip_slip'];

async function load(
  pack: typeof HOSTILE | typeof VARIANTS,
  name: string,
): Promise<Map<string, Float32Array>> {
  return readAll(await openWeights(bytesSource(name, pack.files.get(name)!)));
}

describe('hostile files', () => {
  beforeAll(() => {
    for (const marker of MARKERS) rmSync(marker, { force: true });
  });

  const files = Object.entries(HOSTILE.about).map(([name, about]) => ({ name, ...about }));

  it.each(files.filter(({ must, level }) => must === 'error' && level === 'parse'))(
    '$name is refused: $why',
    async ({ name }) => {
      const error = await load(HOSTILE, name).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(AsMlpError);
      expect((error as AsMlpError).kind).toBe('weights');
      expect((error as AsMlpError).where).toContain(name);
      expect((error as AsMlpError).fix).toBeTruthy();
      expect(MARKERS.filter((marker) => existsSync(marker))).toEqual([]);
    },
  );

  it.each(files.filter(({ must, level }) => must !== 'error' || level !== 'parse'))(
    '$name is read or refused: $why',
    async ({ name, must }) => {
      const outcome = await load(HOSTILE, name).catch((error: unknown) => error);
      if (!(outcome instanceof Map)) expect(outcome).toBeInstanceOf(AsMlpError);
      if (must === 'load') expect(outcome).toBeInstanceOf(Map);
      expect(MARKERS.filter((marker) => existsSync(marker))).toEqual([]);
    },
  );

  it('leaves the controls as they are', async () => {
    const control = await load(HOSTILE, 'control.pth');
    const override = await load(HOSTILE, 'control_override.pth');
    expect([...override.keys()]).toEqual([...control.keys()]);
    for (const [name, values] of control) {
      const expected = name === 'head.bias' ? HOSTILE.about['control_override.pth']!.headBias! : [...values];
      expect([...override.get(name)!], name).toEqual(expected);
    }
  });

  it.each([
    ['int_weight.pth', 'int64'],
    ['complex_weight.pth', 'complex64'],
    ['string_weight.pth', 'str'],
  ])('%s names the key and its type %s', async (name, dtype) => {
    const { entries } = await openWeights(bytesSource(name, HOSTILE.files.get(name)!));
    expect(entries.get('head.weight')!.dtype).toBe(dtype);
    await expect(entries.get('head.weight')!.read()).rejects.toThrow(
      `${name}, head.weight: is ${dtype}, not floating`,
    );
  });

  it('reads keys that name parts of JavaScript objects as any others', async () => {
    const values = await load(HOSTILE, 'proto_keys.pth');
    expect([...values.get('__proto__')!]).toEqual([1]);
    expect([...values.get('constructor')!]).toEqual([1]);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});

describe('the official container', () => {
  it.each(['checkpoint.pth', 'weights.safetensors'])('%s has the values that PyTorch sees', async (name) => {
    const file = await openWeights(bytesSource(name, VARIANTS.files.get(name)!));
    expect([...file.entries.keys()].sort()).toEqual(Object.keys(VARIANTS.about.tensors).sort());
    for (const [key, entry] of file.entries) {
      const expected = VARIANTS.about.tensors[key]!;
      const values = await entry.read();
      expect(entry.dtype, key).toBe('float32');
      expect(entry.shape, key).toEqual(expected.shape);
      expect([...values.subarray(0, expected.first.length)], key).toEqual(expected.first);
      let [sum, squares] = [0, 0];
      for (const value of values) {
        sum += value;
        squares += value * value;
      }
      expect(Math.sqrt(squares), key).toBeCloseTo(expected.l2, 9);
      expect(sum, key).toBeCloseTo(expected.sum, 9);
    }
  });

  it('keeps what the checkpoint says of itself, and not its optimizer', async () => {
    const { format, metadata } = await openWeights(
      bytesSource('checkpoint.pth', VARIANTS.files.get('checkpoint.pth')!),
    );
    expect(format).toBe('pth');
    expect(Object.keys(metadata).sort()).toEqual(['config', 'epoch', 'lr_scheduler', 'max_accuracy']);
    expect(metadata).toMatchObject({
      epoch: 299,
      max_accuracy: 81.3,
      config: {
        DATA: { IMG_SIZE: 224 },
        MODEL: { DROP_PATH_RATE: 0.2, ASMLP: { SHIFT_SIZE: 5, EMBED_DIM: 4, DEPTHS: [1, 1, 1, 1] } },
      },
    });
  });

  it('keeps the strings of safetensors', async () => {
    const { format, metadata } = await openWeights(
      bytesSource('weights.safetensors', VARIANTS.files.get('weights.safetensors')!),
    );
    expect(format).toBe('safetensors');
    expect(metadata).toMatchObject({ embed_dim: '4', depths: '1,1,1,1', shift_size: '5' });
  });
});

describe('containers of one network', () => {
  const variants = Object.entries(VARIANTS.about.variants);
  /** Largest relative rounding error: the significands have 11 and 8 bits. */
  const ROUNDING = { same: 0, fp16: 2 ** -11, bf16: 2 ** -8 };
  /** Below this, fp16 has fewer bits. */
  const SMALLEST_NORMAL = { same: 0, fp16: 2 ** -14, bf16: 0 };

  it.each(variants)('%s has the same values (%s)', async (name, rounding) => {
    const expected = await load(VARIANTS, 'model_only.pth');
    const actual = await load(VARIANTS, name);
    const keys = [...actual.keys()].filter((key) => expected.has(key));
    expect(keys.sort()).toEqual([...expected.keys()].sort());
    let differences = 0;
    for (const [key, values] of expected) {
      const others = actual.get(key)!;
      expect(others.length, key).toBe(values.length);
      for (let i = 0; i < values.length; i++) {
        const scale = Math.max(Math.abs(values[i]!), SMALLEST_NORMAL[rounding]);
        const difference = Math.abs(others[i]! - values[i]!);
        if (difference > scale * ROUNDING[rounding])
          expect.fail(`${key}[${i}] is ${others[i]} for ${values[i]}`);
        if (difference > 0) differences++;
      }
    }
    expect(differences > 0).toBe(rounding !== 'same');
  });

  it('reads a NumPy scalar as a number', async () => {
    const { metadata } = await openWeights(
      bytesSource('numpy_scalar.pth', VARIANTS.files.get('numpy_scalar.pth')!),
    );
    expect(metadata.max_accuracy).toBe(81.31);
  });

  it('shows the one key too many', async () => {
    const values = await load(VARIANTS, 'extra_key.pth');
    expect([...values.get('layers.0.blocks.0.attn_mask')!]).toEqual([0, 0, 0]);
  });
});
