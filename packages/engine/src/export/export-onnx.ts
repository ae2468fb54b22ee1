import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '@as-mlp/base/node';
import type { TensorFunction } from '@as-mlp/nn';
import type * as tf from '@tensorflow/tfjs-core';
import { recordProgram } from '../graph/compile.ts';
import { readTensor, toTensor } from '../graph/graph-function.ts';
import { encodeOnnx } from '../onnx/encode.ts';
import { openOnnxSession, runInOrder } from '../onnx/session.ts';
import type { ExportSpec } from './export-saved-model.ts';

const FILE = 'model.onnx';

/**
 * Writes a function as an ONNX model, `folder/model.onnx` (operators of version 17). Variables become constants; the sizes
 * that the inputs leave open stay open, under their names. Needs no native engine.
 *
 * @throws AsMlpError `usage` for what has no counterpart in ONNX; `io` when the file cannot be written.
 */
export async function exportOnnx(
  fn: TensorFunction,
  folder: string,
  { inputs, outputs }: ExportSpec,
  metadata: Readonly<Record<string, string>> = {},
): Promise<void> {
  const program = recordProgram((tensors) => fn(...tensors), inputs);
  const named = inputs.map(({ name, shape }) => ({
    name,
    axes: shape.map((size, axis) => (typeof size === 'string' ? size : `${name}_${axis}`)),
  }));
  const bytes = encodeOnnx(program, { inputs: named, outputs, metadata });
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, FILE), bytes);
}

/**
 * Loads what {@link exportOnnx} wrote in ONNX Runtime and runs it once.
 *
 * @throws AsMlpError `engine` when ONNX Runtime is not installed or refuses the model.
 */
export async function runOnnx(folder: string, inputs: readonly tf.Tensor[]): Promise<tf.Tensor[]> {
  const session = await openOnnxSession(await readFile(join(folder, FILE)));
  try {
    return (await runInOrder(session, await Promise.all(inputs.map(readTensor)))).map(toTensor);
  } finally {
    await session.dispose();
  }
}
