// A short real life of the detection app: help, info, inspect, train, resume, eval, score, predict, export and what goes
// wrong, each in a process of its own, on a COCO data set made here, in a folder that is thrown away.
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
import { writePng } from './test-images.mjs';
import { check } from './test-process.mjs';

const APP = join(ROOT, 'apps', 'detection');
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
/** Category ids have gaps, as COCO's have. */
const CATEGORIES = [
  { id: 3, name: 'tile' },
  { id: 17, name: 'tower' },
];
const SIDE = 64;
const TRAIN_IMAGES = 6;
const VAL_IMAGES = 3;
/** A network that trains in seconds. */
const NARROW = { channels: 16, rpnChannels: 16, boxFcChannels: 32, maskConvs: 1, maskChannels: 16 };
const FIGURES = ['AP', 'AP50', 'AP75', 'APs', 'APm', 'APl', 'AR1', 'AR10', 'AR100', 'ARs', 'ARm', 'ARl'];

/** The steps, as [name, function]. Later ones use what earlier ones left in `folder`. */
export function detectionRuns(folder) {
  const data = join(folder, 'data');
  const weights = join(folder, 'run', 'best.safetensors');
  const cli = appRunner(APP, 'asmlp-detect', folder);
  return [
    ['detect: help and usage errors', () => usage(folder, cli)],
    ['detect: info and bench', () => infoAndBench(cli)],
    ['detect: inspect', () => inspect(folder, data, cli)],
    ['detect: train and resume', () => train(folder, data, weights, cli)],
    ['detect: eval and score', () => evaluate(folder, data, weights, cli)],
    ['detect: predict', () => predict(folder, data, weights, cli)],
    ['detect: export', () => checkExports(folder, weights, cli, ['dense', 'box_head', 'mask_head'])],
    ['detect: bad input', () => badInput(folder, data, weights, cli)],
  ];
}

/** Rectangles on a dark ground, with polygons or, for `boxesOnly`, without masks. */
function writeCoco(root, split, count, { boxesOnly = false } = {}) {
  const [images, annotations] = [[], []];
  for (let i = 0; i < count; i++) {
    const objects = CATEGORIES.map(({ id }, kind) => {
      const [width, height] = kind === 0 ? [26, 14] : [10, 34];
      return { id, x: 2 + kind * 34 + ((i * 5) % 8), y: 4 + ((i * 11) % 24), width, height, kind };
    });
    const isIn = ({ x, y, width, height }, px, py) => px >= x && px < x + width && py >= y && py < y + height;
    const file = `${i}.png`;
    writePng(join(root, split, file), SIDE, SIDE, (x, y) => {
      const object = objects.find((one) => isIn(one, x, y));
      if (!object) return [20, 30, 60];
      return object.kind === 0 ? [220, 200, 40] : [240, 80, 160];
    });
    images.push({ id: 100 + i, file_name: file, width: SIDE, height: SIDE });
    for (const { id, x, y, width, height } of objects) {
      const corners = [x, y, x + width, y, x + width, y + height, x, y + height];
      annotations.push({
        id: annotations.length + 1,
        image_id: 100 + i,
        category_id: id,
        bbox: [x, y, width, height],
        area: width * height,
        iscrowd: 0,
        segmentation: boxesOnly ? [] : [corners],
      });
    }
  }
  mkdirSync(join(root, 'annotations'), { recursive: true });
  const file = join(root, 'annotations', `instances_${split}.json`);
  writeFileSync(file, JSON.stringify({ images, annotations, categories: CATEGORIES }));
}

async function usage(folder, cli) {
  mkdirSync(folder, { recursive: true });
  await checkHelp('asmlp-detect', VERBS, cli, ['predict', 'score', 'train', 'inspect']);
  await checkUsageErrors(cli, [
    [['predict', 'a.png'], '--weights'],
    [['predict', 'a.png', '--weights', 'w', '--scale', '800,1333'], 'the longer and the shorter side'],
    [['predict', 'a.png', '--weights', 'w', '--min-score', '30'], 'from 0 to 1'],
    [['score', '--gt', 'a', '--dt', 'b', '--type', 'box'], 'bbox'],
    [['train', '--data', 'x', '--out', 'y', '--recipe', '2x'], '1x'],
    [['info', 'mask-rcnn-as-mlp-tinny'], 'Did you mean as-mlp-tiny?'],
  ]);
}

