import { createClassificationModel } from '@as-mlp/classification';
import { countMacs } from '@as-mlp/engine';
import type * as tf from '@tensorflow/tfjs-core';
import type { BenchOptions, Section } from './arguments.ts';
import { Child } from './child.ts';
import { type Contestant, REFERENCE } from './contestants.ts';
import type {
  InferenceFigures,
  PipelineFigures,
  ScalingFigures,
  ScalingPoint,
  TrainingFigures,
} from './figures.ts';
import { GEMM_SHAPES } from './gemm.ts';
import { PHOTOS, type Places } from './places.ts';
import { openPlayers, playRounds } from './rounds.ts';

/** What every part of the bench works with. */
export interface Bench {
  readonly options: BenchOptions;
  readonly contestants: readonly Contestant[];
  readonly places: Places;
  /** The Python with the peers, when they take part. */
  readonly python: string | undefined;
  readonly log: (line: string) => void;
}

const TRAINING_BATCH = 8;
const SCALING_BATCHES = [1, 2, 4, 8, 16, 32];
const SCALING_SIDES = [224, 320, 448, 640, 800, 1024];

/** The forward pass at every batch size, then the rate of matrix products. */
export async function measureInference(bench: Bench): Promise<InferenceFigures> {
  const { options, places, log } = bench;
  const { model, side, turnMs } = options;
  const open = ({ settings }: Contestant) => ({
    work: 'inference',
    model,
    side,
    path: settings.kind === 'onnxruntime' ? places.onnx : places.checkpoint,
  });
  const batches = [];
  for (const batch of options.batches) {
    log(`forward pass, batch ${batch}`);
    // Processes of their own for every batch size, so that the peak of one is not that of another.
    const players = await openPlayers(among(bench, 'inference'), open, { batch, turnMs }, log);
    batches.push({ batch, outcomes: await playRounds(players, { ...options, log }, REFERENCE) });
  }
  const network = createClassificationModel(model).initializeZeros();
  const forward = (images: tf.Tensor) => network.forward(images as tf.Tensor4D);
  const { products } = countMacs(forward, [[1, side, side, 3]]);
  network.dispose();
  return { batches, flops: 2 * products, gemm: await measureGemm(bench) };
}

/** The best rate over shapes and rounds, of this project's native engine and of PyTorch, in turn, where they are there. */
async function measureGemm({ contestants, options, log }: Bench): Promise<InferenceFigures['gemm']> {
  log('matrix products');
  const names = ['eager', 'PyTorch'];
  const children = contestants
    .filter(({ name }) => names.includes(name))
    .map(({ name, launch, settings }) => ({ name, child: new Child(launch), settings, rate: 0 }));
  const { model, side } = options;
  const ready: typeof children = [];
  try {
    for (const entry of children) {
      try {
        await entry.child.ask({ do: 'open', work: 'gemm', model, side, path: '', ...entry.settings });
        ready.push(entry);
      } catch (error) {
        log(`  ${entry.name} is left out: ${error instanceof Error ? error.message : error}`);
      }
    }
    for (let round = 0; round < options.rounds; round++) {
      for (const entry of ready) {
        for (const shape of GEMM_SHAPES) {
          const { rate } = await entry.child.ask({ do: 'gemm', shape });
          entry.rate = Math.max(entry.rate, rate as number);
        }
      }
    }
  } finally {
    await Promise.all(children.map(({ child }) => child.close()));
  }
  return ready.map(({ name, rate }) => ({ name: name === 'eager' ? 'native engine' : name, rate }));
}

/** One update with AdamW on eight images. */
export async function measureTraining(bench: Bench): Promise<TrainingFigures> {
  const { options, places, log } = bench;
  const { model, side, turnMs } = options;
  log(`training, batch ${TRAINING_BATCH}`);
  const open = () => ({ work: 'training', model, side, path: places.checkpoint });
  const turn = { batch: TRAINING_BATCH, turnMs };
  const players = await openPlayers(among(bench, 'training'), open, turn, log);
  return { batch: TRAINING_BATCH, outcomes: await playRounds(players, { ...options, log }, REFERENCE) };
}

/** JPEG files to normalised values. */
export async function measurePipeline(bench: Bench): Promise<PipelineFigures> {
  const { options, places, log } = bench;
  const { model, side, turnMs } = options;
  log('input pipeline');
  const open = () => ({ work: 'pipeline', model, side, path: places.data });
  const turn = { batch: PHOTOS, turnMs };
  const players = await openPlayers(among(bench, 'pipeline'), open, turn, log);
  return { outcomes: await playRounds(players, { ...options, log }) };
}

/** The compiled network against batch and side, each size in a process of its own. */
export async function measureScaling(bench: Bench): Promise<ScalingFigures> {
  const { side } = bench.options;
  const batches = [];
  for (const batch of SCALING_BATCHES) batches.push(...(await scalingPoint(bench, batch, side)));
  const sides = [];
  for (const larger of SCALING_SIDES) sides.push(...(await scalingPoint(bench, 1, larger)));
  return { batches, sides };
}

async function scalingPoint(bench: Bench, batch: number, side: number): Promise<ScalingPoint[]> {
  const { options, places, log } = bench;
  const { model, turnMs } = options;
  log(`batch ${batch} at ${side}²`);
  const open = () => ({ work: 'inference', model, side, path: places.checkpoint });
  const players = await openPlayers(among(bench, 'scaling'), open, { batch, turnMs }, log);
  const outcomes = await playRounds(players, { ...options, log: () => undefined });
  return outcomes.map(({ p50, peakMiB }) => ({ batch, side, p50, peakMiB }));
}

function among({ contestants }: Bench, section: Section): Contestant[] {
  return contestants.filter(({ sections }) => sections.includes(section));
}
