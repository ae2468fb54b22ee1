// A short real life of the segmentation app: help, info, inspect, train, resume, eval, score, predict, export and what
// goes wrong, each in a process of its own, on a data set made here, in a folder that is thrown away.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { ROOT } from './setup.mjs';
import {
  appRunner,
  checkExports,
  checkFailures,
  checkFiles,
  checkHelp,
  checkSaid,
  checkTrainAndResume,
  checkUsageErrors,
  listing,
  parsed,
} from './test-app.mjs';
import { writeLabels, writePng } from './test-images.mjs';
import { check } from './test-process.mjs';

const APP = join(ROOT, 'apps', 'segmentation');
const VERBS = [
  'predict',
  'eval',
  'score',
  'train',
  'lr-find',
  'check-data',
  'inspect',
  'export',
  'info',
  'bench',
  'doctor',
  'demo',
];
/** 0 means unlabelled in the label maps. */
const CLASSES = [
  { id: 1, name: 'ground', color: [120, 90, 60] },
  { id: 2, name: 'pond', color: [60, 140, 220] },
];
const SIZE = { width: 72, height: 56 };
const TRAIN_IMAGES = 6;
const VAL_IMAGES = 3;

/** The steps, as [name, function]. Later ones use what earlier ones left in `folder`. */
export function segmentationRuns(folder) {
  const data = join(folder, 'data');
  const weights = join(folder, 'run', 'best.safetensors');
  const cli = appRunner(APP, 'asmlp-segment', folder);
  return [
    ['segment: help and usage errors', () => usage(folder, cli)],
    ['segment: info and bench', () => infoAndBench(cli)],
    ['segment: inspect', () => inspect(folder, data, cli)],
    ['segment: train and resume', () => train(folder, data, weights, cli)],
    ['segment: eval and score', () => evaluate(folder, data, weights, cli)],
    ['segment: predict', () => predict(folder, data, weights, cli)],
    ['segment: export', () => checkExports(folder, weights, cli)],
    ['segment: bad input', () => badInput(folder, data, weights, cli)],
  ];
}

/** Ponds on the ground, with a strip that nobody labelled, laid out as ADE20K is. */
function writeData(root, split, count) {
  const { width, height } = SIZE;
  for (let i = 0; i < count; i++) {
    const isPond = (x, y) => Math.hypot(x - 22 - ((i * 9) % 24), y - 28) < 16;
    const name = `${split}-${i}.png`;
    writePng(join(root, 'images', split, name), width, height, (x, y) =>
      isPond(x, y) ? [40, 120, 230] : [150, 110, 60],
    );
    writeLabels(join(root, 'annotations', split, name), width, height, (x, y) => {
      if (y < 3) return 0;
      return isPond(x, y) ? 2 : 1;
    });
  }
  writeFileSync(join(root, 'classes.json'), JSON.stringify(CLASSES));
}

async function usage(folder, cli) {
  mkdirSync(folder, { recursive: true });
  await checkHelp('asmlp-segment', VERBS, cli, ['predict', 'eval', 'score', 'train', 'inspect']);
  await checkUsageErrors(cli, [
    [['predict', 'a.png'], '--weights'],
    [['predict', 'a.png', '--weights', 'w', '--scale', '512,2048'], 'the longer and the shorter side'],
    [['predict', 'a.png', '--weights', 'w', '--scales', '0.5,0'], 'above 0'],
    [['eval', '--data', 'd', '--weights', 'w', '--mode', 'slid'], 'whole, slide'],
    [['score', '--pred', 'a', '--gt', 'b'], '--classes'],
    [['train', '--data', 'x', '--out', 'y', '--recipe', '160k'], 'official'],
    [['info', 'upernet-as-mlp-tinny'], 'Did you mean as-mlp-tiny?'],
  ]);
}

async function infoAndBench(cli) {
  const { params, macs } = parsed(await cli(['info', 'upernet-as-mlp-tiny', '--json', '-']));
  check(params === 59_936_204, `upernet-as-mlp-tiny has ${params} parameters`);
  check(macs === 936_288_976_896, `upernet-as-mlp-tiny does ${macs} multiply-accumulates`);
  const quick = ['--model', 'upernet-as-mlp-nano', '--size', '32', '--runs', '1', '--eager'];
  const { rows } = parsed(await cli(['bench', ...quick, '--json', '-']));
  const steps = rows.map(({ step, p50 }) => `${step} ${p50 > 0}`).join(', ');
  check(steps === 'network true, segment true', JSON.stringify(rows));
}

