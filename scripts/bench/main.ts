import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { type BenchOptions, parseOptions, type Section, USAGE } from './arguments.ts';
import { Child, type Launch } from './child.ts';
import { OWN, peerContestants } from './contestants.ts';
import type { About, Figures } from './figures.ts';
import { type Places, placesIn } from './places.ts';
import { earlierFigures, writeResults } from './results.ts';
import {
  type Bench,
  measureInference,
  measurePipeline,
  measureScaling,
  measureTraining,
} from './sections.ts';
import { measureStart } from './start.ts';
import { peerPython } from './venv.ts';

const MEASURES: { readonly [name in Section]: (bench: Bench) => Promise<Figures[name]> } = {
  inference: measureInference,
  training: measureTraining,
  start: measureStart,
  pipeline: measurePipeline,
  scaling: measureScaling,
};
/** Float32 sums in another order differ in the last digits; a wrong layer differs in the first. */
const TOLERANCE = 1e-4;

const log = (line: string) => void process.stderr.write(`${line}\n`);

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) process.stdout.write(USAGE);
  else await bench(options);
} catch (error) {
  if (!(error instanceof AsMlpError)) throw error;
  log(error.message);
  process.exitCode = error.kind === 'usage' ? 2 : 1;
}

async function bench(options: BenchOptions): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'as-mlp-bench-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

  const places = placesIn(folder);
  const python = options.peers ? await peerPython(log) : undefined;
  log('writing weights and photos');
  await writeShared(options, folder);
  const peers = python ? peerContestants(python) : [];
  const difference = peers[0] && (await verifyPeer(peers[0].launch, places, options));
  const contestants = [...OWN, ...peers];

  const about = aboutRun(options, difference);
  const earlier = await earlierFigures(options.out, about);
  let figures: Figures = { ...earlier, about: { ...earlier.about, ...about } };
  for (const section of options.sections) {
    const found = await MEASURES[section]({ options, contestants, places, python, log });
    figures = { ...figures, [section]: found };
  }
  await writeResults(figures, new Set(OWN.map(({ name }) => name)), options);
}

/** A process of its own, so that this one never opens an engine. */
async function writeShared({ model, side }: BenchOptions, folder: string): Promise<void> {
  const { launch } = OWN.find(({ name }) => name === 'eager')!;
  const child = new Child(launch);
  try {
    await child.ask({ do: 'open', work: 'fixtures', model, side, path: folder });
    await child.ask({ do: 'turn', batch: 1, turnMs: 0 });
  } finally {
    await child.close();
  }
}

/** Both networks must give the same logits before anybody compares their speed. */
async function verifyPeer(launch: Launch, places: Places, { side }: BenchOptions): Promise<number> {
  const { weights, check, checkpoint, onnx } = places;
  log('comparing logits with PyTorch, writing its formats');
  const child = new Child(launch);
  try {
    const { difference } = await child.ask({ do: 'verify', weights, check, checkpoint, onnx, side });
    if ((difference as number) <= TOLERANCE) return difference as number;
    throw new AsMlpError('engine', {
      where: 'PyTorch',
      what: `the logits differ by ${difference}, more than ${TOLERANCE}`,
      fix: 'One of the two networks is wrong; compare them layer by layer',
    });
  } finally {
    await child.close();
  }
}

function aboutRun({ model, side, rounds }: BenchOptions, difference: number | undefined): About {
  const processors = cpus();
  return {
    model,
    side,
    rounds,
    date: new Date().toISOString(),
    node: process.versions.node,
    processor: processors[0]?.model ?? 'unknown processor',
    processors: processors.length,
    ...(difference === undefined ? {} : { difference }),
  };
}
