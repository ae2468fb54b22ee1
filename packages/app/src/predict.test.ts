import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createImage, encodePng, type RgbImage } from '@as-mlp/data';
import { beforeEach, describe, expect, it } from 'vitest';
import { type Predictor, type PredictTask, predictVerb } from './predict.ts';
import { pressInterrupt, runVerbs, scratchFolder } from './terminal.fixture.ts';

type Flags = Parameters<PredictTask<number, never>['open']>[0];

let folder = '';
/** Every batch that the predictor was given, as the red of each image. */
let batches: number[][] = [];
let disposed = 0;

beforeEach(() => {
  folder = scratchFolder();
  batches = [];
  disposed = 0;
});

/** A network that sees how red the first pixel is. */
function verbs(onBatch: () => void = () => undefined) {
  const predictor: Predictor<number> = {
    notes: ['a note'],
    async predict(images) {
      onBatch();
      const reds = images.map(({ data }) => data[0]!);
      batches.push(reds);
      return reds;
    },
    toJson: (red) => ({ red }),
    toText: (red) => `red ${red}`,
    draw: async (image: RgbImage, red) => createImage(image, [red, 0, 0]),
    dispose: () => disposed++,
  };
  return [predictVerb<number, Flags>({ open: async () => predictor })];
}

async function writeImage(name: string, red: number): Promise<string> {
  const path = join(folder, name);
  writeFileSync(path, await encodePng(createImage({ height: 2, width: 3 }, [red, 0, 0])));
  return path;
}

const predict = (paths: readonly string[], ...args: string[]) =>
  runVerbs(verbs(), 'predict', ...paths, '--weights', 'w', '--engine', 'cpu', ...args);

