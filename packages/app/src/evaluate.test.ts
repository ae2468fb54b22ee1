import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { type EvaluateFlags, type EvaluateTask, evaluateVerb } from './evaluate.ts';
import { pressInterrupt, runVerbs, scratchFolder } from './terminal.fixture.ts';

type Watch = Parameters<EvaluateTask<EvaluateFlags>['evaluate']>[1];

/** Runs `eval` with a task that answers 3 of 4, after `act`. */
async function evaluate(
  args: readonly string[],
  act: (watch: Watch) => void = () => undefined,
  failures: readonly AsMlpError[] = [],
) {
  let seen: EvaluateFlags | undefined;
  const verb = evaluateVerb({
    async evaluate(flags, watch) {
      seen = flags;
      act(watch);
      return {
        json: { share: 0.75 },
        text: '3 of 4\n',
        failures,
        write: async (folder) => writeFileSync(join(folder, 'table.csv'), 'x\n'),
      };
    },
  });
  const required = ['--data', 'd', '--weights', 'w', '--engine', 'cpu'];
  return { ...(await runVerbs([verb], 'eval', ...required, ...args)), seen };
}

describe('eval', () => {
  it('hands the options on and prints the metrics', async () => {
    const { code, out, seen } = await evaluate(['--split', 'test']);
    expect({ code, out }).toEqual({ code: 0, out: '3 of 4\n' });
    expect(seen).toMatchObject({ data: 'd', weights: 'w', split: 'test' });
    expect((await evaluate([])).seen).toMatchObject({ split: 'val' });
  });

  it('knows the parts of a data set where the task names them', async () => {
    const verb = evaluateVerb({ splits: ['val'], evaluate: () => Promise.reject(new Error('evaluated')) });
    const args = ['eval', '--data', 'd', '--weights', 'w', '--engine', 'cpu', '--split', 'test'];
    const { code, log } = await runVerbs([verb], ...args);
    expect(code).toBe(2);
    expect(log.join()).toContain('val');
  });

  it('prints JSON alone for --json -, and writes tables', async () => {
    const folder = join(scratchFolder(), 'tables');
    const { code, out, log } = await evaluate(['--json', '-', '--out', folder]);
    expect(code).toBe(0);
    expect(JSON.parse(out)).toEqual({ share: 0.75 });
    expect(readFileSync(join(folder, 'table.csv'), 'utf8')).toBe('x\n');
    expect(log.at(-1)).toBe(`tables and pictures: ${folder}`);
  });

  it('counts on a line that begins with the first batch and always ends', async () => {
    const { progress } = await evaluate([], ({ onProgress }) => {
      onProgress(2, 4);
      onProgress(4, 4);
    });
    expect(progress).toEqual(['eval 2/4 images', 'eval 4/4 images', 'eval stopped']);
    const failed = await evaluate([], ({ onProgress }) => {
      onProgress(2, 4);
      throw new AsMlpError('input', { what: 'no' });
    });
    expect(failed).toMatchObject({ code: 1, progress: ['eval 2/4 images', 'eval stopped'] });
  });

  it('names samples that could not be read and ends with 1, metrics and all', async () => {
    const failure = new AsMlpError('image', { where: 'b.png', what: 'is no image' });
    const { code, out, log } = await evaluate([], undefined, [failure]);
    expect({ code, out }).toEqual({ code: 1, out: '3 of 4\n' });
    expect(log.at(-1)).toBe('error: b.png: is no image.');
  });

  it('looks at its outputs before it evaluates', async () => {
    const { code, seen } = await evaluate(['--json', join(scratchFolder(), 'none', 'x.json')]);
    expect({ code, seen }).toEqual({ code: 1, seen: undefined });
  });

  it('says nothing of metrics when interrupted', async () => {
    const { code, out, log } = await evaluate([], ({ signal }) => {
      pressInterrupt();
      signal.throwIfAborted();
    });
    expect({ code, out }).toEqual({ code: 130, out: '' });
    expect(log.at(-1)).toMatch(/^stopping/);
  });

  it('needs data and weights', async () => {
    const { code, log } = await runVerbs([evaluateVerb({ evaluate: () => Promise.reject() })], 'eval');
    expect(code).toBe(2);
    expect(log[0]).toBe("error: required option '--data <folder>' not specified");
  });
});
