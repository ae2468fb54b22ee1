'use strict';
// node self-check.cjs <addon> <graph runtime>: multiplies, differentiates, runs a graph, prints a line of JSON.

const tf = require('@tensorflow/tfjs-core');
const { loadNative } = require('./load.cjs');

const { binding, backend } = loadNative(process.argv[2]);
tf.registerBackend('tensorflow', () => backend);
if (!tf.setBackend('tensorflow')) throw new Error('the backend did not start');

const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
const b = tf.tensor2d([7, 8, 9, 10, 11, 12], [3, 2]);
expect(tf.matMul(a, b).dataSync(), [58, 64, 139, 154]);
const slope = tf.grad((x) => tf.matMul(x, b).sum())(a);
expect(slope.dataSync(), [15, 19, 23, 15, 19, 23]);

// A GraphDef: x = Placeholder(float32), y = AddV2(x, x).
const DOUBLING = 'Ch0KAXgSC1BsYWNlaG9sZGVyKgsKBWR0eXBlEgIwAQoZCgF5EgVBZGRWMhoBeBoBeCoHCgFUEgIwASIDCNAP';
const { GraphSession } = require(process.argv[3]);
const session = new GraphSession(Buffer.from(DOUBLING, 'base64'), new Uint8Array(0));
const x = { name: 'x', dtype: 'float32', shape: [2], data: new Float32Array([1, 2]) };
session.run([x], ['y'], []).then(([y]) => {
  expect(y.data, [2, 4]);
  const device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
  process.stdout.write(`${JSON.stringify({ tensorflow: binding.TF_Version, device })}\n`);
});

function expect(values, wanted) {
  const got = Array.from(values);
  if (got.join() !== wanted.join()) throw new Error(`computed [${got}] for [${wanted}]`);
}
