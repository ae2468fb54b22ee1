// A short real life of the classification app: help, doctor, info, train, resume, eval, predict and what goes wrong,
// each in a process of its own, on pictures made here, in a folder that is thrown away.
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
  parsed,
} from './test-app.mjs';
import { writeImageFolder, writePng, writeSample } from './test-images.mjs';
import { check } from './test-process.mjs';

const APP = join(ROOT, 'apps', 'classification');
const VERBS = [
  'predict',
  'eval',
  'train',
  'lr-find',
  'check-data',
  'export',
  'info',
  'bench',
  'doctor',
  'demo',
];
const CLASSES = ['disc', 'lying', 'standing'];
const TRAIN_IMAGES = 8;
const VAL_IMAGES = 4;
/** Enough for the three patterns, and for an interrupt to come before the end. */
const EPOCHS = 5;

/** The steps, as [name, function]. Later ones use what earlier ones left in `folder`. */
export function classificationRuns(folder) {
  const data = join(folder, 'data');
  const weights = join(folder, 'run', 'best.safetensors');
  const cli = appRunner(APP, 'asmlp-classify', folder);

  return [
    ['classify: help and usage errors', () => usage(folder, cli)],
    ['classify: doctor', () => doctor(folder, cli)],
    ['classify: info and bench', () => infoAndBench(cli)],
    ['classify: train and resume', () => train(folder, data, weights, cli)],
    ['classify: eval', () => evaluate(folder, data, weights, cli)],
    ['classify: predict', () => predict(folder, data, weights, cli)],
    ['classify: export', () => checkExports(folder, weights, cli)],
    ['classify: bad input', () => badInput(folder, data, weights, cli)],
    ['classify: the built program', () => built(data, weights, cli)],
  ];
}

async function usage(folder, cli) {
  mkdirSync(folder, { recursive: true });
  await checkHelp('asmlp-classify', VERBS, cli);
  await checkUsageErrors(cli, [
    [['predikt'], 'Did you mean predict?'],
    [['predict', 'a.png'], '--weights'],
    [['bench', '--runs', '0'], '1 or more'],
    [['info', 'as-mlp-tinny'], 'Did you mean as-mlp-tiny?'],
    [[], 'Usage: asmlp-classify'],
  ]);
}

async function doctor(folder, cli) {
  const report = parsed(await cli(['doctor', '--json']));
  check(report.usable === true && report.engine !== null, `no engine: ${JSON.stringify(report.missing)}`);
  const { stdout } = await cli(['doctor']);
  check(stdout.includes(report.engine), `doctor does not name the ${report.engine} engine:\n${stdout}`);
  // An empty cache has no native engine, whatever this machine has.
  const env = { ASMLP_CACHE_DIR: join(folder, 'empty-cache') };
  const unusable = await cli(['doctor', '--json', '--engine', 'native'], 1, { env });
  const { usable, missing } = parsed(unusable);
  check(usable === false && missing.length > 0, `nothing is missing in ${unusable.said}`);
}

async function infoAndBench(cli) {
  const { params, macs, features } = parsed(await cli(['info', 'as-mlp-tiny', '--json', '-']));
  check(params === 28_282_696, `as-mlp-tiny has ${params} parameters`);
  check(macs === 4_358_553_600, `as-mlp-tiny does ${macs} multiply-accumulates`);
  const shape = features.map(({ name, channels, stride }) => `${name} ${channels}/${stride}`).join(', ');
  check(shape === 'p2 96/4, p3 192/8, p4 384/16, p5 768/32', `as-mlp-tiny has the features ${shape}`);
  const quick = ['--model', 'as-mlp-nano', '--size', '32', '--batch', '1,2', '--runs', '2'];
  const { rows } = parsed(await cli(['bench', ...quick, '--json', '-']));
  const isTimed = rows.every(({ p50, p95 }) => p50 > 0 && p95 >= p50);
  check(
    isDeepStrictEqual(
      rows.map(({ batch }) => batch),
      [1, 2],
    ) && isTimed,
    JSON.stringify(rows),
  );
}

async function train(folder, data, weights, cli) {
  writeImageFolder(data, { train: TRAIN_IMAGES, val: VAL_IMAGES });
  const size = ['--model', 'as-mlp-nano', '--epochs', `${EPOCHS}`, '--batch', '8', '--lr', '0.002'];
  const settings = ['imageSize=32', 'cropFraction=1', 'lrBatch=null', 'schedule.warmupEpochs=0', 'workers=0'];
  // Two dozen images learn nothing from the mixtures of the official recipe.
  const plain = ['randAugment=null', 'colorJitter=null', 'mixProbability=0', 'erasing.probability=0'];
  settings.push(...plain.map((setting) => `augmentation.${setting}`));
  const set = settings.flatMap((setting) => ['--set', setting]);
  await checkTrainAndResume(folder, ['train', '--data', data, ...size, ...set], cli);
  const facts = parsed(await cli(['info', weights, '--json', '-']));
  const isRight = facts.classes === CLASSES.length && facts.size.height === 32;
  check(isRight && facts.name.startsWith('as-mlp-nano in'), `info says ${JSON.stringify(facts)}`);
}

