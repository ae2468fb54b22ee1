import * as tf from '@tensorflow/tfjs-core';

/** What is known of a tensor without its values. */
export interface TensorShape {
  readonly shape: number[];
  readonly dtype: tf.DataType;
}

/** The inputs of one kernel by their keys, and its attributes. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, TensorShape>>;
  readonly attrs: Readonly<Record<string, unknown>>;
}

/** What a kernel gives, a tensor or a list; undefined for a call that the rule does not cover. */
export type ShapeRule = (call: KernelCall) => TensorShape | readonly TensorShape[] | undefined;

const { assertAndGetBroadcastShape, computeConv2DInfo, computePool2DInfo } = tf.backend_util;

const give = (shape: readonly number[], dtype: tf.DataType): TensorShape => ({ shape: [...shape], dtype });

/** The shape and type of one input. */
const like =
  (key: string): ShapeRule =>
  ({ inputs }) =>
    give(inputs[key]!.shape, inputs[key]!.dtype);

/** The shape that an attribute holds, and the type of one input. */
const asked =
  (attribute: string, key: string): ShapeRule =>
  ({ inputs, attrs }) =>
    give(attrs[attribute] as number[], inputs[key]!.dtype);

/** Engines differ in the type that other functions of whole numbers give. */
const float: ShapeRule = (call) => (call.inputs.x!.dtype === 'float32' ? like('x')(call) : undefined);

const broadcast =
  (...dtypes: readonly tf.DataType[]): ShapeRule =>
  ({ inputs: { a, b } }) =>
    a!.dtype === b!.dtype && dtypes.includes(a!.dtype)
      ? give(assertAndGetBroadcastShape(a!.shape, b!.shape), a!.dtype)
      : undefined;

const comparison: ShapeRule = ({ inputs: { a, b } }) =>
  give(assertAndGetBroadcastShape(a!.shape, b!.shape), 'bool');

const reduction: ShapeRule = ({ inputs: { x }, attrs }) => {
  if (x!.dtype !== 'float32') return undefined;
  const axes = tf.util.parseAxisParam((attrs.axis ?? attrs.reductionIndices) as number[], x!.shape);
  const [shape] = tf.backend_util.computeOutAndReduceShapes(x!.shape, axes);
  return give(attrs.keepDims ? tf.backend_util.expandShapeToKeepDim(shape, axes) : shape, 'float32');
};

const convolution =
  (depthwise: boolean): ShapeRule =>
  ({ inputs: { x, filter }, attrs }) => {
    const { strides, pad, dilations, dimRoundingMode } = attrs as unknown as tf.Conv2DAttrs;
    const four = (shape: number[]) => shape as [number, number, number, number];
    const { outShape } = computeConv2DInfo(
      four(x!.shape),
      four(filter!.shape),
      strides,
      dilations,
      pad,
      dimRoundingMode,
      depthwise,
    );
    return give(outShape, x!.dtype);
  };

const pooling: ShapeRule = ({ inputs: { x }, attrs }) => {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as tf.MaxPoolAttrs;
  const shape = x!.shape as [number, number, number, number];
  return give(computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode).outShape, x!.dtype);
};

const resizing: ShapeRule = ({ inputs: { images }, attrs }) => {
  const [batch, , , channels] = images!.shape;
  return images!.dtype === 'float32'
    ? give([batch!, ...(attrs.size as number[]), channels!], 'float32')
    : undefined;
};

const matrixProduct: ShapeRule = ({ inputs: { a, b }, attrs }) => {
  const rows = a!.shape.at(attrs.transposeA ? -1 : -2)!;
  const columns = b!.shape.at(attrs.transposeB ? -2 : -1)!;
  const batch = assertAndGetBroadcastShape(a!.shape.slice(0, -2), b!.shape.slice(0, -2));
  return give([...batch, rows, columns], a!.dtype);
};

const all = (names: readonly string[], rule: ShapeRule) =>
  Object.fromEntries(names.map((name) => [name, rule]));