async function infoAndBench(cli) {
  const { params, macs } = parsed(await cli(['info', 'mask-rcnn-as-mlp-tiny', '--json', '-']));
  check(params === 47_788_944, `mask-rcnn-as-mlp-tiny has ${params} parameters`);
  check(macs === 259_758_576_640, `mask-rcnn-as-mlp-tiny does ${macs} multiply-accumulates`);
  const quick = ['--model', 'mask-rcnn-as-mlp-nano', '--size', '64', '--runs', '1', '--eager'];
  const { rows } = parsed(await cli(['bench', ...quick, '--json', '-']));
  const steps = rows.map(({ step, p50 }) => `${step} ${p50 > 0}`).join(', ');
  check(steps === 'dense true, detect true', JSON.stringify(rows));
}

async function inspect(folder, data, cli) {
  writeCoco(data, 'train', TRAIN_IMAGES);
  writeCoco(data, 'val', VAL_IMAGES);
  const args = [
    'inspect',
    '--data',
    data,
    '--count',
    '2',
    '--seed',
    '5',
    '--set',
    'augmentation.longSide=96',
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
    widths: NARROW,
    augmentation: { shortSides: [SIDE], longSide: SIDE, crop: 0 },
    schedule: { kind: 'multi-step', milestones: [2] },
    lrBatch: null,
    accumulate: 1,
    testShortSide: SIDE,
    testLongSide: SIDE,
    proposals: 40,
    roiSamples: 16,
    workers: 0,
  };
  const set = Object.entries(settings).flatMap(([key, value]) => [
    '--set',
    `${key}=${JSON.stringify(value)}`,
  ]);
  const model = [
    '--model',
    'mask-rcnn-as-mlp-nano',
    '--epochs',
    '3',
    '--batch',
    '2',
    '--lr',
    '0.002',
    '--eager',
  ];
  await checkTrainAndResume(folder, ['train', '--data', data, ...model, ...set], cli);
  const facts = parsed(await cli(['info', weights, '--json', '-']));
  const isRight = facts.classes === 2 && facts.scale === `${SIDE},${SIDE}`;
  check(isRight && facts.name.startsWith('mask-rcnn-as-mlp-nano in'), `info says ${JSON.stringify(facts)}`);

  const tuned = [
    'train',
    '--data',
    data,
    '--out',
    'tuned',
    '--finetune',
    weights,
    '--epochs',
    '1',
    '--eager',
  ];
  const { stderr } = await cli([...tuned, '--set', 'workers=0']);
  check(stderr.includes(facts.params.toLocaleString('en')), `not the network of the weights: ${stderr}`);
}

async function evaluate(folder, data, weights, cli) {
  const args = ['eval', '--data', data, '--weights', weights];
  const metrics = parsed(await cli([...args, '--json', '-', '--out', 'tables']));
  for (const type of ['bbox', 'segm']) {
    check(isDeepStrictEqual(Object.keys(metrics[type]), FIGURES), `eval says ${JSON.stringify(metrics)}`);
  }
  const classes = metrics.perClass.map(({ id, label }) => ({ id, name: label }));
  check(isDeepStrictEqual(classes, CATEGORIES), `the classes are ${JSON.stringify(classes)}`);
  const results = ['detections-bbox.json', 'detections-segm.json'];
  checkFiles(join(folder, 'tables'), [...results, 'per-class.csv', 'pr-bbox.svg', 'pr-segm.svg']);
  const found = JSON.parse(readFileSync(join(folder, 'tables', results[1]), 'utf8'));
  const isRight = found.every(
    ({ image_id, category_id, segmentation }) =>
      image_id >= 100 && [3, 17].includes(category_id) && segmentation.size[0] === SIDE,
  );
  check(found.length > 0 && isRight, `${results[1]}: ${JSON.stringify(found.slice(0, 3))}`);

  const gt = join(data, 'annotations', 'instances_val.json');
  for (const type of ['bbox', 'segm']) {
    const dt = join('tables', `detections-${type}.json`);
    const scored = parsed(await cli(['score', '--gt', gt, '--dt', dt, '--type', type, '--json', '-']));
    check(isDeepStrictEqual(scored[type], metrics[type]), `score says other figures of ${type} than eval`);
  }

  const boxes = join(folder, 'boxes');
  writeCoco(boxes, 'val', VAL_IMAGES, { boxesOnly: true });
  const some = await cli(['eval', '--data', boxes, '--weights', weights, '--limit', '1', '--json', '-']);
  checkSaid(some, 'boxes alone are scored');
  check(parsed(some).segm === undefined && parsed(some).bbox !== undefined, `masks in ${some.said}`);
}

