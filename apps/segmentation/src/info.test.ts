import { fileURLToPath } from 'node:url';
import { memoryTerminal, runApp } from '@as-mlp/app';
import { expect, it } from 'vitest';
import { info } from './info.ts';

async function run(...args: string[]) {
  const terminal = memoryTerminal();
  const app = { bin: 'probe', summary: 'A probe.', verbs: [info], examples: [] };
  const code = await runApp(app, ['info', ...args], terminal);
  return { code, out: terminal.said, log: terminal.lines };
}

// Published: 60 M and 937 G, 81 M and 1024 G, 121 M and 1166 G.
it.each([
  ['upernet-as-mlp-tiny', 59_936_204, 936_288_976_896],
  ['upernet-as-mlp-small', 81_248_204, 1_023_262_064_640],
  ['upernet-as-mlp-base', 121_264_300, 1_164_566_331_392],
])('counts the parameters of %s, and the products of an image of 512×2048', async (name, params, macs) => {
  const { code, out } = await run(name, '--json', '-');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    name,
    params,
    macs,
    size: { height: 512, width: 2048 },
    classes: 150,
    features: [{ name: 'p2', stride: 4 }, { name: 'p3' }, { name: 'p4' }, { name: 'p5', stride: 32 }],
  });
});

it('tells a name from a file, and a classifier from a segmenter', async () => {
  expect(await run('as-mlp-tiny')).toMatchObject({ code: 2, out: '' });
  expect(await run('gone.pth')).toMatchObject({
    code: 1,
    log: ['error: gone.pth: there is no such file or folder. Check the path.'],
  });
  const digits = '../../../packages/classification/weights/as-mlp-nano-digits.safetensors';
  const { code, log } = await run(fileURLToPath(new URL(digits, import.meta.url)));
  expect({ code, log }).toEqual({ code: 1, log: [expect.stringContaining('Use it with `classify`')] });
});
