import { describe, expect, it } from 'vitest';
import { golden } from '../golden.fixture.ts';
import { type DecayRule, splitDecay } from './split-decay.ts';

interface Groups {
  readonly decay: string[];
  readonly no_decay: string[];
}

/** Weights of layers have four dimensions or two; gains, biases and norms have one. */
function shapeOf(name: string): number[] {
  const vector = name.endsWith('.bias') || /norm|\.bn\./.test(name);
  return vector ? [8] : [8, 8];
}

function split(names: readonly string[], rule: DecayRule): Groups {
  const { decay, noDecay } = splitDecay(
    names.map((name) => [name, { shape: shapeOf(name) }] as const),
    rule,
  );
  return { decay: decay.map(([name]) => name), no_decay: noDecay.map(([name]) => name) };
}

describe('splitDecay', () => {
  const { models } = golden<{ models: Record<string, Groups> }>('recipe/weight_decay_groups.json');

  it.each(Object.entries(models))('has the groups of classification, %s', (_, { decay, no_decay }) => {
    const mixed = [...no_decay, ...decay];
    expect(split(mixed, 'classification')).toEqual({ decay, no_decay });
  });

  it('has the groups of dense prediction', () => {
    const { decay, no_decay } = golden<Groups>('seg-unit/optim.json');
    expect(split([...decay, ...no_decay], 'dense')).toEqual({ decay, no_decay });
  });

  it('spares vectors whatever their name, and biases whatever their shape', () => {
    const parameters: [string, { shape: number[] }][] = [
      ['scale', { shape: [3] }],
      ['table.bias', { shape: [3, 3] }],
      ['weight', { shape: [3, 3] }],
    ];
    expect(splitDecay(parameters, 'classification').decay).toEqual([['weight', { shape: [3, 3] }]]);
    expect(splitDecay(parameters, 'dense').noDecay).toEqual([]);
  });
});
