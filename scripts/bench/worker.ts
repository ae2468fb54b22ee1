// One contestant of this project: a process that answers requests on standard input, a line of JSON each, until it is ended.
import { createInterface } from 'node:readline';
import { createForwardTimer } from '@as-mlp/classification';
import { type Engine, type EngineChoice, openEngine } from '@as-mlp/engine';
import type { Precision } from '@as-mlp/nn';
import type { Message } from './child.ts';
import { writeFixtures } from './fixtures.ts';
import { multiply } from './gemm.ts';
import { createPipelineTimer } from './pipeline-timer.ts';
import { createTrainingTimer } from './training-timer.ts';
import { timeLoading } from './weights-timer.ts';

/** What `open` is told. */
interface Settings {
  readonly work: 'inference' | 'training' | 'pipeline' | 'fixtures' | 'weights' | 'gemm';
  readonly model: string;
  readonly side: number;
  /** The file or folder to work on. */
  readonly path: string;
  readonly engine?: EngineChoice;
  readonly eager?: boolean;
  readonly precision?: Precision;
  readonly workers?: number;
}

/** What a turn is told. */
interface Turn {
  /** Repeats until this many milliseconds are over. */
  readonly turnMs: number;
  /** Images at a time. */
  readonly batch: number;
}

/** Does the work for `batch` images once. */
type Work = (batch: number) => Promise<void>;

let work: Work | undefined;
/** What is not as it was asked for. */
let note: string | undefined;

const handlers: Readonly<Record<string, (request: never) => Promise<Message>>> = {
  async open(settings: Settings) {
    work = await open(settings);
    return { note };
  },
  turn: ({ turnMs, batch }: Turn) => repeat(work!, batch, turnMs),
  gemm: async ({ shape }: { shape: readonly [number, number, number] }) => ({ rate: await multiply(shape) }),
};

for await (const line of createInterface({ input: process.stdin })) {
  const { do: name, ...request } = JSON.parse(line) as { do: string };
  const answer = await handlers[name]!(request as never).catch((error: unknown) => ({
    error: error instanceof Error ? error.message : String(error),
  }));
  process.stdout.write(`${JSON.stringify({ answer })}\n`);
}
// Loading threads that wait for more work would keep the process.
process.exit();

async function open({ work: kind, model, side, path, workers = 0, ...engine }: Settings): Promise<Work> {
  const square = { height: side, width: side };
  if (kind === 'pipeline') return createPipelineTimer(path, side, workers);
  const opened = await openQuietly(engine);
  if (kind === 'weights') return timeLoading(path);
  if (kind === 'training') return createTrainingTimer(model, side, opened);
  if (kind === 'gemm') return async () => undefined;
  if (kind === 'fixtures') return () => writeFixtures(model, side, path);
  const timer = await createForwardTimer(model, square, opened.compile);
  return (batch) => timer.run(batch);
}

async function openQuietly(options: Pick<Settings, 'engine' | 'eager' | 'precision'>): Promise<Engine> {
  const engine = await openEngine({ ...options, log: () => undefined });
  if (options.precision === 'bf16' && engine.precision === 'float32') note = 'float32 kept';
  return engine;
}

/** The time of each call in milliseconds an image. */
async function repeat(work: Work, batch: number, turnMs: number): Promise<{ times: number[] }> {
  const times: number[] = [];
  const end = performance.now() + turnMs;
  do {
    const start = performance.now();
    await work(batch);
    times.push((performance.now() - start) / batch);
  } while (performance.now() < end);
  return { times };
}
