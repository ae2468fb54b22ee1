import { describe, expect, it } from 'vitest';
import { parseOptions } from './arguments.ts';

describe('parseOptions', () => {
  it('measures everything but the slow part, without peers, unless told otherwise', () => {
    expect(parseOptions([])).toEqual({
      model: 'as-mlp-tiny',
      side: 224,
      batches: [1, 8],
      rounds: 5,
      turnMs: 600,
      sections: ['inference', 'training', 'start', 'pipeline'],
      peers: false,
      patience: 0,
      out: 'bench',
      document: undefined,
      help: false,
    });
  });

  it('takes options in any order', () => {
    const options = parseOptions(['--batch', '1,2,4', '--scaling', '--rounds', '3', '--peers', '--out', 'x']);
    expect(options).toMatchObject({ batches: [1, 2, 4], rounds: 3, peers: true, out: 'x' });
    expect(options.sections).toContain('scaling');
    expect(parseOptions(['--only', 'pipeline,scaling']).sections).toEqual(['pipeline', 'scaling']);
  });

  it('lets single options change a quick run', () => {
    expect(parseOptions(['--quick'])).toMatchObject({ model: 'as-mlp-nano', side: 32, rounds: 1, turnMs: 1 });
    expect(parseOptions(['--quick', '--rounds', '2'])).toMatchObject({ model: 'as-mlp-nano', rounds: 2 });
  });

  it.each([
    [['--rounds', '0'], 'Give a whole number, 1 or more'],
    [['--batch', '1,x'], '"x" does not do'],
    [['--only', 'inferense'], 'Did you mean inference?'],
    [['--peer'], "Unknown option '--peer'"],
    [['photo.jpg'], 'Unexpected argument'],
  ])('refuses %j', (args, message) => {
    expect(() => parseOptions(args)).toThrow(message);
  });
});
