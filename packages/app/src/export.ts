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

const FORMATS = ['savedmodel', 'onnx', 'safetensors'] as const;

/** Options of every `export`. */
export interface ExportFlags extends EngineFlags {
  readonly weights: string;
  readonly format: (typeof FORMATS)[number];
  readonly out: string;
}

/** A network that can be written. */
export interface Exportable {
  /** Facts that the user should know, one line each. */
  readonly notes: readonly string[];
  readonly model: Module;
  /** The forward pass as other programs will call it. */
  readonly forward: TensorFunction;
  readonly spec: ExportSpec;
  /** Goes into the header of the file where its format has one. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Shapes of the inputs on which both sides are compared; other sizes than one where sizes are open. */
  readonly samples: readonly (readonly number[])[];
  /** The network from a safetensors file, for the comparison. */
  reload(file: string): Promise<{ readonly forward: TensorFunction; dispose(): void }>;
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
    const { file, run } = await write(network, flags.format, folder);
    const largest = await compare(network, run);
    if (!(largest <= TOLERANCE)) {
      await rm(file, { force: true });
      throw new AsMlpError('engine', {
        where: file,
        what: `what was written differs from the network by ${largest.toExponential(1)}, and was deleted`,
        fix: 'Report this with the weights',
      });
    }
    const sizes = network.samples.map((shape) => shape.join('×')).join(', ');
    terminal.out(`${file}\nlargest difference ${largest.toExponential(1)} on inputs of ${sizes}\n`);
  } finally {
    network.dispose();
  }
}

interface Written {
  readonly file: string;
  /** Runs what was written. */
  run(input: tf.Tensor): Promise<tf.Tensor[]>;
}

async function write(network: Exportable, format: ExportFlags['format'], folder: string): Promise<Written> {
  const { forward, spec, metadata } = network;
  const { exportOnnx, exportSavedModel, runOnnx, runSavedModel } = await import('@as-mlp/engine');
  if (format === 'savedmodel') {
    await exportSavedModel(forward, folder, spec);
    return {
      file: join(folder, 'saved_model.pb'),
      run: async (input) => runSavedModel(folder, [input], spec),
    };
  }
  if (format === 'onnx') {
    await exportOnnx(forward, folder, spec, metadata);
    return { file: join(folder, 'model.onnx'), run: (input) => runOnnx(folder, [input]) };
  }
  const file = join(folder, 'model.safetensors');
  await writeFileAtomic(file, encodeSafetensors(await network.model.stateDict(), { ...metadata }));
  const reloaded = async (input: tf.Tensor) => {
    const copy = await network.reload(file);
    try {
      return outputsOf(copy.forward(input));
    } finally {
      copy.dispose();
    }
  };
  return { file, run: reloaded };
}

/** The largest difference between the network and what was written, over all samples and outputs. */
async function compare({ forward, samples }: Exportable, run: Written['run']): Promise<number> {
  let largest = 0;
  for (const shape of samples) {
    const input = tf.randomNormal([...shape], 0, 1, 'float32', 0);
    const [wanted, found] = [outputsOf(forward(input)), await run(input)];
    for (const [i, tensor] of wanted.entries()) {
      const difference = tf.tidy(() => tf.max(tf.abs(tf.sub(tensor, found[i]!))));
      const [value] = await difference.data();
      // NaN, which is larger than nothing, must not get lost.
      if (!(value! <= largest)) largest = value!;
      difference.dispose();
    }
    tf.dispose([input, wanted, found]);
  }
  return largest;
}

function outputsOf(result: tf.Tensor | readonly tf.Tensor[]): tf.Tensor[] {
  return Array.isArray(result) ? [...result] : [result as tf.Tensor];
}
