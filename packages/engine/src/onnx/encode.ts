import { AsMlpError } from '@as-mlp/base';
import type * as tf from '@tensorflow/tfjs-core';
import type { Program, ProgramConstant } from '../graph/program.ts';
import { recogniseLayers } from '../graph/recognise.ts';
import type { ValueId } from '../graph/trace.ts';
import { projectVersion } from '../versions.ts';
import { foldGains } from './fold-gains.ts';
import { OnnxGraph } from './graph.ts';
import { joinReshapes } from './join-reshapes.ts';
import { KernelCall, type Lowerings, unsupportedKernel } from './kernel-call.ts';
import { ELEMENTWISE } from './lower-elementwise.ts';
import { INDEXING } from './lower-index.ts';
import { REDUCING } from './lower-reduce.ts';
import { RESIZING } from './lower-resize.ts';
import { SHAPING } from './lower-shape.ts';
import { WINDOWS } from './lower-window.ts';
import { type OnnxValue, writeModel } from './model-proto.ts';
import { settleNames } from './names.ts';
import { dimText } from './sizes.ts';
import { onnxDtype, tensorOf } from './tensors.ts';

const LOWERINGS: Lowerings = {
  ...ELEMENTWISE,
  ...INDEXING,
  ...REDUCING,
  ...RESIZING,
  ...SHAPING,
  ...WINDOWS,
};

/** Layers that have a form which runtimes know. Shifts stay the depthwise convolutions that they are recorded as. */
const LAYERS = ['Gelu', 'GroupNorm', 'Linear'] as const;

/** No protocol buffer is larger. */
const MAX_BYTES = 2 ** 31 - 1;

/** One input of a model. */
export interface OnnxInput {
  readonly name: string;
  /** Names of the axes, for those whose size is open; `<input>_<axis>` unless given. */
  readonly axes?: readonly string[];
}

/** What a model and its parts are called. */
export interface OnnxOptions {
  /** One for each input of the program, in order. */
  readonly inputs: readonly OnnxInput[];
  /** Names of the outputs, in order. */
  readonly outputs: readonly string[];
  /** Name of the graph, `as-mlp` unless given. */
  readonly name?: string;
  /** Goes into the file as it is, for programs that read it. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** What a variable is called in the file, such as its key in a state dict; else the name that it has. */
  readonly nameOf?: (variable: tf.Variable) => string | undefined;
}

/**
 * A program as the bytes of an ONNX model (operators of version 17): layouts, types and open sizes stay as they are, so
 * images go in as `[B, H, W, 3]`. Variables become part of the model with the values that they have now.
 *
 * @throws AsMlpError `usage` for kernels that have no counterpart, for names that do not fit the program, and for models
 * of more than 2 GB.
 */
export function encodeOnnx(program: Program, options: OnnxOptions): Uint8Array {
  checkNames(program, options);
  if (program.draws.length > 0) throw unsupportedKernel('a function that draws random numbers');
  const fused = foldGains(joinReshapes(recogniseLayers(program, LAYERS)));
  const graph = new OnnxGraph(options.inputs.map(({ name }) => name));
  const names = new Map<ValueId, string>();
  for (const [input, id] of fused.inputs.entries()) names.set(id, graph.inputName(input));
  for (const constant of fused.constants)
    names.set(constant.id, addConstant(graph, fused, constant, options));
  for (const kernel of fused.kernels) {
    const lowering = LOWERINGS[kernel.name];
    if (!lowering) throw unsupportedKernel(`the kernel ${kernel.name}`);
    const outputs = [lowering(new KernelCall(graph, kernel, fused, names))].flat();
    for (const [index, id] of kernel.outputs.entries()) names.set(id, outputs[index]!);
  }
  const out = writeModel({
    ...settleNames(graph, names, fused.outputs, options.outputs, (id, name) =>
      describe(fused, options, id, name),
    ),
    inputs: fused.inputs.map((id, input) => describe(fused, options, id, options.inputs[input]!.name)),
    name: options.name ?? 'as-mlp',
    metadata: options.metadata ?? {},
    producerVersion: projectVersion(),
  });
  if (out.size <= MAX_BYTES) return out.finish();
  throw new AsMlpError('usage', {
    what: `the model would have ${(out.size / 1e9).toFixed(1)} GB, and an ONNX file holds 2 GB`,
    fix: 'Export a smaller model',
  });
}

function checkNames(program: Program, { inputs, outputs }: OnnxOptions): void {
  const given = [...inputs.map(({ name }) => name), ...outputs];
  const fits = inputs.length === program.inputs.length && outputs.length === program.outputs.length;
  if (fits && new Set(given).size === given.length && !given.includes('')) return;
  throw new AsMlpError('usage', {
    what: `the names ${given.join(', ')} do not fit ${program.inputs.length} inputs and ${program.outputs.length} outputs`,
    fix: 'Give each input and each output a name of its own',
  });
}

function addConstant(
  graph: OnnxGraph,
  { values }: Program,
  constant: ProgramConstant,
  { nameOf }: OnnxOptions,
): string {
  const { dtype, shape } = values[constant.id]!;
  if (constant.kind === 'fill') return graph.fill(onnxDtype(dtype), shape, constant.value);
  const fixed = shape as readonly number[];
  if (constant.kind === 'variable') {
    const { variable } = constant;
    return graph.tensor(nameOf?.(variable) ?? variable.name, tensorOf(dtype, fixed, variable.dataSync()));
  }
  if (constant.kind === 'size') {
    const size = graph.number(constant.dim, onnxDtype(dtype));
    return constant.inverse ? graph.shared('Reciprocal', [size]) : size;
  }
  // Scalars repeat themselves in every layer.
  if (constant.data.length === 1) return graph.constant(onnxDtype(dtype), fixed, [constant.data[0]!]);
  return graph.tensor('constant', tensorOf(dtype, fixed, constant.data));
}

function describe(program: Program, { inputs }: OnnxOptions, id: ValueId, name: string): OnnxValue {
  const { dtype, shape } = program.values[id]!;
  const axisName = (input: number, axis: number) =>
    inputs[input]!.axes?.[axis] ?? `${inputs[input]!.name}_${axis}`;
  return { name, dtype: onnxDtype(dtype), shape: shape.map((dim) => dimText(dim, axisName)) };
}
