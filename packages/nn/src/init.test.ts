import { AsMlpError, createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { golden } from './golden.fixture.ts';
import {
  constant,
  fans,
  type Initializer,
  kaimingNormal,
  kaimingUniformConv,
  normal,
  truncNormal,
  uniformFanIn,
  xavierUniform,
} from './init.ts';

interface Row {
  readonly dist: 'uniform' | 'constant' | 'trunc_normal' | 'normal';
  readonly bound: number;
  readonly std: number;
  readonly value: number;
  readonly low: number;
  readonly high: number;
  readonly shape: number[];
}

const draw = (init: Initializer, shape: readonly number[]) => init(shape, createRng(5));
const moment = (values: Float32Array, power: number) =>
  values.reduce((sum, value) => sum + value ** power, 0) / values.length;

describe('fans', () => {
  it.each([
    // [shape, fan in, fan out] as torch.nn.init._calculate_fan_in_and_fan_out returns them
    [[96, 3, 4, 4], 48, 1536],
    [[1000, 768], 768, 1000],
    [[256, 128, 2, 2], 512, 1024],
  ])('counts %j', (shape, fanIn, fanOut) => {
    expect(fans(shape)).toEqual({ fanIn, fanOut });
  });

  it('refuses vectors', () => {
    expect(() => fans([5])).toThrow(AsMlpError);
  });
});

describe('the official distributions', () => {
  const { models } = golden<{ models: Record<string, { parameters: Record<string, Row> }> }>(
    'recipe/init.json',
  );

  it.each(Object.keys(models))('bounds every convolution of %s by its fan-in', (model) => {
    const { parameters } = models[model]!;
    // The bound tells the fan-in; a weight and its bias share it.
    const byBound = new Map(Object.values(parameters).map((row) => [row.bound, row]));
    for (const { bound, std } of byBound.values()) {
      if (bound === undefined) continue;
      const values = draw(uniformFanIn(Math.round(1 / bound ** 2)), [40_000]);
      expect(Math.max(...values.map(Math.abs)) / Math.fround(bound)).toBeCloseTo(1, 3);
      expect(Math.sqrt(moment(values, 2)) / std).toBeCloseTo(1, 2);
    }
    expect(parameters['patch_embed.proj.weight']!.bound).toBeCloseTo(
      1 / Math.sqrt(fans([96, 3, 4, 4]).fanIn),
      12,
    );
  });

  it('takes the fan-in of a convolution from its shape', () => {
    expect(draw(kaimingUniformConv, [8, 3, 4, 4])).toEqual(draw(uniformFanIn(48), [8, 3, 4, 4]));
  });

  it('has the moments of a uniform distribution', () => {
    const values = draw(kaimingUniformConv, [400, 100, 1, 1]);
    // U(±0.1): mean 0 with standard error 0.1/√3/200, second and fourth moments 0.1²/3 and 0.1⁴/5.
    expect(Math.abs(moment(values, 1))).toBeLessThan(0.0012);
    expect(moment(values, 2) * 300).toBeCloseTo(1, 1);
    expect(moment(values, 4) * 5e4).toBeCloseTo(1, 1);
  });

  it('truncates the classifier at absolute limits', () => {
    const row = models.tiny!.parameters['head.weight']!;
    const head = draw(truncNormal({ std: row.std, min: row.low, max: row.high }), [1000, 64]);
    expect(Math.sqrt(moment(head, 2)) / row.std).toBeCloseTo(1, 1);
    expect(Math.max(...head)).toBeGreaterThan(3 * row.std);
    const wide = draw(truncNormal({ std: 1.5, min: -1, max: 2 }), [40_000]);
    expect(Math.max(...wide)).toBeLessThanOrEqual(2);
    expect(Math.min(...wide)).toBeGreaterThanOrEqual(-1);
    // Mean of a normal of std 1.5 between −1 and 2: 1.5·(φ(−2/3) − φ(4/3)) / (Φ(4/3) − Φ(−2/3))
    expect(moment(wide, 1)).toBeCloseTo(0.35384, 1);
    expect(() => truncNormal({ mean: 9 })).toThrow(AsMlpError);
  });

  const heads = golden<{ parameters: Record<string, Row> }>('seg-unit/init.json').parameters;
  it('gives the segmentation head fan-out variance', () => {
    for (const [name, row] of Object.entries(heads)) {
      if (row.dist !== 'normal') continue;
      const init = name.endsWith('conv_seg.weight') ? normal({ std: 0.01 }) : kaimingNormal();
      const values = draw(init, row.shape);
      const relative = Math.sqrt(moment(values, 2)) / row.std;
      // The sample deviation of n normals has relative standard error 1/√(2n).
      expect(Math.abs(relative - 1), name).toBeLessThan(4 / Math.sqrt(2 * values.length));
    }
  });

  it('bounds xavier by both fans', () => {
    const values = draw(xavierUniform(), [60, 90, 2, 2]);
    const bound = Math.sqrt(6 / ((60 + 90) * 4));
    expect(Math.max(...values.map(Math.abs)) / bound).toBeCloseTo(1, 2);
    expect(moment(values, 2) / (bound ** 2 / 3)).toBeCloseTo(1, 1);
    expect(draw(xavierUniform({ gain: 2 }), [60, 90])[7]).toBeCloseTo(
      2 * draw(xavierUniform(), [60, 90])[7]!,
      6,
    );
  });

  it('fills with a constant', () => {
    expect(draw(constant(0.5), [2, 2])).toEqual(new Float32Array([0.5, 0.5, 0.5, 0.5]));
  });
});
