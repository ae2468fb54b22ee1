import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { openEngine } from '../engine.ts';
import { SHAPE_RULES } from './shape-rules.ts';
import { trace } from './trace.ts';

type Example = (x: tf.Tensor4D) => readonly tf.Tensor[];

const SHAPE = [2, 6, 9, 4] as const;
const flat = (x: tf.Tensor) => tf.reshape(x, [12, 36]) as tf.Tensor2D;
/** The plain JavaScript engine takes height for width in the gradient of resizing. */
const square = (x: tf.Tensor4D) => tf.slice(x, 0, [2, 6, 6, 4]);
const filter = () => tf.zeros<tf.Rank.R4>([3, 2, 4, 5]);
const depthwise = () => tf.zeros<tf.Rank.R4>([3, 3, 4, 2]);
const gradientOf = (fn: (x: tf.Tensor4D) => tf.Tensor) => tf.grad((x) => fn(x as tf.Tensor4D));

/** Together they run every kernel that has a rule. */
const EXAMPLES: Readonly<Record<string, Example>> = {
  'one operand': (x) =>
    [
      ...[
        tf.abs,
        tf.ceil,
        tf.elu,
        tf.erf,
        tf.exp,
        tf.floor,
        tf.log,
        tf.log1p,
        tf.neg,
        tf.reciprocal,
        tf.relu,
      ],
      ...[
        tf.relu6,
        tf.round,
        tf.rsqrt,
        tf.sigmoid,
        tf.sign,
        tf.softplus,
        tf.sqrt,
        tf.square,
        tf.step,
        tf.tanh,
      ],
      ...[tf.clone, tf.onesLike, tf.zerosLike, (x: tf.Tensor) => tf.clipByValue(x, -1, 0.5)],
    ].map((op) => op(x) as tf.Tensor),
  'two operands, broadcast': (x) =>
    [
      ...[tf.add, tf.maximum, tf.minimum, tf.mul, tf.pow, tf.div, tf.squaredDifference, tf.sub, tf.mod],
      ...[tf.equal, tf.greater, tf.greaterEqual, tf.less, tf.lessEqual, tf.notEqual],
    ].flatMap((op) => [op(x, tf.ones([9, 1])) as tf.Tensor, op(tf.ones([3, 1, 1, 1, 4]), x) as tf.Tensor]),
  logic: (x) => {
    const is = tf.greater(x, 0);
    return [tf.logicalAnd(is, is), tf.logicalOr(is, is), tf.logicalNot(is), tf.where(is, x, tf.neg(x))];
  },
  reductions: (x) => [
    ...[tf.max, tf.mean, tf.min, tf.prod, tf.sum].flatMap((op) => [
      op(x) as tf.Tensor,
      op(x, [1, -1]) as tf.Tensor,
      op(x, 2, true) as tf.Tensor,
    ]),
    tf.softmax(x),
    tf.logSoftmax(x),
  ],
  'whole numbers': (x) => {
    const whole = tf.cast(x, 'int32');
    return [
      tf.add(whole, whole),
      tf.sum(whole),
      tf.neg(whole),
      tf.floorDiv(whole, whole),
      tf.cast(whole, 'bool'),
    ];
  },
  products: (x) => [
    tf.matMul(flat(x), flat(x), false, true),
    tf.matMul(flat(x), flat(x), true, false),
    tf.matMul(x, tf.zeros([1, 6, 4, 7])),
    tf.addN([x, x, x]),
  ],
  windows: (x) => [
    tf.conv2d(x, filter(), [2, 1], 'same'),
    tf.conv2d(x, filter(), 1, 'valid', 'NHWC', [2, 1]),
    tf.depthwiseConv2d(x, depthwise(), 2, 'valid'),
    tf.maxPool(x, [3, 2], 2, 'same'),
    tf.avgPool(x, 2, 1, 'valid'),
    tf.image.resizeBilinear(x, [5, 13]),
    tf.image.resizeNearestNeighbor(x, [12, 3]),
    tf.batchNorm(x, [0, 0, 0, 0], [1, 1, 1, 1]),
  ],
  gradients: (x) => [
    gradientOf((y) => tf.conv2d(y, filter(), 2, 'same'))(x),
    gradientOf((y) => tf.depthwiseConv2d(y, depthwise(), 1, 'valid'))(x),
    tf.grad((weights) => tf.conv2d(x, weights as tf.Tensor4D, 2, 'same'))(filter()),
    tf.grad((weights) => tf.depthwiseConv2d(x, weights as tf.Tensor4D, 1, 'same'))(depthwise()),
    gradientOf((y) => tf.maxPool(y, 2, 2, 'same'))(x),
    gradientOf((y) => tf.avgPool(y, 2, 2, 'same'))(x),
    gradientOf((y) => tf.image.resizeBilinear(square(y), [5, 13]))(x),
    gradientOf((y) => tf.image.resizeNearestNeighbor(square(y), [5, 13]))(x),
    gradientOf((y) => tf.gather(y, [1, 0, 2, 2], 2))(x),
  ],
  places: (x) => [
    ...tf.split(x, [2, 3, 4], 2),
    ...tf.split(x, 3, -2),
    ...tf.unstack(x, 1),
    ...tf.unstack(tf.zeros([1, 4])),
    tf.concat([x, tf.neg(x), x], -1),
    tf.stack([x, x, x], 2),
    tf.expandDims(x, -1),
    tf.expandDims(x, 1),
    tf.fill([2, 3], 7, 'int32'),
    tf.gather(x, tf.tensor2d([[1, 0, 2]], undefined, 'int32'), 1),
    tf.pad(x, [
      [0, 0],
      [1, 2],
      [0, 3],
      [0, 0],
    ]),
    tf.reshape(x, [-1, 3, 4]),
    tf.slice(x, [0, 1, 2, 0], [-1, 2, 3, -1]),
    tf.tile(x, [1, 2, 3, 1]),
    tf.transpose(x, [3, 0, 2, 1]),
    tf.unsortedSegmentSum(x, tf.tensor1d([0, 4], 'int32'), 5),
  ],
  'kernels without a rule': (x) => [
    tf.cumsum(x, 1),
    tf.range(0, 7, 2),
    ...Object.values(tf.topk(x, 3)),
    tf.argMax(x, 2),
  ],
};

