import { join, relative } from 'node:path';
import {
  addComputeOptions,
  type Cli,
  contactSheet,
  type EngineFlags,
  outputFolder,
  type Tile,
  type Verb,
  writeJson,
  writePicture,
} from '@as-mlp/app';
import type { Detector } from '@as-mlp/detection';
import { drawDetections } from './marks.ts';
import { detectionReport } from './report.ts';

/** Pictures of the sheet, and the least score of what is drawn. */
const SHOWN = { scenes: 24, columns: 6, tileSize: 256, minScore: 0.5 } as const;

/** `demo`: what works on a machine that has nothing but this checkout. */
export const demo: Verb = (program, cli) => {
  const command = program
    .command('demo')
    .description('find the digits in 200 held-out scenes with the weights that come along')
    .option('--weights <file>', 'other weights for scenes of digits')
    .option('--out <folder>', 'where the results go', 'demo/detection');
  addComputeOptions(command).action((flags: Flags) => run(flags, cli));
};

interface Flags extends EngineFlags {
  readonly out: string;
  readonly weights?: string;
}

async function run(flags: Flags, cli: Cli): Promise<void> {
  const { terminal } = cli;
  const { loadDetector, PRETRAINED } = await import('@as-mlp/detection');
  const weights = flags.weights ?? PRETRAINED.digitScenes;
  const folder = await outputFolder(flags.out);
  const { compile } = await cli.openEngine(flags);
  const detector = await loadDetector(weights, { compile });
  try {
    await findDigits(detector, folder, cli);
  } finally {
    detector.dispose();
  }
  const shown = relative(process.cwd(), folder) || '.';
  terminal.out(
    `\nResults are in ${shown}/: scenes.png (look at it), metrics.json, per-class.csv, pr-bbox.svg, pr-segm.svg\n`,
  );
  terminal.out('Your own photos, with official weights:\n');
  terminal.out('  npm run detect -- predict photo.jpg --weights mask_rcnn_asmlp_tiny.pth --out pictures\n');
}

async function findDigits(detector: Detector, folder: string, { terminal, signal }: Cli): Promise<void> {
  const { DIGIT_SCENES, evaluateDetector, openHeldOut } = await import('@as-mlp/detection');
  const data = await openHeldOut(DIGIT_SCENES, { classes: detector.labels });
  const total = data.dataset.images.length;
  const progress = terminal.progress('scenes', total, 'images');
  const evaluation = await evaluateDetector(detector, {
    data,
    signal,
    onProgress: (done) => progress.update(done),
  }).finally(() => progress.stop());
  const report = detectionReport(evaluation);
  terminal.out(`${total} scenes of handwritten digits that training has not seen\n${report.text}\n`);

  const tiles: Tile[] = [];
  for (let index = 0; index < Math.min(SHOWN.scenes, total); index++) {
    const image = await data.load(index);
    const { detections } = await detector.detect(image, { minScore: SHOWN.minScore });
    const [from, to] = data.dataset.annotationsOf(index);
    tiles.push({
      image: await drawDetections(image, detections, { side: SHOWN.tileSize }),
      caption: `${detections.length} found, ${to - from} there`,
    });
  }
  const { columns, tileSize } = SHOWN;
  await writePicture(join(folder, 'scenes.png'), await contactSheet(tiles, { columns, tileSize }));
  await writeJson(join(folder, 'metrics.json'), report.json, terminal);
  await report.write(folder);
}
