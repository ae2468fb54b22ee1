import * as tf from '@tensorflow/tfjs-core';

interface OpAttribute {
  readonly name: string;
  readonly type: number;
  readonly value: number | boolean | string | readonly number[];
}

/** What the native backend offers beyond the kernels of tfjs-core. */
interface NativeBackend {
  readonly binding: {
    readonly TF_ATTR_TYPE: number;
    readonly TF_ATTR_BOOL: number;
    readonly TF_ATTR_SHAPE: number;
    readonly TF_ATTR_STRING: number;
    readonly TF_FLOAT: number;
  };
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.Tensor[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: tf.Tensor[],
    outputs: number,
  ): tf.Tensor[];
}

/** TensorFlow ops on float32 that work in place, or in one pass, where tfjs-core needs a dozen passes. */
export interface RawOps {
  /** A nameless in-place variable. Freed when the returned handle is disposed. */
  createVariable(shape: readonly number[]): tf.Tensor;
  assignVariable(handle: tf.Tensor, value: tf.Tensor): void;
  /** The variable's values; shares memory until the variable changes. */
  readVariable(handle: tf.Tensor): tf.Tensor;
  /** `ResourceApplyAdam`: variable, m, v, β1ᵗ, β2ᵗ, lr, β1, β2, ε, gradient. */
  applyAdam(inputs: tf.Tensor[]): void;
  /** Σ x² / 2. */
  halfSquaredNorm(x: tf.Tensor): tf.Scalar;
}

/** The shared name by which TensorFlow knows a variable without a name. */
const ANONYMOUS = 'cd2c89b7-88b7-44c8-ad83-06c2a9158347';

/** TensorFlow's own ops when the current backend runs them, else undefined. Names no package: the backend is asked. */
export function rawOps(): RawOps | undefined {
  const backend: unknown = tf.backend();
  if (!isNative(backend)) return undefined;
  const { binding } = backend;
  const dtype = [{ name: 'dtype', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  const type = [{ name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT }];
  const adam = [
    ...type,
    { name: 'use_locking', type: binding.TF_ATTR_BOOL, value: false },
    { name: 'use_nesterov', type: binding.TF_ATTR_BOOL, value: false },
  ];
  return {
    createVariable: (shape) =>
      backend.executeSingleOutput(
        'VarHandleOp',
        [
          ...dtype,
          { name: 'shape', type: binding.TF_ATTR_SHAPE, value: shape },
          { name: 'shared_name', type: binding.TF_ATTR_STRING, value: ANONYMOUS },
          { name: 'container', type: binding.TF_ATTR_STRING, value: '' },
        ],
        [],
      ),
    assignVariable: (handle, value) => {
      backend.executeMultipleOutputs('AssignVariableOp', dtype, [handle, value], 0);
    },
    readVariable: (handle) => backend.executeSingleOutput('ReadVariableOp', dtype, [handle]),
    applyAdam: (inputs) => {
      backend.executeMultipleOutputs('ResourceApplyAdam', adam, inputs, 0);
    },
    halfSquaredNorm: (x) => backend.executeSingleOutput('L2Loss', type, [x]) as tf.Scalar,
  };
}

function isNative(backend: unknown): backend is NativeBackend {
  return (
    typeof backend === 'object' &&
    backend !== null &&
    'binding' in backend &&
    'executeSingleOutput' in backend &&
    typeof backend.executeSingleOutput === 'function' &&
    'executeMultipleOutputs' in backend &&
    typeof backend.executeMultipleOutputs === 'function'
  );
}
