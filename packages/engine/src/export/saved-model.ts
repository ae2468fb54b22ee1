import { encodeGraphDef, type GraphNode, type GraphNodeDtype } from '../graph-def.ts';
import { ProtobufWriter } from '../protobuf.ts';
import { TENSORFLOW_VERSION } from '../versions.ts';

/** One input or output of a signature. */
export interface SignatureTensor {
  /** The name by which a caller knows it. */
  readonly name: string;
  /** The node that holds it. */
  readonly node: string;
  readonly dtype: Extract<GraphNodeDtype, 'float32' | 'int32'>;
  /** −1 for a size that is open. */
  readonly shape: readonly number[];
}

/** What `serving_default` takes and gives. */
export interface Signature {
  readonly inputs: readonly SignatureTensor[];
  readonly outputs: readonly SignatureTensor[];
}

const DTYPES = { float32: 1, int32: 3 } as const;

/**
 * The bytes of a `saved_model.pb` (saved_model.proto): one graph with its weights as constants, tag `serve`, signature
 * `serving_default`. It needs no other file.
 */
export function encodeSavedModel(nodes: readonly GraphNode[], signature: Signature): Uint8Array {
  const saved = new ProtobufWriter();
  saved.integer(1, 1);
  saved.message(2, (graph) => {
    graph.message(1, (about) => about.bytes(4, 'serve').bytes(5, TENSORFLOW_VERSION));
    graph.bytes(2, encodeGraphDef(nodes));
    graph.message(5, (entry) => {
      entry.bytes(1, 'serving_default');
      entry.message(2, (value) => writeSignature(value, signature));
    });
  });
  return saved.finish();
}

function writeSignature(out: ProtobufWriter, { inputs, outputs }: Signature): void {
  for (const [field, tensors] of [
    [1, inputs],
    [2, outputs],
  ] as const) {
    for (const { name, node, dtype, shape } of tensors) {
      out.message(field, (entry) => {
        entry.bytes(1, name);
        entry.message(2, (info) => {
          info.bytes(1, `${node}:0`).integer(2, DTYPES[dtype]);
          info.message(3, (dims) => {
            for (const size of shape) dims.message(2, (dim) => dim.integer(1, size));
          });
        });
      });
    }
  }
  out.bytes(3, 'tensorflow/serving/predict');
}
