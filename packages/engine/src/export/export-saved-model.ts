import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { writeFileAtomic } from '@as-mlp/base/node';
import type { InputSpec, TensorFunction } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { recordProgram } from '../graph/compile.ts';
import { isFixed } from '../graph/dims.ts';
import { lowerToTensorFlow } from '../graph/lower.ts';
import { KERNELS } from '../graph/tensorflow-kernels.ts';
import { encodeSavedModel, type SignatureTensor } from './saved-model.ts';

/** What an exported function takes and gives. */
export interface ExportSpec {
  readonly inputs: readonly (InputSpec & { readonly name: string })[];
  /** A name for each output. */
  readonly outputs: readonly string[];
}

/**
 * Writes a function as a SavedModel: `folder/saved_model.pb`, which TensorFlow and TensorFlow Serving load. Variables
 * become constants; the sizes that the inputs leave open stay open.
 *
 * @throws AsMlpError `usage` as compiling does; `io` when the file cannot be written.
 */
export async function exportSavedModel(fn: TensorFunction, folder: string, spec: ExportSpec): Promise<void> {
  const program = recordProgram((tensors) => fn(...tensors), spec.inputs);
  const node = (kind: string, name: string) => `${kind}_${name}`;
  const names = {
    inputs: spec.inputs.map(({ name }) => node('serving', name)),
    outputs: spec.outputs.map((name) => node('output', name)),
  };
  const nodes = lowerToTensorFlow(program, names, KERNELS);
  const tensor = (name: string, at: string, id: number): SignatureTensor => ({
    name,
    node: at,
    dtype: program.values[id]!.dtype === 'int32' ? 'int32' : 'float32',
    shape: program.values[id]!.shape.map((dim) => (isFixed(dim) ? dim : -1)),
  });
  const bytes = encodeSavedModel(nodes, {
    inputs: spec.inputs.map(({ name }, i) => tensor(name, names.inputs[i]!, program.inputs[i]!)),
    outputs: spec.outputs.map((name, i) => tensor(name, names.outputs[i]!, program.outputs[i]!)),
  });
  await mkdir(folder, { recursive: true });
  await writeFileAtomic(join(folder, 'saved_model.pb'), bytes);
}

/** What the native backend can do with a SavedModel. */
interface SavedModelBackend {
  loadSavedModelMetaGraph(path: string, tags: string): number;
  runSavedModel(
    id: number,
    inputs: tf.Tensor[],
    infos: readonly { name: string; dtype: string; shape: readonly number[] }[],
    outputs: readonly string[],
  ): tf.Tensor[];
  deleteSavedModel(id: number): void;
}

/**
 * Loads a SavedModel that {@link exportSavedModel} wrote with TensorFlow and runs it once.
 *
 * @throws AsMlpError `engine` when the native engine is not open, or TensorFlow does not load it.
 */
export function runSavedModel(folder: string, inputs: readonly tf.Tensor[], spec: ExportSpec): tf.Tensor[] {
  const backend: unknown = tf.backend();
  if (!isSavedModelBackend(backend)) {
    const fix = 'Use the native engine';
    throw new AsMlpError('engine', { what: 'a SavedModel can only be checked by TensorFlow', fix });
  }
  const id = backend.loadSavedModelMetaGraph(folder, 'serve');
  try {
    const infos = spec.inputs.map(({ name }, i) => ({
      name: `serving_${name}:0`,
      dtype: inputs[i]!.dtype,
      shape: inputs[i]!.shape,
    }));
    return backend.runSavedModel(
      id,
      [...inputs],
      infos,
      spec.outputs.map((name) => `output_${name}:0`),
    );
  } finally {
    backend.deleteSavedModel(id);
  }
}

function isSavedModelBackend(backend: unknown): backend is SavedModelBackend {
  return typeof backend === 'object' && backend !== null && 'loadSavedModelMetaGraph' in backend;
}
