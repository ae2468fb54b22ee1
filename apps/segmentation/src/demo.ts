import { join, relative } from 'node:path';
import {
  addComputeOptions,
  type Cli,
  contactSheet,
  type EngineFlags,
  type LabelMap,
  outputFolder,
  overlaid,
  percent,
  type Tile,
  type Verb,
  withLegend,
  writeJson,
  writePicture,
} from '@as-mlp/app';
import type { Example, Segmenter } from '@as-mlp/segmentation';
import { legendOf } from './colours.ts';
import { segmentationReport } from './report.ts';

/** Pictures of the sheet: each scene as it is, then what was seen in it. */
const SHOWN = { scenes: 18, columns: 6, tileSize: 224 } as const;

/** `demo`: what works on a machine that has nothing but this checkout. */
export const demo: Verb = (program, cli) => {
  const command = program
    .command('demo')
    .description(
      'tell digits from their background, pixel by pixel, in 200 held-out scenes with the weights that come along',
    )
    .option('--weights <file>', 'other weights for scenes of digits')
    .option('--out <folder>', 'where the results go', 'demo/segmentation');
  addComputeOptions(command).action((flags: Flags) => run(flags, cli));
};

interface Flags extends EngineFlags {
  readonly out: string;
  readonly weights?: string;
}

async function run(flags: Flags, cli: Cli): Promise<void> {
  const { terminal } = cli;
  const { loadSegmenter, PRETRAINED } = await import('@as-mlp/segmentation');
  const folder = await outputFolder(flags.out);
  const { compile } = await cli.openEngine(flags);
  const segmenter = await loadSegmenter(flags.weights ?? PRETRAINED.digitScenes, { compile });
  try {
    await segmentDigits(segmenter, folder, cli);
  } finally {
    segmenter.dispose();
  }
  const shown = relative(process.cwd(), folder) || '.';
  terminal.out(
    `\nResults are in ${shown}/: scenes.png (look at it), metrics.json, per-class.csv, confusion.csv, confusion.png\n`,
  );
  terminal.out('Your own photos, with official weights:\n');
  terminal.out('  npm run segment -- predict photo.jpg --weights upernet_asmlp_base.pth --out pictures\n');
}

async function segmentDigits(segmenter: Segmenter, folder: string, { terminal, signal }: Cli): Promise<void> {
  const { DIGIT_SCENES, evaluateSegmenter, openExamples } = await import('@as-mlp/segmentation');
  const scenes = openExamples(DIGIT_SCENES, 'val');
  const palette = scenes.palette ?? segmenter.palette;
  const predictions: LabelMap[] = [];
  const progress = terminal.progress('scenes', scenes.length, 'images');
  const { metrics } = await evaluateSegmenter(segmenter, {
    data: scenes,
    signal,
    onProgress: (done) => progress.update(done),
    onImage: (_, labels) => {
      if (predictions.length < SHOWN.scenes) predictions.push(labels);
    },
  }).finally(() => progress.stop());
  const report = segmentationReport(metrics);
  terminal.out(`${scenes.length} scenes of handwritten digits that training has not seen\n${report.text}\n`);

  const { columns, tileSize } = SHOWN;
  const tiles: Tile[] = [];
  for (const [index, predicted] of predictions.entries()) {
    const example = await scenes.load(index);
    const picture = overlaid(example.image, predicted, palette, { side: tileSize, cover: 0.75 });
    tiles.push({ image: example.image, caption: scenes.name(index) });
    tiles.push({ image: picture, caption: `${percent(rightPart(example, predicted))} right` });
  }
  const sheet = await contactSheet(tiles, { columns, tileSize });
  await writePicture(
    join(folder, 'scenes.png'),
    await withLegend(sheet, legendOf(segmenter.labels, palette)),
  );
  await writeJson(join(folder, 'metrics.json'), report.json, terminal);
  await report.write(folder);
}

function rightPart({ labels }: Example, predicted: LabelMap): number {
  let right = 0;
  for (let i = 0; i < labels.data.length; i++) if (labels.data[i] === predicted.data[i]) right++;
  return right / labels.data.length;
}
