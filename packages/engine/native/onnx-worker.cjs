'use strict';
// Plain JavaScript: it runs in a thread of its own, from the sources and from the build alike.
// ONNX Runtime's own `run` computes on the thread that calls it.

const { parentPort, workerData } = require('node:worker_threads');
const ort = require('onnxruntime-node');

const { model, threads } = workerData;
const options = { intraOpNumThreads: threads, executionProviders: ['cpu'], logSeverityLevel: 3 };
const opening = ort.InferenceSession.create(model, options);

/** `{ name: { dtype, shape, data } }` → the same of the outputs. */
async function run(feeds) {
  const session = await opening;
  const tensors = Object.entries(feeds).map(([name, { dtype, shape, data }]) => [
    name,
    new ort.Tensor(dtype, data, shape),
  ]);
  const outputs = await session.run(Object.fromEntries(tensors));
  const results = Object.entries(outputs).map(([name, tensor]) => {
    // A copy that belongs to JavaScript alone can be handed over to another thread.
    const result = { dtype: tensor.type, shape: [...tensor.dims], data: tensor.data.slice() };
    tensor.dispose();
    return [name, result];
  });
  return Object.fromEntries(results);
}

async function close() {
  const session = await opening;
  await session.release();
}

async function open() {
  const session = await opening;
  return { inputs: [...session.inputNames], outputs: [...session.outputNames] };
}

const answers = { run, close, open };

parentPort.on('message', async ({ id, task, argument }) => {
  try {
    const result = await answers[task](argument);
    const buffers = task === 'run' ? Object.values(result).map(({ data }) => data.buffer) : [];
    parentPort.postMessage({ id, result }, buffers);
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  }
});