/** What kernels of tfjs-core give, as far as it follows from the shapes of their inputs alone. */
export const SHAPE_RULES: Readonly<Record<string, ShapeRule>> = {
  ...all(
    ['Abs', 'Ceil', 'ClipByValue', 'Elu', 'Erf', 'Exp', 'Floor', 'Log', 'Log1p', 'Neg', 'Reciprocal', 'Relu'],
    float,
  ),
  ...all(['Relu6', 'Round', 'Rsqrt', 'Sigmoid', 'Sign', 'Softplus', 'Sqrt', 'Square', 'Step', 'Tanh'], float),
  ...all(['Add', 'Maximum', 'Minimum', 'Mod', 'Multiply', 'Sub'], broadcast('float32', 'int32')),
  ...all(['Pow', 'RealDiv', 'SquaredDifference'], broadcast('float32')),
  ...all(['Equal', 'Greater', 'GreaterEqual', 'Less', 'LessEqual', 'NotEqual'], comparison),
  ...all(['LogicalAnd', 'LogicalOr'], comparison),
  ...all(['Max', 'Mean', 'Min', 'Prod', 'Sum'], reduction),
  ...all(['Identity', 'LogicalNot', 'OnesLike', 'ZerosLike', 'FusedBatchNorm'], like('x')),
  ...all(['AvgPool', 'MaxPool'], pooling),
  ...all(['AvgPoolGrad', 'MaxPoolGrad'], ({ inputs: { input, dy } }) => give(input!.shape, dy!.dtype)),
  ...all(['Conv2DBackpropFilter', 'DepthwiseConv2dNativeBackpropFilter'], asked('filterShape', 'dy')),
  ...all(['Conv2DBackpropInput', 'DepthwiseConv2dNativeBackpropInput'], asked('inputShape', 'dy')),
  ...all(['ResizeBilinear', 'ResizeNearestNeighbor'], resizing),
  ...all(['ResizeBilinearGrad', 'ResizeNearestNeighborGrad'], like('images')),
  AddN: like('0'),
  BatchMatMul: matrixProduct,
  Cast: ({ inputs: { x }, attrs }) => give(x!.shape, attrs.dtype as tf.DataType),
  Concat: ({ inputs, attrs }) => {
    const shapes = Object.values(inputs).map(({ shape }) => shape);
    const [axis] = tf.util.parseAxisParam(attrs.axis as number, shapes[0]!);
    return give(tf.backend_util.computeOutShape(shapes, axis!), inputs[0]!.dtype);
  },
  Conv2D: convolution(false),
  DepthwiseConv2dNative: convolution(true),
  ExpandDims: ({ inputs: { input }, attrs }) => {
    const shape = [...input!.shape];
    const dim = attrs.dim as number;
    shape.splice(dim < 0 ? shape.length + 1 + dim : dim, 0, 1);
    return give(shape, input!.dtype);
  },
  FloorDiv: broadcast('int32'),
  Fill: ({ attrs }) => give(attrs.shape as number[], attrs.dtype as tf.DataType),
  GatherV2: ({ inputs: { x, indices }, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis as number, x!.shape);
    const batchDims = (attrs.batchDims as number | undefined) ?? 0;
    if (batchDims !== 0) return undefined;
    return give([...x!.shape.slice(0, axis), ...indices!.shape, ...x!.shape.slice(axis! + 1)], x!.dtype);
  },
  Pack: ({ inputs, attrs }) => {
    const { shape, dtype } = inputs[0]!;
    const axis = attrs.axis as number;
    const count = Object.keys(inputs).length;
    return axis < 0 ? undefined : give([...shape.slice(0, axis), count, ...shape.slice(axis)], dtype);
  },
  PadV2: ({ inputs: { x }, attrs }) => {
    const paddings = attrs.paddings as readonly (readonly [number, number])[];
    return give(
      paddings.map(([before, after], axis) => before + x!.shape[axis]! + after),
      x!.dtype,
    );
  },
  RoiAlign: ({ inputs: { rois, 0: map }, attrs }) => {
    const size = attrs.size as number;
    return give([rois!.shape[0]!, size, size, map!.shape[3]!], 'float32');
  },
  RoiAlignGradient: ({ inputs: { rois: _, dy: __, ...maps } }) =>
    Object.values(maps).map(({ shape }) => give(shape, 'float32')),
  Reshape: ({ inputs: { x }, attrs }) =>
    give(tf.util.inferFromImplicitShape(attrs.shape as number[], tf.util.sizeFromShape(x!.shape)), x!.dtype),
  Select: ({ inputs: { t, e } }) => (t!.dtype === e!.dtype ? give(t!.shape, t!.dtype) : undefined),
  Slice: ({ inputs: { x }, attrs }) => {
    const size = attrs.size as number | number[];
    const begin = attrs.begin as number | number[];
    const [, sizes] = tf.slice_util.parseSliceParams({ ...x!, dataId: {} }, begin, size);
    return give(sizes!, x!.dtype);
  },
  Softmax: like('logits'),
  SplitV: ({ inputs: { x }, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis as number, x!.shape);
    const sizes = tf.backend_util.prepareSplitSize(
      { ...x!, dataId: {} },
      attrs.numOrSizeSplits as number[] | number,
      axis,
    );
    return sizes.map((size) => give(x!.shape.toSpliced(axis!, 1, size), x!.dtype));
  },
  Tile: ({ inputs: { x }, attrs }) => {
    const reps = attrs.reps as number[];
    return give(
      x!.shape.map((size, axis) => size * reps[axis]!),
      x!.dtype,
    );
  },
  Transpose: ({ inputs: { x }, attrs }) =>
    give(
      (attrs.perm as number[]).map((axis) => x!.shape[axis]!),
      x!.dtype,
    ),
  Unpack: ({ inputs: { value }, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs.axis as number, value!.shape);
    const shape = value!.shape.toSpliced(axis!, 1);
    return Array.from({ length: value!.shape[axis!]! }, () => ({ shape: [...shape], dtype: value!.dtype }));
  },
  UnsortedSegmentSum: ({ inputs: { x, segmentIds }, attrs }) =>
    give([attrs.numSegments as number, ...x!.shape.slice(segmentIds!.shape.length)], x!.dtype),
};