async function evaluate(folder, data, weights, cli) {
  const args = ['eval', '--data', data, '--weights', weights, '--workers', '1'];
  const metrics = parsed(await cli([...args, '--json', '-', '--out', 'tables']));
  const isWhole = isDeepStrictEqual(Object.keys(metrics), ['top1', 'top5', 'count']);
  check(isWhole && metrics.count === CLASSES.length * VAL_IMAGES, `eval says ${JSON.stringify(metrics)}`);
  check(metrics.top1 > 0.5 && metrics.top5 === 1, `it learnt nothing: ${JSON.stringify(metrics)}`);
  checkFiles(join(folder, 'tables'), ['confusion.csv', 'confusion.png', 'per-class.csv']);
  const table = readFileSync(join(folder, 'tables', 'per-class.csv'), 'utf8')
    .trim()
    .split('\n');
  const isTable = table[0] === 'label,index,images,top1' && table[1].startsWith(`disc,0,${VAL_IMAGES},`);
  check(isTable && table.length === 1 + CLASSES.length, `per-class.csv reads\n${table.join('\n')}`);
}

async function predict(folder, data, weights, cli) {
  const disc = join(data, 'val', 'disc', '0.png');
  const args = ['predict', disc, join(data, 'val', 'lying'), '--weights', weights, '--top-k', '2'];
  const { stdout, said } = await cli([...args, '--json', 'out.json', '--out', 'pictures']);
  check(stdout.startsWith(`${disc}: `), `no answer for ${disc} in ${said}`);
  // Both inputs begin with a 0.png.
  checkFiles(join(folder, 'pictures'), ['0.png', '0-2.png', '1.png', '2.png', '3.png', 'overview.png']);

  const entries = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8'));
  check(
    entries.length === 1 + VAL_IMAGES && entries[0].file === disc,
    `out.json: ${JSON.stringify(entries)}`,
  );
  for (const { width, height, predictions } of entries) {
    const [best, second] = predictions;
    const isRight = width === 40 && height === 40 && predictions.length === 2 && best.score > second.score;
    const areNamed = predictions.every(({ label, index }) => CLASSES[index] === label);
    check(isRight && areNamed, `out.json: ${JSON.stringify(entries)}`);
  }
  const piped = parsed(await cli([...args, '--json', '-']));
  check(isDeepStrictEqual(piped, entries), 'the same command wrote other JSON to standard output');
}

async function badInput(folder, data, weights, cli) {
  const photos = join(folder, 'photos');
  writeSample(join(photos, 'a.png'), 'disc', 1);
  writePng(join(photos, 'b.png'), 64, 64, (x, y) => [x * 4, y * 4, (x * y) % 256]);
  const whole = readFileSync(join(photos, 'b.png'));
  writeFileSync(join(photos, 'b.png'), whole.subarray(0, whole.length >> 1));
  writeSample(join(photos, 'c.png'), 'lying', 1);
  const mixed = await cli(['predict', 'photos', 'gone.png', '--weights', weights, '--json', '-'], 1);
  checkSaid(mixed, 'b.png: ', 'gone.png: ');
  const told = parsed(mixed).map(({ error, predictions }) => [Boolean(error), Boolean(predictions)]);
  const expected = [
    [false, true],
    [true, false],
    [false, true],
  ];
  check(isDeepStrictEqual(told, expected), `not a and c alone are answered in ${mixed.said}`);

  mkdirSync(join(folder, 'empty'));
  writeFileSync(join(folder, 'plain.txt'), 'text');
  writeFileSync(join(folder, 'cut.safetensors'), readFileSync(weights).subarray(0, 5_000));
  const good = join('photos', 'a.png');
  const failures = [
    [['predict', 'empty', '--weights', weights, '--json', 'x.json'], 1, 'empty: there are no images'],
    [['predict', good, '--weights', 'cut.safetensors', '--json', 'x.json'], 1, 'cut.safetensors: '],
    [['predict', good, '--weights', weights, '--shift-size', '3', '--json', 'x.json'], 2, 'shift size 3'],
    [['predict', good, '--weights', weights, '--json', join('none', 'x.json')], 1, 'none: '],
    [['predict', good, '--weights', weights, '--out', 'plain.txt'], 1, 'plain.txt: '],
    [['predict', 'photos', '--weights', weights, '--out', 'photos'], 2, 'would replace this image'],
    [['eval', '--data', 'empty', '--weights', weights, '--json', 'x.json'], 1, 'empty: '],
    [['train', '--data', data, '--model', 'as-mlp-nanno', '--out', 'x'], 2, 'as-mlp-nano'],
    [['train', '--data', data, '--out', 'x', '--set', 'epoch=1'], 2, 'Did you mean "epochs"'],
  ];
  await checkFailures(folder, cli, failures);
}

/** The program as it is published: built files, plain Node, threads included. */
async function built(data, weights, cli) {
  const { bin, version } = JSON.parse(readFileSync(join(APP, 'package.json'), 'utf8'));
  const entry = join(APP, bin['asmlp-classify']);
  check(existsSync(entry), `${entry} is not built`);
  const program = (args) => cli(args, 0, { entry });
  const { stdout } = await program(['--version']);
  check(stdout === `${version}\n`, `--version says ${stdout}`);

  const evaluation = ['eval', '--data', data, '--weights', weights, '--workers', '1', '--json', '-'];
  check(
    parsed(await program(evaluation)).count === CLASSES.length * VAL_IMAGES,
    'the built eval lost images',
  );
  const images = [join('data', 'val', 'disc'), join('photos', 'a.png')];
  const prediction = ['predict', ...images, '--weights', join('run', 'best.safetensors'), '--json', '-'];
  const fromSource = parsed(await cli(prediction));
  check(
    isDeepStrictEqual(parsed(await program(prediction)), fromSource),
    'the built program answers otherwise',
  );
  check(fromSource.length === VAL_IMAGES + 1, `${fromSource.length} answers`);
  const best = fromSource[0].predictions[0].score;
  check(best > 1 / CLASSES.length && best < 1, `the best score is ${best}`);
}
