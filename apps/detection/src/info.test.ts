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

it.each([
  ['mask-rcnn-as-mlp-tiny', 47_788_944, 259_758_576_640],
  ['mask-rcnn-as-mlp-small', 69_100_944, 344_693_232_640],
  ['cascade-mask-rcnn-as-mlp-tiny', 85_624_146, 738_009_584_640],
  ['cascade-mask-rcnn-as-mlp-small', 106_936_146, 822_944_240_640],
  ['cascade-mask-rcnn-as-mlp-base', 144_961_586, 958_898_672_640],
])('counts the parameters of %s, and the products of an image of 800×1280', async (name, params, macs) => {
  const { code, out } = await run(name, '--json', '-');
  expect(code).toBe(0);
  expect(JSON.parse(out)).toMatchObject({
    name,
    params,
    macs,
    size: { height: 800, width: 1280 },
    classes: 80,
    features: [{ name: 'p2', stride: 4 }, { name: 'p3' }, { name: 'p4' }, { name: 'p5', stride: 32 }],
  });
});

it('tells a name from a file, and a classifier from a detector', async () => {
  expect(await run('as-mlp-tiny')).toMatchObject({ code: 2, out: '' });
  expect(await run('gone.pth')).toMatchObject({
    code: 1,
    log: ['error: gone.pth: there is no such file or folder. Check the path.'],
  });
  const digits = '../../../packages/classification/weights/as-mlp-nano-digits.safetensors';
  const { code, log } = await run(fileURLToPath(new URL(digits, import.meta.url)));
  expect({ code, log }).toEqual({ code: 1, log: [expect.stringContaining('Use it with `classify`')] });
});
