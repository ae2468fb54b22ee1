import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import type { Cli, Verb } from './cli.ts';
import { pressInterrupt, runVerbs } from './terminal.fixture.ts';

/** A verb `go` that does just this. */
const going =
  (act: (cli: Cli) => void | Promise<void>): Verb =>
  (program, cli) => {
    program
      .command('go')
      .description('go')
      .action(() => act(cli));
  };
const failing = (error: unknown) =>
  going(() => {
    throw error;
  });

describe('runApp', () => {
  it('shows help and version on standard output', async () => {
    for (const args of [['--help'], ['help'], ['go', '--help'], ['--version']]) {
      const { code, out, log } = await runVerbs([going(() => undefined)], ...args);
      expect({ code, log }, args.join(' ')).toEqual({ code: 0, log: [] });
      expect(out).toMatch(args[0] === '--version' ? /^\d+\.\d+\.\d+\n$/ : /^Usage: probe /);
    }
    const { out } = await runVerbs([going(() => undefined)], '--help');
    expect(out).toContain('\nExamples:\n  probe go\n');
    expect(out).toContain('--verbose');
  });

  it('ends wrong usage with 2, on standard error alone', async () => {
    const cases = [
      [['gi'], "error: unknown command 'gi'\n(Did you mean go?)"],
      [['go', '--fast'], "error: unknown option '--fast'"],
      [['go', 'there'], 'error: too many arguments'],
      [[], 'Usage: probe'],
    ] as const;
    for (const [args, words] of cases) {
      const { code, out, log } = await runVerbs([going(() => undefined)], ...args);
      expect({ code, out }, args.join(' ')).toEqual({ code: 2, out: '' });
      expect(log.join('\n')).toContain(words);
    }
  });

  it('ends a known failure with one message: 2 for usage, 1 for the rest', async () => {
    const text = { where: 'a.png', what: 'is empty', fix: 'Fetch it again' };
    const usage = await runVerbs([failing(new AsMlpError('usage', text))], 'go');
    expect(usage).toMatchObject({ code: 2, out: '', log: ['error: a.png: is empty. Fetch it again.'] });
    const io = await runVerbs([failing(new AsMlpError('io', text))], 'go');
    expect(io).toMatchObject({ code: 1, log: usage.log });
  });

  it('shows where an error came from only when asked', async () => {
    const error = new TypeError('x is undefined', { cause: new Error('deeper') });
    const plain = await runVerbs([failing(error)], 'go');
    expect(plain.code).toBe(1);
    expect(plain.log).toEqual(['error: x is undefined (unexpected: run again with --verbose and report it)']);
    for (const args of [
      ['go', '--verbose'],
      ['--verbose', 'go'],
    ]) {
      const { code, log } = await runVerbs([failing(error)], ...args);
      expect(code).toBe(1);
      expect(log.join('\n')).toMatch(
        /^error: TypeError: x is undefined\n\s+at [\s\S]*\ncaused by: Error: deeper\n/,
      );
    }
    expect((await runVerbs([failing('text')], 'go')).log).toEqual(['error: text']);
  });

  it('goes on after a failed part and ends with 1', async () => {
    const { code, out, log } = await runVerbs(
      [
        going((cli) => {
          cli.fail(new AsMlpError('image', { where: 'b.png', what: 'is no image' }));
          cli.terminal.out('a.png: cat\n');
        }),
      ],
      'go',
    );
    expect({ code, out, log }).toEqual({ code: 1, out: 'a.png: cat\n', log: ['error: b.png: is no image.'] });
  });

  it('opens the engine that is asked for and says which it is', async () => {
    const opened = await runVerbs(
      [
        going(async (cli) => {
          const { name } = await cli.openEngine({ engine: 'cpu' });
          cli.terminal.out(name);
        }),
      ],
      'go',
    );
    expect(opened).toMatchObject({ code: 0, out: 'cpu' });
    expect(opened.log).toEqual([
      expect.stringMatching(/^cpu engine: TensorFlow\.js [\d.]+ on the CPU, 1 thread$/),
    ]);
  });
});

describe('Ctrl+C', () => {
  const STOPPING = 'stopping after the current step; press Ctrl+C again to stop at once';

  it('lets the step end and gives 130, whether the verb returns or throws', async () => {
    const returning = going((cli) => {
      pressInterrupt();
      cli.terminal.out(`${cli.signal.aborted}`);
    });
    expect(await runVerbs([returning], 'go')).toMatchObject({ code: 130, out: 'true', log: [STOPPING] });
    const throwing = going((cli) => {
      pressInterrupt();
      cli.signal.throwIfAborted();
    });
    expect(await runVerbs([throwing], 'go')).toMatchObject({ code: 130, log: [STOPPING] });
  });

  it('hides no failure that comes after it', async () => {
    const verb = going(() => {
      pressInterrupt();
      throw new AsMlpError('io', { where: 'run', what: 'the disk is full' });
    });
    expect(await runVerbs([verb], 'go')).toMatchObject({
      code: 1,
      log: [STOPPING, 'error: run: the disk is full.'],
    });
  });

  it('is left to others when the app has ended', async () => {
    const before = process.listenerCount('SIGINT');
    await runVerbs([going(() => undefined)], 'go');
    expect(process.listenerCount('SIGINT')).toBe(before);
  });
});