describe('predict', () => {
  it('answers for each image in a line, batch by batch', async () => {
    const paths = [await writeImage('a.png', 1), await writeImage('b.png', 2), await writeImage('c.png', 3)];
    const { code, out, log, progress } = await predict(paths, '--batch', '2');
    expect(code).toBe(0);
    expect(out).toBe(paths.map((path, i) => `${path}: red ${i + 1}\n`).join(''));
    expect(log.slice(1)).toEqual(['a note']);
    expect(progress).toEqual(['predict 2/3 images', 'predict 3/3 images', 'predict stopped']);
    expect({ batches, disposed }).toEqual({ batches: [[1, 2], [3]], disposed: 1 });
  });

  it('does not let a precision pass that its engine lacks', async () => {
    const { code, out, log } = await predict([await writeImage('a.png', 1)], '--precision', 'bf16');
    expect({ code, out, disposed }).toEqual({ code: 2, out: '', disposed: 0 });
    expect(log).toEqual([expect.stringMatching(/^error: .*bf16 needs the native engine on a processor/)]);
  });

  it('names what cannot be read and does the others', async () => {
    const a = await writeImage('a.png', 1);
    const broken = join(folder, 'b.png');
    writeFileSync(broken, 'no picture');
    const gone = join(folder, 'gone.png');
    const c = await writeImage('c.png', 3);
    const { code, out, log } = await predict([a, broken, gone, c], '--json', '-');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toEqual([
      { file: a, width: 3, height: 2, red: 1 },
      { file: broken, error: expect.stringContaining(broken) },
      { file: c, width: 3, height: 2, red: 3 },
    ]);
    expect(log.filter((line) => line.startsWith('error: '))).toEqual([
      expect.stringContaining(gone),
      expect.stringContaining(broken),
    ]);
  });

  it('opens nothing when no path gives an image', async () => {
    const { code, out, log } = await predict([join(folder, 'gone'), folder]);
    expect({ code, out, batches, disposed }).toEqual({ code: 1, out: '', batches: [], disposed: 0 });
    expect(log).toEqual([
      expect.stringContaining('gone'),
      expect.stringContaining(`${folder}: there are no images`),
      'error: none of these paths gives an image. Check the paths.',
    ]);
  });

  it('writes JSON and a picture for each image, and an overview', async () => {
    await writeImage('a.png', 1);
    await writeImage('overview.png', 2);
    const out = join(folder, 'out');
    const json = join(folder, 'out.json');
    const { code, log } = await predict([folder], '--json', json, '--out', out);
    expect(code).toBe(0);
    expect(readdirSync(out).sort()).toEqual(['a.png', 'overview-2.png', 'overview.png']);
    expect(JSON.parse(readFileSync(json, 'utf8'))).toHaveLength(2);
    expect(log.slice(-2)).toEqual([`pictures: ${out}`, `overview: ${join(out, 'overview.png')}`]);
  });

  it('never writes a picture over an image that it was given', async () => {
    const path = await writeImage('a.png', 1);
    const before = readFileSync(path);
    const { code, log } = await predict([folder], '--out', folder);
    expect(code).toBe(2);
    expect(log).toEqual([
      `error: ${path}: the picture of a result would replace this image. Choose another --out.`,
    ]);
    expect(readFileSync(path)).toEqual(before);
  });

  it('writes what else belongs to an image under the name of its picture, and never over an image either', async () => {
    const path = await writeImage('a.png', 1);
    const out = join(folder, 'out');
    const plain = await writeImage('b.png', 2);
    const saving: Predictor<number> = {
      notes: [],
      predict: async (images) => images.map(({ data }) => data[0]!),
      toJson: (red) => ({ extra: null, red }),
      toText: String,
      draw: async (image: RgbImage) => image,
      save: async (red, target, file) => ({ extra: `${file} ${red} ${target === out}` }),
      dispose: () => undefined,
    };
    const verb = predictVerb<number, Flags>({ alsoIn: 'extra', open: async () => saving });
    const run = (...args: string[]) =>
      runVerbs([verb], 'predict', ...args, '--weights', 'w', '--engine', 'cpu', '--json', '-');
    const both = await run(path, plain, path, '--out', out);
    expect(JSON.parse(both.out).map(({ extra }: { extra: string }) => extra)).toEqual([
      'a.png 1 true',
      'b.png 2 true',
      'a-2.png 1 true',
    ]);
    expect(JSON.parse((await run(path)).out)).toMatchObject([{ extra: null, red: 1 }]);

    mkdirSync(join(out, 'extra'));
    writeFileSync(join(out, 'extra', 'a.png'), readFileSync(path));
    const { code, log } = await run(join(out, 'extra', 'a.png'), '--out', out);
    expect({ code, log }).toEqual({ code: 2, log: [expect.stringContaining('would replace this image')] });
  });

  it('finds out that the JSON cannot be written before it predicts', async () => {
    const path = await writeImage('a.png', 1);
    const none = join(folder, 'none');
    const { code, log } = await predict([path], '--json', join(none, 'out.json'));
    expect({ code, batches }).toEqual({ code: 1, batches: [] });
    expect(log).toEqual([`error: ${none}: there is no such file or folder. Check the path.`]);
  });

  it('stops after the batch in hand when interrupted, and writes no half list', async () => {
    const paths = [await writeImage('a.png', 1), await writeImage('b.png', 2)];
    const json = join(folder, 'out.json');
    const args = ['--weights', 'w', '--engine', 'cpu', '--batch', '1', '--json', json];
    const { code, log } = await runVerbs(verbs(pressInterrupt), 'predict', ...paths, ...args);
    expect({ code, batches, disposed }).toEqual({ code: 130, batches: [[1]], disposed: 1 });
    expect(log.at(-1)).toBe('stopped after 1 of 2 images');
    expect(existsSync(json)).toBe(false);
  });

  it('frees the network after a failure', async () => {
    const path = await writeImage('a.png', 1);
    const failing = verbs(() => {
      throw new Error('no memory');
    });
    const args = ['predict', path, '--weights', 'w', '--engine', 'cpu'];
    const { code } = await runVerbs(failing, ...args);
    expect({ code, disposed }).toEqual({ code: 1, disposed: 1 });
  });
});
