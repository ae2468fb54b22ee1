'use strict';
// node self-check.cjs <addon>: multiplies, differentiates, and prints one line of JSON.

const tf = require('@tensorflow/tfjs-core');
const { loadNative } = require('./load.cjs');

const { binding, backend } = loadNative(process.argv[2]);
tf.registerBackend('tensorflow', () => backend);
if (!tf.setBackend('tensorflow')) throw new Error('the backend did not start');

const a = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
const b = tf.tensor2d([7, 8, 9, 10, 11, 12], [3, 2]);
expect(tf.matMul(a, b), [58, 64, 139, 154]);
expect(tf.grad((x) => tf.matMul(x, b).sum())(a), [15, 19, 23, 15, 19, 23]);

const device = backend.isUsingGpuDevice ? 'gpu' : 'cpu';
process.stdout.write(`${JSON.stringify({ tensorflow: binding.TF_Version, device })}\n`);

function expect(tensor, wanted) {
  const got = Array.from(tensor.dataSync());
  if (got.join() !== wanted.join()) throw new Error(`computed [${got}] for [${wanted}]`);
}
