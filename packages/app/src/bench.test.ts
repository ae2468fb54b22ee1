import { describe, expect, it } from 'vitest';
import { benchVerb, measure, quantile, type Timed } from './bench.ts';
import { pressInterrupt, runVerbs } from './terminal.fixture.ts';

/** A network that remembers the batches it was run on. */
function recorder(onRun: () => void = () => undefined) {
  const ran: number[] = [];
  let disposed = 0;
  const timed: Timed = {
    async run(batch) {
      ran.push(batch);
      onRun();
    },
    dispose: () => disposed++,
  };
  return { ran, timed, disposed: () => disposed };
}

describe('measure', () => {
  it('takes the batch sizes in turn, with one round to warm up', async () => {
    const { ran, timed } = recorder();
    const rows = await measure(timed, { batch: [1, 8], runs: 2 }, new AbortController().signal);
    expect(ran).toEqual([1, 8, 1, 8, 1, 8]);
    expect(rows.map(({ batch }) => batch)).toEqual([1, 8]);
    for (const { p50, p95, imgPerSec } of rows) {
      expect(p95).toBeGreaterThanOrEqual(p50);
      expect(imgPerSec).toBe(1000 / p50);
    }
  });

  it('stops between two runs', async () => {
    const abort = new AbortController();
    const { ran, timed } = recorder(() => abort.abort());
    await expect(measure(timed, { batch: [1, 8], runs: 2 }, abort.signal)).rejects.toThrow('abort');
    expect(ran).toEqual([1]);
  });
});

describe('quantile', () => {
  it('is one of the values, in whatever order they come', () => {
    const values = [30, 10, 20, 40];
    expect([0, 0.5, 0.95, 1].map((share) => quantile(values, share))).toEqual([10, 30, 40, 40]);
    expect(values).toEqual([30, 10, 20, 40]);
  });

  it('of nothing is no number', () => {
    expect(quantile([], 0.5)).toBeNaN();
  });
});

describe('bench', () => {
  const bench = (task: ReturnType<typeof recorder>, ...args: string[]) => {
    const verb = benchVerb({ defaultModel: 'tiny', defaultSize: '224', open: async () => task.timed });
    return runVerbs([verb], 'bench', '--engine', 'cpu', ...args);
  };

  it('shows a row for each batch size', async () => {
    const task = recorder();
    const { code, out } = await bench(task, '--runs', '1', '--batch', '2,4');
    expect(code).toBe(0);
    expect(out.split('\n').map((line) => line.trim().split(/\s{2,}/)[0])).toEqual([
      expect.stringContaining('batch'),
      '─────',
      '2',
      '4',
      expect.stringMatching(/^peak memory \d+ MiB$/),
      '',
    ]);
    expect(task.disposed()).toBe(1);
  });

  it('times the steps of a task that takes one image at a time', async () => {
    const ran: string[] = [];
    const run = async (batch: number, step: string) => void ran.push(`${batch} ${step}`);
    const verb = benchVerb({
      defaultModel: 'tiny',
      defaultSize: '64',
      steps: ['part', 'whole'],
      batched: false,
      open: async () => ({ run, dispose: () => undefined }),
    });
    const args = ['bench', '--engine', 'cpu', '--runs', '1'];
    const { out } = await runVerbs([verb], ...args, '--json', '-');
    expect(ran).toEqual(['1 part', '1 whole', '1 part', '1 whole']);
    expect(JSON.parse(out).rows).toMatchObject([{ step: 'part' }, { step: 'whole' }]);
    expect((await runVerbs([verb], ...args, '--batch', '2')).code).toBe(2);
  });

  it('gives the figures as JSON alone', async () => {
    const { out } = await bench(recorder(), '--runs', '1', '--batch', '1', '--size', '32,64', '--json', '-');
    expect(JSON.parse(out)).toMatchObject({
      model: 'tiny',
      size: { height: 32, width: 64 },
      engine: 'cpu',
      threads: 1,
      precision: 'float32',
      rows: [{ batch: 1 }],
      peakRssMiB: expect.any(Number),
    });
  });

  it('frees the network when interrupted', async () => {
    const task = recorder(pressInterrupt);
    const { code, out } = await bench(task);
    expect({ code, out, ran: task.ran, disposed: task.disposed() }).toEqual({
      code: 130,
      out: '',
      ran: [1],
      disposed: 1,
    });
  });
});