const about = (tensors: readonly tf.Tensor[]) => tensors.map(({ shape, dtype }) => ({ shape, dtype }));

describe.each(['native', 'wasm', 'cpu'] as const)('shapes are those of the %s engine', (engine) => {
  let isThere = false;
  beforeAll(async () => {
    isThere = await openEngine({ engine, log: () => undefined }).then(
      () => true,
      () => false,
    );
  });

  it.for(Object.entries(EXAMPLES))('for %s', ([, example], { skip }) => {
    if (!isThere) skip(`no ${engine} engine here`);
    const x = tf.ones<tf.Rank.R4>([...SHAPE]);
    const before = tf.memory().numTensors;
    const { outputs, values } = trace(([input]) => example(input as tf.Tensor4D), [x]);
    expect(tf.memory().numTensors).toBe(before);
    expect(outputs.map((id) => values[id])).toEqual(tf.tidy(() => about(example(x))));
    x.dispose();
  });
});

/** Kernels that the detection package brings, whose graphs are tried out there. */
const BROUGHT = ['RoiAlign', 'RoiAlignGradient'];

it('has an example for every rule', () => {
  const seen = Object.values(EXAMPLES).flatMap((example) =>
    trace(([input]) => example(input as tf.Tensor4D), [{ shape: SHAPE, dtype: 'float32' }]).kernels.map(
      ({ name }) => name,
    ),
  );
  expect(Object.keys(SHAPE_RULES).filter((name) => !seen.includes(name))).toEqual(BROUGHT);
});

describe('a function that is followed', () => {
  it('computes nothing, whatever the sizes', () => {
    const x = tf.zeros([1, 1]);
    const { outputs, values } = trace(([input]) => tf.sum(tf.tile(input!, [1e6, 1e6]), 1), [x]);
    expect(values[outputs[0]!]!.shape).toEqual([1e6]);
    x.dispose();
  });

  it('may make variables, which keep their values', async () => {
    await openEngine({ engine: 'cpu' });
    let variable: tf.Variable | undefined;
    const x = tf.ones([2]);
    trace(
      ([input]) => {
        variable ??= tf.variable(tf.tensor1d([3, 4]));
        return tf.mul(input!, variable);
      },
      [x],
    );
    const product = tf.mul(x, variable!);
    expect([...(await product.data())]).toEqual([3, 4]);
    tf.dispose([x, variable!, product]);
  });
});
