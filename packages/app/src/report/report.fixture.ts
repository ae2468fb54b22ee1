import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createRng } from '@as-mlp/base';
import { createImage, type RgbImage } from '@as-mlp/data';
import { type LoopRecipe, loopRecipe, parseRecipe, type ReportSection } from '@as-mlp/train';
import type { TrainingReportOptions } from './training-report.ts';

/** A class name that must not become HTML. */
export const HOSTILE = '<script src="https://example.org/x.js">&"';

/** Noise, so that nothing compresses. */
export function noisy(width: number, height: number): RgbImage {
  const image = createImage({ width, height });
  createRng(width)
    .uniform(image.data.length)
    .forEach((value, i) => {
      image.data[i] = 255 * value;
    });
  return image;
}

const labels = ['cat', 'a class with a rather long name', HOSTILE];
const curve = (power: number) => Float64Array.from({ length: 101 }, (_, i) => 1 - (i / 100) ** power);

/** Sections of every kind. */
export const SECTIONS: readonly ReportSection[] = [
  {
    kind: 'table',
    title: 'Each class',
    note: 'With a note.',
    columns: ['class', 'images', 'top-1'],
    rows: labels.map((label, i) => [label, 10 * i, i === 0 ? null : 0.91234 / i]),
  },
  {
    kind: 'matrix',
    title: 'Few classes',
    labels,
    counts: Uint32Array.of(90, 5, 5, 0, 0, 0, 1, 2, 997),
    unit: 'images',
  },
  {
    kind: 'matrix',
    title: 'Many classes',
    labels: Array.from({ length: 150 }, (_, i) => `class ${i}`),
    counts: Uint32Array.from({ length: 150 * 150 }, (_, i) => (i % 151 === 0 ? 100 : i % 37 === 0 ? 3 : 0)),
    unit: 'pixels',
  },
  {
    kind: 'curves',
    title: 'Precision and recall',
    x: 'recall',
    y: 'precision',
    panels: ['mean', ...labels].map((title, i) => ({
      title,
      curves: [
        { name: 'IoU 0.50', values: curve(4 + i) },
        { name: 'IoU 0.75', values: curve(1 + i) },
      ],
    })),
  },
  {
    kind: 'pictures',
    title: 'Small pictures',
    pictures: Array.from({ length: 12 }, (_, i) => ({
      caption: `taken for ${labels[i % 3]} 98.7 %; it is cat`,
      views: [{ name: `digit-${i}`, image: noisy(28, 28) }],
    })),
  },
  {
    kind: 'pictures',
    title: 'Large pictures with objects',
    pictures: Array.from({ length: 4 }, (_, i) => ({
      caption: `image-${i}.jpg: F1 0.40`,
      views: ['ground truth', 'detections'].map((name) => ({
        name,
        image: noisy(1200, 800),
        objects: [
          { label: 'cat 0.98', index: 0, box: [100, 100, 500, 700] },
          { label: 'dog 0.31', index: 1, box: [600, 50, 1150, 600] },
        ],
      })),
    })),
  },
];

/** Makes `folder` the folder of a run of six epochs whose log is as long as that of a real run. */
export function sampleRun(folder: string): TrainingReportOptions {
  const recipe: LoopRecipe = parseRecipe(loopRecipe, {
    epochs: 6,
    batchSize: 128,
    schedule: { warmupEpochs: 1 },
  });
  const time = (seconds: number) => new Date(1_700_000_000_000 + 1000 * seconds).toISOString();
  const environment = {
    node: 'v20.19.0',
    platform: 'linux-x64',
    processor: 'A processor at 2.0 GHz',
    processors: 8,
    engine: 'native, TensorFlow 2.21.0, cpu, 8 threads',
  };
  const records: unknown[] = [{ type: 'start', time: time(0), step: 0, environment }];
  const noise = createRng(3);
  for (let step = 1; step <= 600; step++) {
    const loss = 2.3 * Math.exp(-step / 120) + 0.02 + 0.05 * noise.next();
    records.push({
      type: 'step',
      time: time(step),
      step,
      epoch: Math.ceil(step / 100),
      loss,
      parts: { rpn_cls: loss / 2, rpn_bbox: loss / 3, [HOSTILE]: loss / 6 },
      lr: 1e-3 * Math.cos((step / 600) * (Math.PI / 2)),
      gradNorm: 1 + noise.next(),
      imgPerSec: 900 + 100 * noise.next(),
      dataWait: 0.02 * noise.next(),
      memory: { rssMiB: 600 + Math.floor(step / 100), tensors: 321 },
    });
    if (step % 100 !== 0) continue;
    const metrics = { top1: 1 - Math.exp(-step / 100) / 2, top5: step === 300 ? null : 0.999 };
    records.push({
      type: 'evaluation',
      time: time(step + 0.5),
      step,
      epoch: step / 100,
      metrics,
      best: true,
    });
  }
  writeFileSync(join(folder, 'recipe.json'), JSON.stringify(recipe));
  writeFileSync(join(folder, 'log.jsonl'), records.map((record) => `${JSON.stringify(record)}\n`).join(''));
  writeFileSync(join(folder, 'best.safetensors'), 'abc');
  return {
    folder,
    source: 'data/<animals>',
    recipe,
    task: {
      name: 'classification',
      metric: { name: 'top1', better: 'higher' },
      sections: async () => SECTIONS,
    },
    data: {
      batchesPerEpoch: 100,
      summary: () => ({ training: 12_800, validation: 200, classes: ['a', 'b', 'c'] }),
    },
  };
}