async function inspect(folder, data, cli) {
  writeData(data, 'training', TRAIN_IMAGES);
  writeData(data, 'validation', VAL_IMAGES);
  const settings = ['--set', 'cropSize=48', '--set', 'augmentation.shortSide=56'];
  const args = [
    'inspect',
    '--data',
    data,
    '--count',
    '2',
    '--seed',
    '5',
    '--recipe',
    'finetune',
    ...settings,
  ];
  await cli([...args, '--out', 'seen']);
  await cli([...args, '--out', 'seen-again']);
  const names = listing(join(folder, 'seen'));
  check(names.length === 3 && names.includes('sheet.png'), `inspect left ${names}`);
  for (const name of names) {
    const [once, again] = ['seen', 'seen-again'].map((of) => readFileSync(join(folder, of, name)));
    check(once.equals(again), `one seed gave two pictures ${name}`);
  }
}

async function train(folder, data, weights, cli) {
  const settings = {
    widths: { channels: 16, auxiliaryChannels: 8 },
    dropPathRate: 0,
    cropSize: 48,
    augmentation: { longSide: 72, shortSide: 56, ratio: [1, 1.2], distortion: null },
    schedule: { kind: 'multi-step', milestones: [9] },
    lrBatch: null,
    clipNorm: 5,
    evalEvery: 1,
    testLongSide: SIZE.width,
    testShortSide: SIZE.height,
    workers: 0,
  };
  const set = Object.entries(settings).flatMap(([key, value]) => [
    '--set',
    `${key}=${JSON.stringify(value)}`,
  ]);
  const model = ['--model', 'upernet-as-mlp-nano', '--epochs', '6', '--batch', '2', '--lr', '0.01'];
  await checkTrainAndResume(folder, ['train', '--data', data, ...model, '--eager', ...set], cli);
  const facts = parsed(await cli(['info', weights, '--json', '-']));
  const isRight = facts.classes === 2 && facts.scale === `${SIZE.width},${SIZE.height}`;
  check(isRight && facts.name.startsWith('upernet-as-mlp-nano in'), `info says ${JSON.stringify(facts)}`);

  // Another list of classes: a head of its own, on the same network.
  const other = join(folder, 'other');
  writeData(other, 'training', 4);
  writeData(other, 'validation', 1);
  writeFileSync(join(other, 'classes.json'), JSON.stringify([...CLASSES, { id: 3, name: 'rock' }]));
  const tuned = [
    'train',
    '--data',
    other,
    '--out',
    'tuned',
    '--finetune',
    weights,
    '--epochs',
    '1',
    '--eager',
  ];
  const { stderr } = await cli([...tuned, '--batch', '2', '--set', 'workers=0', '--set', 'cropSize=48']);
  const grown = facts.params + 16 + 1 + 8 + 1;
  check(stderr.includes(grown.toLocaleString('en')), `not the network of the weights: ${stderr}`);
  const { classes } = parsed(await cli(['info', join('tuned', 'best.safetensors'), '--json', '-']));
  check(classes === 3, `${classes} classes after fine-tuning`);
}

async function evaluate(folder, data, weights, cli) {
  const args = ['eval', '--data', data, '--weights', weights];
  const metrics = parsed(await cli([...args, '--json', '-', '--out', 'tables', '--submission', 'sent']));
  const names = metrics.perClass.map(({ label, index }) => `${index} ${label}`).join(', ');
  check(names === '0 ground, 1 pond', `the classes are ${names}`);
  check(metrics.mIoU > 0.6 && metrics.aAcc <= 1, `it learnt nothing: ${JSON.stringify(metrics)}`);
  const pixels = metrics.confusion.flat().reduce((sum, count) => sum + count, 0);
  const labelled = VAL_IMAGES * SIZE.width * (SIZE.height - 3);
  check(pixels === labelled, `${pixels} pixels were counted, not ${labelled}`);
  checkFiles(join(folder, 'tables'), ['confusion.csv', 'confusion.png', 'per-class.csv']);
  const sent = Array.from({ length: VAL_IMAGES }, (_, i) => `validation-${i}.png`);
  checkFiles(join(folder, 'sent'), sent);

  // What was sent counts from 1, with nothing unlabelled; so one class more is scored as it is.
  const gt = join(data, 'annotations', 'validation');
  const score = ['score', '--gt', gt, '--classes', '3', '--ignore', '0', '--json', '-'];
  const scored = parsed(await cli([...score, '--pred', 'sent']));
  const [none, ...rest] = scored.perClass.map(({ iou }) => iou);
  const expected = metrics.perClass.map(({ iou }) => iou);
  check(none === null && isDeepStrictEqual(rest, expected), `score says ${JSON.stringify(scored.perClass)}`);

  const some = parsed(await cli([...args, '--limit', '1', '--json', '-', '--mode', 'slide', '--crop', '48']));
  const counted = some.confusion.flat().reduce((sum, count) => sum + count, 0);
  check(counted === labelled / VAL_IMAGES, `--limit 1 counted ${counted} pixels`);
  const views = parsed(await cli([...args, '--limit', '1', '--json', '-', '--flip', '--scales', '0.75,1']));
  check(views.mIoU > 0.5, `several views give ${JSON.stringify(views)}`);
}

