import { ProtobufWriter } from '../protobuf.ts';

/** `TensorProto.DataType` of the types that are used here; a bool is a byte, 0 or 1. */
export const DATA_TYPES = { float32: 1, int32: 6, int64: 7, bool: 9 } as const;

/** Element types inside a model. */
export type OnnxDtype = keyof typeof DATA_TYPES;

/** A tensor that is part of a model: little-endian elements in row-major order. */
export interface OnnxTensor {
  readonly dtype: OnnxDtype;
  readonly shape: readonly number[];
  readonly bytes: Uint8Array;
}

/** The value of an attribute, under its kind. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly text: string };

/** One operator of a model; '' among the inputs stands for one that is left out. */
export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

/** What is known of a value; sizes that depend on the inputs have names. */
export interface OnnxValue {
  readonly name: string;
  readonly dtype: OnnxDtype;
  readonly shape: readonly (number | string)[];
}

/** A whole model. */
export interface OnnxModel {
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly (OnnxTensor & { readonly name: string })[];
  readonly inputs: readonly OnnxValue[];
  readonly outputs: readonly OnnxValue[];
  /** Values between the nodes. */
  readonly values: readonly OnnxValue[];
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly producerVersion: string;
}

/** Version of the format; every runtime that knows the operators of {@link OPSET} reads it. */
const IR_VERSION = 8;
/** Version of the operators. */
const OPSET = 17;

/** A `ModelProto` (onnx.proto), not yet one piece: {@link ProtobufWriter.finish} copies the tensors. */
export function writeModel(model: OnnxModel): ProtobufWriter {
  const out = new ProtobufWriter()
    .integer(1, IR_VERSION)
    .bytes(2, 'as-mlp')
    .bytes(3, model.producerVersion)
    .message(7, (graph) => writeGraph(graph, model))
    .message(8, (opset) => opset.bytes(1, '').integer(2, OPSET));
  for (const [key, value] of Object.entries(model.metadata)) {
    out.message(14, (entry) => entry.bytes(1, key).bytes(2, value));
  }
  return out;
}

function writeGraph(out: ProtobufWriter, model: OnnxModel): void {
  for (const node of model.nodes) out.message(1, (inner) => writeNode(inner, node));
  out.bytes(2, model.name);
  for (const { name, ...tensor } of model.initializers) {
    out.message(5, (inner) => writeTensor(inner, name, tensor));
  }
  for (const value of model.inputs) out.message(11, (inner) => writeValue(inner, value));
  for (const value of model.outputs) out.message(12, (inner) => writeValue(inner, value));
  for (const value of model.values) out.message(13, (inner) => writeValue(inner, value));
}

function writeNode(out: ProtobufWriter, { name, op, inputs, outputs, attributes }: OnnxNode): void {
  for (const input of inputs) out.bytes(1, input);
  for (const output of outputs) out.bytes(2, output);
  out.bytes(3, name).bytes(4, op);
  for (const [key, value] of Object.entries(attributes)) {
    out.message(5, (inner) => writeAttribute(inner.bytes(1, key), value));
  }
}

/** The value, then its kind (`AttributeProto.AttributeType`). */
function writeAttribute(out: ProtobufWriter, value: OnnxAttribute): void {
  if ('float' in value) out.float(2, value.float).integer(20, 1);
  else if ('int' in value) out.integer(3, value.int).integer(20, 2);
  else if ('text' in value) out.bytes(4, value.text).integer(20, 3);
  else out.integers(8, value.ints).integer(20, 7);
}

function writeTensor(out: ProtobufWriter, name: string, { dtype, shape, bytes }: OnnxTensor): void {
  out.integers(1, shape).integer(2, DATA_TYPES[dtype]).bytes(8, name).bytes(9, bytes);
}

function writeValue(out: ProtobufWriter, { name, dtype, shape }: OnnxValue): void {
  out.bytes(1, name).message(2, (type) =>
    type.message(1, (tensor) =>
      tensor.integer(1, DATA_TYPES[dtype]).message(2, (dims) => {
        for (const size of shape) {
          dims.message(1, (dim) => (typeof size === 'number' ? dim.integer(1, size) : dim.bytes(2, size)));
        }
      }),
    ),
  );
}
