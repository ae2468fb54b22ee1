import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { infoVerb } from './info.ts';
import { runVerbs, scratchFolder } from './terminal.fixture.ts';

const verb = infoVerb({
  async describe(target, { size = { height: 224, width: 224 } }) {
    if (target === 'gone') throw new AsMlpError('usage', { where: target, what: 'there is no such model' });
    const sides = [size.height, size.width] as const;
    return {
      name: target,
      params: 28282696,
      parts: [
        { forward: (x) => tf.matMul(tf.reshape(x, [-1, 3]), tf.zeros([3, 499])), shapes: [[1, ...sides, 3]] },
        { forward: (x) => tf.matMul(x, tf.zeros([3, 1])), shapes: [[sides[0] * sides[1], 3]] },
      ],
      tallyMacs: ({ products }) => products,
      size,
      features: [{ name: 'p2', channels: 96, stride: 4 }],
      facts: { classes: 1000 },
    };
  },
});

describe('info', () => {
  it('shows facts for people, without an engine', async () => {
    const { code, out, log } = await runVerbs([verb], 'info', 'tiny');
    expect({ code, log }).toEqual({ code: 0, log: [] });
    expect(out).toBe(
      [
        'tiny',
        '  parameters                      28,282,696',
        '  multiply-accumulates (224×224)  0.075 G',
        '  classes                         1000',
        '',
        'feature  channels  stride',
        '───────  ────────  ──────',
        'p2             96       4',
        '',
      ].join('\n'),
    );
  });

  it('gives JSON alone on standard output, or beside the text in a file', async () => {
    const expected = {
      name: 'tiny',
      params: 28282696,
      macs: 64 * 32 * 3 * 500,
      size: { height: 64, width: 32 },
      features: [{ name: 'p2', channels: 96, stride: 4 }],
      classes: 1000,
    };
    const piped = await runVerbs([verb], 'info', 'tiny', '--size', '64,32', '--json', '-');
    expect(JSON.parse(piped.out)).toEqual(expected);
    const file = join(scratchFolder(), 'info.json');
    const { out } = await runVerbs([verb], 'info', 'tiny', '--size', '64,32', '--json', file);
    expect(out).toContain('multiply-accumulates (64×32)');
    expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual(expected);
  });

  it('passes on what the task says of an unknown model', async () => {
    const { code, log } = await runVerbs([verb], 'info', 'gone');
    expect({ code, log }).toEqual({ code: 2, log: ['error: gone: there is no such model.'] });
  });
});