async function predict(folder, data, weights, cli) {
  const images = join(data, 'images', 'validation');
  const first = join(images, 'validation-0.png');
  const args = ['predict', images, first, '--weights', weights];
  const { stdout } = await cli([...args, '--json', 'out.json', '--out', 'pictures']);
  check(stdout.startsWith(`${first}: ground `), `no answer for ${first} in ${stdout}`);
  const names = ['validation-0-2.png', 'validation-0.png', 'validation-1.png', 'validation-2.png'];
  checkFiles(join(folder, 'pictures'), ['labels', 'overview.png', ...names]);
  checkFiles(join(folder, 'pictures', 'labels'), names);
  const entries = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8'));
  check(entries.length === names.length && entries[0].file === first, `out.json: ${JSON.stringify(entries)}`);
  check(entries.at(-1).labels === 'labels/validation-0-2.png', `out.json: ${JSON.stringify(entries)}`);
  for (const { width, height, classes } of entries) {
    const all = classes.reduce((sum, { pixels }) => sum + pixels, 0);
    const areNamed = classes.every(({ label, index }) => CLASSES[index].name === label);
    check(all === width * height && width === SIZE.width && areNamed, `out.json: ${JSON.stringify(entries)}`);
  }
  // Label maps count from 0, as `score` takes them.
  const gt = join(data, 'annotations', 'validation');
  const score = ['score', '--pred', join('pictures', 'labels'), '--gt', gt, '--classes', '2'];
  const scored = parsed(await cli([...score, '--reduce-zero-label', '--json', '-']));
  const evaluated = parsed(await cli(['eval', '--data', data, '--weights', weights, '--json', '-']));
  check(scored.mIoU === evaluated.mIoU, `score says ${scored.mIoU}, eval ${evaluated.mIoU}`);

  const bare = await cli(['predict', first, '--weights', weights, '--scale', 'none', '--json', '-']);
  check(parsed(bare)[0].labels === null, `a label map without a folder in ${bare.said}`);
  checkSaid(bare, 'label maps are written into --out alone');
}

async function badInput(folder, data, weights, cli) {
  const classifier = join(ROOT, 'packages', 'classification', 'weights', 'as-mlp-nano-digits.safetensors');
  check(existsSync(classifier), `${classifier} is gone`);
  const image = join(data, 'images', 'validation', 'validation-0.png');
  const gt = join(data, 'annotations', 'validation');
  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'names.txt'), 'one\n');
  writeLabels(join(folder, 'torn', 'validation-0.png'), 5, 5, () => 0);
  const score = (pred, classes = '2') => ['score', '--pred', pred, '--gt', gt, '--classes', classes];
  const failures = [
    [['predict', image, '--weights', classifier, '--json', 'x.json'], 1, 'classification checkpoint'],
    [['predict', image, '--weights', 'gone.pth'], 1, 'gone.pth: '],
    [['predict', 'empty', '--weights', weights], 1, 'empty: there are no images'],
    [
      ['predict', image, '--weights', weights, '--labels', 'names.txt'],
      1,
      '1 class names for a network of 2',
    ],
    [['predict', image, '--weights', weights, '--mode', 'slide', '--crop', '8', '--stride', '9'], 2, 'gaps'],
    [['eval', '--data', 'empty', '--weights', weights], 1, 'empty: there is none of the folders'],
    [['eval', '--data', 'other', '--weights', weights], 1, 'it has 3 classes, and the network 2'],
    [['eval', '--data', data, '--weights', weights, '--no-reduce-zero-label'], 1, 'it holds the label 2'],
    [score('empty'), 1, 'there is no such file'],
    [score('torn'), 1, '5×5 pixels'],
    [score(gt, '1'), 1, 'it holds the label'],
    [['train', '--data', data, '--model', 'upernet-as-mlp-nanno', '--out', 'x'], 2, 'as-mlp-nano'],
    [['inspect', '--data', data, '--out', 'y'], 2, '6 training images are too few'],
    [
      ['inspect', '--data', 'digit-scenes', '--out', 'y', '--set', 'augmentation.flips=1'],
      2,
      'augmentation.flips',
    ],
  ];
  await checkFailures(folder, cli, failures);
}