async function predict(folder, data, weights, cli) {
  const first = join(data, 'val', '0.png');
  const args = ['predict', join(data, 'val'), '--weights', weights, '--min-score', '0.01'];
  const { stdout } = await cli([...args, '--max-detections', '3', '--json', 'out.json', '--out', 'pictures']);
  check(stdout.startsWith(`${first}: `), `no answer for ${first} in ${stdout}`);
  checkFiles(join(folder, 'pictures'), ['0.png', '1.png', '2.png', 'overview.png']);
  const entries = JSON.parse(readFileSync(join(folder, 'out.json'), 'utf8'));
  check(entries.length === VAL_IMAGES && entries[0].file === first, `out.json: ${JSON.stringify(entries)}`);
  const all = entries.flatMap(({ detections }) => detections);
  const names = CATEGORIES.map(({ name }) => name);
  const areWhole = all.every(({ label, index, score, box, mask }) => {
    const isInside = box.length === 4 && box.every((side) => side >= 0 && side <= SIDE);
    const isMask = isDeepStrictEqual(mask.size, [SIDE, SIDE]) && typeof mask.counts === 'string';
    return names[index] === label && score > 0.01 && score <= 1 && isInside && isMask;
  });
  check(areWhole && all.length > 0, `out.json: ${JSON.stringify(entries)}`);
  check(
    entries.every(({ detections }) => detections.length <= 3),
    'more than three detections',
  );
  const boxes = parsed(await cli([...args, '--no-masks', '--scale', '96,96', '--json', '-']));
  const bare = boxes.flatMap(({ detections }) => detections);
  check(bare.length > 0 && bare.every(({ mask }) => mask === undefined), 'masks with --no-masks');
}

async function badInput(folder, data, weights, cli) {
  const classifier = join(ROOT, 'packages', 'classification', 'weights', 'as-mlp-nano-digits.safetensors');
  check(existsSync(classifier), `${classifier} is gone`);
  const image = join(data, 'val', '0.png');
  const gt = join(data, 'annotations', 'instances_val.json');
  const dt = (name, entry) => {
    writeFileSync(join(folder, name), typeof entry === 'string' ? entry : JSON.stringify(entry));
    return ['score', '--gt', gt, '--dt', name, '--type', 'bbox', '--json', 'x.json'];
  };
  mkdirSync(join(folder, 'empty'));
  const box = { image_id: 100, category_id: 3, bbox: [1, 2, 3, 4], score: 0.5 };
  const failures = [
    [['predict', image, '--weights', classifier, '--json', 'x.json'], 1, 'classification checkpoint'],
    [['predict', image, '--weights', 'gone.pth'], 1, 'gone.pth: '],
    [['predict', 'empty', '--weights', weights], 1, 'empty: there are no images'],
    [['predict', image, '--weights', weights, '--labels', gt], 1, 'class names for a detector of 2'],
    [['eval', '--data', 'empty', '--weights', weights], 1, 'instances_val2017.json'],
    [dt('broken.json', '[{"image_id": 1,'), 1, 'broken.json: this is no JSON'],
    [dt('stranger.json', [{ ...box, image_id: 7 }]), 1, 'image 7 is not in'],
    [dt('short.json', [{ ...box, bbox: [1, 2, 3] }]), 1, '[x, y, width, height]'],
    [['score', '--gt', 'stranger.json', '--dt', gt, '--type', 'bbox'], 1, 'a list, as results are'],
    [['train', '--data', data, '--model', 'mask-rcnn-as-mlp-nanno', '--out', 'x'], 2, 'as-mlp-nano'],
    [['inspect', '--data', data, '--out', 'y', '--set', 'augmentation.flips=1'], 2, 'augmentation.flips'],
  ];
  await checkFailures(folder, cli, failures);

  const strange = await cli(dt('unknown.json', [{ ...box, category_id: 99 }, box]));
  checkSaid(strange, '1 detection of a category that the ground truth does not have');
}
