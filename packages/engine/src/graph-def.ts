import { AsMlpError } from '@as-mlp/base';
import { ProtobufWriter } from './protobuf.ts';

/** The typed arrays that hold the elements of each dtype; a bool is a byte, 0 or 1. */
export interface GraphArrays {
  readonly float32: Float32Array;
  readonly int32: Int32Array;
  readonly bool: Uint8Array;
  readonly uint8: Uint8Array;
  readonly int64: BigInt64Array;
}

/** The dtypes of tensors that go into a graph and come out of it. */
export type GraphDtype = keyof GraphArrays;

/** A dense tensor in row-major order. */
export type GraphTensor = {
  [D in GraphDtype]: {
    readonly dtype: D;
    readonly shape: readonly number[];
    readonly data: GraphArrays[D];
  };
}[GraphDtype];

/** The dtypes that a node can be told of: also those that stay inside the graph. */
export type GraphNodeDtype = GraphDtype | 'bfloat16' | 'float16' | 'float64' | 'string' | 'resource';

/** How many elements a tensor has, without looking at them. */
export function elementsOf({ shape }: Pick<GraphTensor, 'shape'>): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** The value of an attribute, under its kind. A shape has -1 where a size, and no list where all, is unknown. */
export type GraphAttribute =
  | { readonly type: GraphNodeDtype }
  | { readonly types: readonly GraphNodeDtype[] }
  | { readonly shape: readonly number[] | undefined }
  | { readonly int: number }
  | { readonly ints: readonly number[] }
  | { readonly float: number }
  | { readonly bool: boolean }
  | { readonly string: string }
  | { readonly strings: readonly string[] }
  | { readonly tensor: GraphTensor };

/** One operation of TensorFlow in a graph. */
export interface GraphNode {
  /** Unique in the graph. */
  readonly name: string;
  /** The operation as TensorFlow names it: `MatMul`. */
  readonly op: string;
  /** `node` for its first output, `node:1` for its second; `^node` only waits for a node and comes last. */
  readonly inputs?: readonly string[];
  /** Those with a default may be left out. */
  readonly attributes?: Readonly<Record<string, GraphAttribute>>;
}

/** `DataType` of TensorFlow's types.proto. */
const DATA_TYPES: Readonly<Record<GraphNodeDtype, number>> = {
  float32: 1,
  float64: 2,
  int32: 3,
  uint8: 4,
  string: 7,
  int64: 9,
  bool: 10,
  bfloat16: 14,
  float16: 19,
  resource: 20,
};

/** Operations behave as of this version of the format; the oldest that TensorFlow 2.21 reads is lower. */
const PRODUCER = 2000;

/** No protocol buffer is larger. */
const MAX_BYTES = 2 ** 31 - 1;

/**
 * The bytes of a `GraphDef` (graph.proto). The data of constants is copied once.
 *
 * @throws AsMlpError `engine` for more than 2 GB.
 */
export function encodeGraphDef(nodes: readonly GraphNode[]): Uint8Array {
  const graph = new ProtobufWriter();
  for (const node of nodes) graph.message(1, (inner) => writeNode(inner, node));
  graph.message(4, (versions) => versions.integer(1, PRODUCER));
  if (graph.size > MAX_BYTES) {
    throw new AsMlpError('engine', {
      what: `a graph of ${(graph.size / 1e9).toFixed(1)} GB is too large for TensorFlow, which takes 2 GB`,
      fix: 'Keep large tensors in variables and feed them',
    });
  }
  return graph.finish();
}

function writeNode(out: ProtobufWriter, node: GraphNode): void {
  out.bytes(1, node.name).bytes(2, node.op);
  for (const input of node.inputs ?? []) out.bytes(3, input);
  for (const [name, value] of Object.entries(node.attributes ?? {})) {
    out.message(5, (entry) => entry.bytes(1, name).message(2, (inner) => writeAttribute(inner, value)));
  }
}

function writeAttribute(out: ProtobufWriter, value: GraphAttribute): void {
  if ('type' in value) out.integer(6, DATA_TYPES[value.type]);
  else if ('shape' in value) out.message(7, (shape) => writeShape(shape, value.shape));
  else if ('int' in value) out.integer(3, value.int);
  else if ('float' in value) out.float(4, value.float);
  else if ('bool' in value) out.integer(5, Number(value.bool));
  else if ('string' in value) out.bytes(2, value.string);
  else if ('tensor' in value) out.message(8, (tensor) => writeTensor(tensor, value.tensor));
  else out.message(1, (list) => writeList(list, value));
}

type ListAttribute = Extract<GraphAttribute, { types: unknown } | { ints: unknown } | { strings: unknown }>;

function writeList(out: ProtobufWriter, value: ListAttribute): void {
  if ('ints' in value) out.integers(3, value.ints);
  else if ('types' in value)
    out.integers(
      6,
      value.types.map((type) => DATA_TYPES[type]),
    );
  else for (const text of value.strings) out.bytes(2, text);
}

function writeShape(out: ProtobufWriter, shape: readonly number[] | undefined): void {
  if (!shape) out.integer(3, 1);
  for (const size of shape ?? []) out.message(2, (dimension) => dimension.integer(1, size));
}

function writeTensor(out: ProtobufWriter, { dtype, shape, data }: GraphTensor): void {
  out.integer(1, DATA_TYPES[dtype]).message(2, (inner) => writeShape(inner, shape));
  out.bytes(4, new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}
