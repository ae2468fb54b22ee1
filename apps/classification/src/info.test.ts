import { memoryTerminal, runApp } from '@as-mlp/app';
import { expect, it } from 'vitest';
import { info } from './info.ts';

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const app = { bin: 'probe', summary: 'A probe.', verbs: [info], examples: [] };
  const code = await runApp(app, ['info', ...args], terminal);
  return { code, out: terminal.said, log: terminal.lines };
}

it('describes a model by name, with as many classes as asked for', async () => {
  const tiny = await run('as-mlp-tiny', '--json', '-');
  expect(tiny).toMatchObject({ code: 0, log: [] });
  expect(JSON.parse(tiny.out)).toMatchObject({
    name: 'as-mlp-tiny',
    params: 28282696,
    macs: 4358553600,
    size: { height: 224, width: 224 },
    classes: 1000,
    depths: '2, 2, 6, 2',
  });
  const { out } = await run('as-mlp-tiny', '--classes', '10', '--size', '64', '--json', '-');
  // A class less is 768 weights and a bias less.
  expect(JSON.parse(out)).toMatchObject({ params: 28282696 - 990 * 769, size: { height: 64, width: 64 } });
});

it.each([
  ['as-mlp-tiny', 4_358_553_600],
  ['as-mlp-small', 8_524_867_584],
  ['as-mlp-base', 15_142_936_576],
  ['as-mlp-mobile', 1_324_756_992],
])('counts the official multiply-accumulates of %s', async (name, macs) => {
  expect(JSON.parse((await run(name, '--json', '-')).out).macs).toBe(macs);
});

it('tells a name from a file', async () => {
  expect(await run('as-mlp-tinny')).toMatchObject({
    code: 2,
    out: '',
    log: [expect.stringContaining('Did you mean as-mlp-tiny?')],
  });
  expect(await run('gone.pth')).toMatchObject({
    code: 1,
    log: ['error: gone.pth: there is no such file or folder. Check the path.'],
  });
});
