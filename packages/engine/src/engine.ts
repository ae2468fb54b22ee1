import { availableParallelism } from 'node:os';
import { AsMlpError } from '@as-mlp/base';
import { type Compile, type Precision, runEagerly } from '@as-mlp/nn';
import {
  chooseEngine,
  type DeviceChoice,
  ENGINE_COST,
  ENGINE_NAMES,
  type EngineChoice,
  type EngineName,
} from './choice.ts';
import { compileForTensorFlow } from './graph/compile.ts';
import { compileTrainingStep } from './graph/training.ts';
import { nativeIsOpen, openNative } from './native.ts';
import { compileForOnnx } from './onnx/compile.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';
import { openCpu, openOnnx, openWasm } from './portable.ts';
import { bf16NotHere, whyFloat32 } from './precision.ts';
import { packageVersion } from './versions.ts';

/** What runs the tensors of this process. */
export interface Engine {
  readonly name: EngineName;
  readonly device: 'cpu' | 'gpu';
  /** Version of TensorFlow, for the native engine. */
  readonly tensorflow?: string;
  /** Version of ONNX Runtime, for the onnx engine. */
  readonly onnxRuntime?: string;
  /** Version of TensorFlow.js. */
  readonly tfjs: string;
  /** Threads that one operation may use. */
  readonly threads: number;
  /** In what compiled functions and training steps multiply, unless they are told otherwise. */
  readonly precision: Precision;
  /** Why it is not a better one: one line each. */
  readonly notes: readonly string[];
  /** Makes functions fast; on engines that cannot, and with `eager`, they stay as they are. */
  readonly compile: Compile;
  /** Makes a training step one graph; undefined on engines that cannot, and with `eager`. */
  readonly compileTrainingStep: typeof compileTrainingStep | undefined;
}

/** What {@link openEngine} is asked for; everything may be left out. */
export interface EngineOptions {
  /** Forces one engine; default: `ASMLP_ENGINE`, else the best that is there. */
  readonly engine?: EngineChoice;
  /** `gpu` fails where there is none; `cpu` leaves a GPU alone. Default `auto`. */
  readonly device?: DeviceChoice;
  /** Threads of one operation of the native engine, from 1. Default: all processors. */
  readonly threads?: number;
  /** Compiles nothing: every operation runs by itself. Default false. */
  readonly eager?: boolean;
  /**
   * `bf16`: compiled functions and training steps multiply in bfloat16 where the processor has instructions for that, and in
   * float32, with a note, where it has not. Default `float32`.
   */
  readonly precision?: Precision;
  /** Gets one line for each fallback, and one when a function is compiled; default: standard error. */
  readonly log?: (line: string) => void;
}

type Opened = Omit<Engine, 'compile' | 'compileTrainingStep'>;
type OpenedAny = Omit<Opened, 'precision'>;

/**
 * Opens the best engine that is there – native, then onnx, then wasm, then cpu – and makes it the backend of the
 * shared `@tensorflow/tfjs-core`. Every step down is announced in one line. May be called again, also
 * for another engine; threads and device of the native engine are fixed by its first opening.
 *
 * @throws AsMlpError `usage` for an unknown engine, a bad thread count, or `bf16` with `eager` or another engine than native;
 * `engine` when a forced engine is not there, or `device: 'gpu'` finds no GPU.
 */
export async function openEngine(options: EngineOptions = {}): Promise<Engine> {
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const opened = withPrecision(await openBest(options, log), options.precision, log);
  const { name, threads, precision } = opened;
  if (options.eager || (name !== 'native' && name !== 'onnx'))
    return { ...opened, compile: runEagerly, compileTrainingStep: undefined };
  const say = once(() => log('compiling'));
  if (name === 'onnx') {
    const compile: Compile = (fn, spec) => say(() => compileForOnnx(fn, spec, threads));
    return { ...opened, compile, compileTrainingStep: undefined };
  }
  return {
    ...opened,
    compile: (fn, spec) =>
      say(() => compileForTensorFlow(fn, { ...spec, precision: spec.precision ?? precision })),
    compileTrainingStep: (step) =>
      say(() => compileTrainingStep({ ...step, precision: step.precision ?? precision })),
  };
}

