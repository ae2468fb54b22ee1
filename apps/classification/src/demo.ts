import { join, relative } from 'node:path';
import {
  addComputeOptions,
  type Cli,
  contactSheet,
  type Engine,
  type EngineFlags,
  measure,
  outputFolder,
  percent,
  type Tile,
  type Verb,
  writeJson,
  writePicture,
} from '@as-mlp/app';
import type { Classifier } from '@as-mlp/classification';
import { evaluationReport } from './evaluate.ts';

const RIGHT = [38, 110, 60] as const;
const WRONG = [168, 36, 42] as const;
/** Tiles of the sheet: digits from the start of the test set, and the first of those that are mistaken. */
const SHOWN = { first: 48, mistaken: 16, columns: 8 } as const;

/** The size of a photo as it comes from a web page; only its size matters here. */
const PHOTO = { width: 640, height: 480 } as const;

/** `demo`: what works on a machine that has nothing but this checkout. */
export const demo: Verb = (program, cli) => {
  const command = program
    .command('demo')
    .description(
      'classify the 10,000 MNIST test digits with the weights that come along, and time as-mlp-tiny',
    )
    .option('--out <folder>', 'where the results go', 'demo/classification');
  addComputeOptions(command).action((flags: EngineFlags & { out: string }) => run(flags, cli));
};

async function run(flags: EngineFlags & { out: string }, cli: Cli): Promise<void> {
  const { terminal } = cli;
  const { loadClassifier, PRETRAINED } = await import('@as-mlp/classification');
  const folder = await outputFolder(flags.out);
  const { compile } = await cli.openEngine(flags);
  const classifier = await loadClassifier(PRETRAINED.digits, { compile });
  try {
    await classifyDigits(classifier, folder, cli);
  } finally {
    classifier.dispose();
  }
  await timeTiny(compile, cli);
  const shown = relative(process.cwd(), folder) || '.';
  terminal.out(
    `\nResults are in ${shown}/: digits.png (look at it), metrics.json, per-class.csv, confusion.png\n`,
  );
  terminal.out('Your own photos, with official weights:\n');
  terminal.out('  npm run classify -- predict photo.jpg --weights asmlp_tiny.pth --out pictures\n');
}

async function classifyDigits(classifier: Classifier, folder: string, cli: Cli): Promise<void> {
  const { evaluateClassifier, openDataset } = await import('@as-mlp/classification');
  const { terminal, signal } = cli;
  const dataset = openDataset('mnist', { split: 'val' });
  const progress = terminal.progress('digits', dataset.targets.length, 'images');
  const shown: { index: number; target: number; predicted: number }[] = [];
  const mistaken: typeof shown = [];
  const evaluation = await evaluateClassifier(classifier, {
    data: 'mnist',
    batchSize: 250,
    signal,
    onProgress: (done) => progress.update(done),
    onImage: (image) => {
      if (shown.length < SHOWN.first) shown.push(image);
      else if (image.predicted !== image.target && mistaken.length < SHOWN.mistaken) mistaken.push(image);
    },
  }).finally(() => progress.stop());
  const report = evaluationReport(evaluation);
  terminal.out(`as-mlp-nano on the 10,000 MNIST test digits\n${report.text}\n`);

  const tiles: Tile[] = [];
  for (const { index, target, predicted } of [...shown, ...mistaken]) {
    const [best] = await classifier.classify(await dataset.load(index), { topK: 1 });
    const isRight = predicted === target;
    const score = percent(best!.score);
    tiles.push({
      image: await dataset.load(index),
      caption: isRight
        ? `${best!.label}  ${score}`
        : `${best!.label}  ${score}  (is ${dataset.labels[target]})`,
      colour: isRight ? RIGHT : WRONG,
    });
  }
  await writePicture(
    join(folder, 'digits.png'),
    await contactSheet(tiles, { columns: SHOWN.columns, tileSize: 128 }),
  );
  await writeJson(join(folder, 'metrics.json'), report.json, terminal);
  await report.write(folder);
}

/** One photo at a time through everything that a user waits for: resizing, cropping, the network, the best classes. */
async function timeTiny(compile: Engine['compile'], { terminal, signal }: Cli): Promise<void> {
  const { createClassificationModel, createClassifier } = await import('@as-mlp/classification');
  const classifier = createClassifier(createClassificationModel('as-mlp-tiny'), { compile });
  const { width, height } = PHOTO;
  const photo = { width, height, data: Uint8Array.from({ length: width * height * 3 }, (_, i) => 31 * i) };
  const timed = {
    run: async () => void (await classifier.classify(photo)),
    dispose: () => classifier.dispose(),
  };
  try {
    const [row] = await measure(timed, { batch: [1], runs: 5 }, signal);
    const time = `${row!.p50.toFixed(0)} ms an image`;
    terminal.out(
      `as-mlp-tiny at 224×224: ${time} of ${width}×${height} (median of 5, resizing included, random weights)\n`,
    );
  } finally {
    timed.dispose();
  }
}
