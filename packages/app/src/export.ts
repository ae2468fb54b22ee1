import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { writeFileAtomic } from '@as-mlp/base/node';
import type { Engine, ExportSpec } from '@as-mlp/engine';
import { encodeSafetensors, type Module, type TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { type Command, Option } from 'commander';
import type { Cli, Verb } from './cli.ts';
import { addEngineOptions, type EngineFlags } from './options.ts';
import { outputFolder } from './outputs.ts';
import type { Terminal } from './terminal.ts';

const FORMATS = ['savedmodel', 'onnx', 'safetensors'] as const;

/** Options of every `export`. */
export interface ExportFlags extends EngineFlags {
  readonly weights: string;
  readonly format: (typeof FORMATS)[number];
  readonly out: string;
}

/** A function of a network, as other programs will call it. */
export interface ExportPart {
  /** Its folder below the given one; nothing where a network is one function. */
  readonly name?: string;
  readonly forward: TensorFunction;
  readonly spec: ExportSpec;
  /** Shapes of the input on which both sides are compared; other sizes than one where sizes are open. */
  readonly samples: readonly (readonly number[])[];
}

/** A network that can be written. */
export interface Exportable {
  /** Facts that the user should know, one line each. */
  readonly notes: readonly string[];
  readonly model: Module;
  readonly parts: readonly ExportPart[];
  /** Goes into the header of the file where its format has one. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The network from a safetensors file, for the comparison. */
  reload(file: string): Promise<{ readonly parts: readonly ExportPart[]; dispose(): void }>;
  dispose(): void;
}

/** What a task brings to `export`. */
export interface ExportTask<F extends ExportFlags> {
  addOptions?(command: Command): void;
  /** Loads the network. */
  open(flags: F, engine: Engine): Promise<Exportable>;
}

/** Outputs further apart than this are a failure. */
const TOLERANCE = 1e-3;

/**
 * `export --weights FILE --format savedmodel|onnx|safetensors --out DIR`: the network for other programs. What was written
 * is loaded again and compared with the network on the same input.
 */
export function exportVerb<F extends ExportFlags = ExportFlags>(task: ExportTask<F>): Verb {
  return (program, cli) => {
    const command = program
      .command('export')
      .description('write the network for other programs, and compare what they compute')
      .requiredOption('--weights <file>', 'a .pth or .safetensors checkpoint')
      .addOption(new Option('--format <name>', 'what to write').choices([...FORMATS]).makeOptionMandatory())
      .requiredOption('--out <folder>', 'where to write it');
    task.addOptions?.(command);
    addEngineOptions(command).action((flags: F) => exportNetwork(task, flags, cli));
  };
}

async function exportNetwork<F extends ExportFlags>(task: ExportTask<F>, flags: F, cli: Cli): Promise<void> {
  const { terminal } = cli;
  const folder = await outputFolder(flags.out);
  const engine = await cli.openEngine(flags);
  const network = await task.open(flags, engine);
  for (const note of network.notes) terminal.log(note);
  try {
    if (flags.format === 'safetensors') await exportWeights(network, folder, terminal);
    else for (const part of network.parts) await exportPart(network, part, flags.format, folder, terminal);
  } finally {
    network.dispose();
  }
}

/** All weights in one file; every part of the network that it gives is compared. */
async function exportWeights(
  { model, metadata, parts, reload }: Exportable,
  folder: string,
  terminal: Terminal,
): Promise<void> {
  const file = join(folder, 'model.safetensors');
  await writeFileAtomic(file, encodeSafetensors(await model.stateDict(), { ...metadata }));
  const copy = await reload(file);
  try {
    let largest = 0;
    for (const [i, part] of parts.entries()) {
      const run: Run = async (input) => outputsOf(copy.parts[i]!.forward(input));
      largest = Math.max(largest, await compare(part, run));
    }
    const sizes = parts.flatMap(({ samples }) => samples);
    await tell(file, largest, sizes, terminal);
  } finally {
    copy.dispose();
  }
}

async function exportPart(
  { metadata }: Exportable,
  part: ExportPart,
  format: 'savedmodel' | 'onnx',
  out: string,
  terminal: Terminal,
): Promise<void> {
  const { exportOnnx, exportSavedModel, runOnnx, runSavedModel } = await import('@as-mlp/engine');
  const { name, forward, spec, samples } = part;
  const folder = name === undefined ? out : await outputFolder(join(out, name));
  let run: Run;
  if (format === 'savedmodel') {
    await exportSavedModel(forward, folder, spec);
    run = async (input) => runSavedModel(folder, [input], spec);
  } else {
    await exportOnnx(forward, folder, spec, metadata);
    run = (input) => runOnnx(folder, [input]);
  }
  const file = join(folder, format === 'onnx' ? 'model.onnx' : 'saved_model.pb');
  await tell(file, await compare(part, run), samples, terminal);
}

/** Runs what was written. */
type Run = (input: tf.Tensor) => Promise<tf.Tensor[]>;

/** Says how far a file is from the network, or deletes it where that is too far. */
async function tell(
  file: string,
  largest: number,
  samples: readonly (readonly number[])[],
  terminal: Terminal,
): Promise<void> {
  if (!(largest <= TOLERANCE)) {
    await rm(file, { force: true });
    throw new AsMlpError('engine', {
      where: file,
      what: `what was written differs from the network by ${largest.toExponential(1)}, and was deleted`,
      fix: 'Report this with the weights',
    });
  }
  const sizes = samples.map((shape) => shape.join('×')).join(', ');
  terminal.out(`${file}\nlargest difference ${largest.toExponential(1)} on inputs of ${sizes}\n`);
}

/** The largest difference between a part and what was written, over all samples and outputs. */
async function compare({ forward, samples }: ExportPart, run: Run): Promise<number> {
  let largest = 0;
  for (const shape of samples) {
    const input = tf.randomNormal([...shape], 0, 1, 'float32', 0);
    const [wanted, found] = [outputsOf(forward(input)), await run(input)];
    for (const [i, tensor] of wanted.entries()) {
      const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, found[i]!))));
      const [value] = await difference.data();
      // NaN stays.
      largest = Math.max(largest, value!);
      difference.dispose();
    }
    tf.dispose([input, wanted, found]);
  }
  return largest;
}

function outputsOf(result: tf.Tensor | readonly tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(result) ? [...result] : [result as tf.Tensor];
}