/** Compiling takes seconds: says so before the first time. */
function once(say: () => void): <T>(work: () => T) => T {
  let said = false;
  return (work) => {
    if (!said) say();
    said = true;
    return work();
  };
}

/** The precision that there is; says so where another was asked for. */
function withPrecision(opened: OpenedAny, asked: Precision = 'float32', log: (line: string) => void): Opened {
  const why = asked === 'bf16' ? whyFloat32(opened) : undefined;
  if (why === undefined) return { ...opened, precision: asked };
  log(`engine: ${why}`);
  return { ...opened, precision: 'float32', notes: [...opened.notes, why] };
}

async function openBest(options: EngineOptions, log: (line: string) => void): Promise<OpenedAny> {
  const choice = chooseEngine(options.engine, process.env);
  if (options.precision === 'bf16') {
    if (choice !== 'auto' && choice !== 'native') throw bf16NotHere(`the ${choice} engine is asked for`);
    if (options.eager) throw bf16NotHere('nothing is compiled with --eager');
  }
  const { threads } = options;
  const device = options.device ?? 'auto';
  if (threads !== undefined && !(Number.isInteger(threads) && threads >= 1)) {
    const fix = 'Give a whole number from 1';
    throw new AsMlpError('usage', { where: '--threads', what: `${threads} is no number of threads`, fix });
  }
  if (device === 'gpu' && choice !== 'native' && choice !== 'auto') {
    const fix = 'Leave one of the two options out';
    throw new AsMlpError('usage', { where: '--device gpu', what: `the ${choice} engine uses no GPU`, fix });
  }
  // A GPU that was asked for has no stand-in.
  if (choice !== 'auto' || device === 'gpu')
    return await openOne(choice === 'auto' ? 'native' : choice, device, threads, []);

  const notes: string[] = [];
  const fallBack = (error: unknown, to: EngineName) => {
    if (!(error instanceof AsMlpError)) throw error;
    const fix = error.fix ? ` ${error.fix}.` : '';
    notes.push(`${error.what}; the ${to} engine runs instead, ${ENGINE_COST[to]}.${fix}`);
    log(`engine: ${notes.at(-1)}`);
  };
  for (const [i, name] of ENGINE_NAMES.entries()) {
    const next = ENGINE_NAMES[i + 1];
    try {
      return await openOne(name, device, threads, notes);
    } catch (error) {
      if (!next) throw error;
      fallBack(error, next);
    }
  }
  throw new AsMlpError('engine', { what: 'no engine starts' });
}

async function openOne(
  name: EngineName,
  device: DeviceChoice,
  threads: number | undefined,
  notes: readonly string[],
): Promise<OpenedAny> {
  if (name === 'native') {
    const wasOpen = nativeIsOpen();
    const native = await openNative(device, threads);
    const late = wasOpen && threads !== undefined && threads !== native.threads;
    const note = `it keeps its ${native.threads === 1 ? '1 thread' : `${native.threads} threads`}: TensorFlow is loaded already`;
    const tfjs = packageVersion('@tensorflow/tfjs-node-gpu');
    return { name, ...native, tfjs, notes: late ? [...notes, note] : notes };
  }
  const open = { onnx: openOnnx, wasm: openWasm, cpu: openCpu };
  await open[name]();
  const tfjs = packageVersion('@tensorflow/tfjs');
  if (name === 'onnx') {
    const onnxRuntime = onnxRuntimeVersion()!;
    return { name, device: 'cpu', tfjs, onnxRuntime, threads: threads ?? availableParallelism(), notes };
  }
  return { name, device: 'cpu', tfjs, threads: 1, notes };
}

/** One line for a person: `native engine: TensorFlow 2.21.0 on the CPU, 2 threads`. */
export function describeEngine(engine: Opened): string {
  const { tensorflow, onnxRuntime, tfjs } = engine;
  const runtime = tensorflow
    ? `TensorFlow ${tensorflow}`
    : onnxRuntime
      ? `ONNX Runtime ${onnxRuntime}`
      : `TensorFlow.js ${tfjs}`;
  const threads = engine.threads === 1 ? '1 thread' : `${engine.threads} threads`;
  const precision = engine.precision === 'bf16' ? ', products in bf16' : '';
  return `${engine.name} engine: ${runtime} on the ${engine.device.toUpperCase()}, ${threads}${precision}`;
}
