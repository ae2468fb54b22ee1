'use strict';
// Plain JavaScript: it runs in a thread of its own, from the sources and from the build alike.
// ONNX Runtime's own `run` computes on the thread that calls it.

const { parentPort, workerData } = require('node:worker_threads');
const ort = require('onnxruntime-node');

const { model, threads, flags } = workerData;
const [BUSY, STOP] = [0, 1];
let session;

async function open() {
  const options = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    // Threads that wait for each other busily win a twentieth on idle cores, and lose half the speed where others
    // need the cores too, such as those that read images.
    extra: { session: { intra_op: { allow_spinning: '0' } } },
    // Its warnings are about shapes that are open on purpose.
    logSeverityLevel: 3,
  };
  session = await ort.InferenceSession.create(model, options);
  return { inputs: [...session.inputNames], outputs: [...session.outputNames] };
}

/** `{ name: { dtype, shape, data } }` → the same of the outputs. */
async function run(feeds) {
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
  await session.release();
}

const tasks = { open, run, close };

async function answer({ id, task, argument }) {
  // A process that ends sets STOP and waits for BUSY: a thread that is ended inside ONNX Runtime aborts the process.
  Atomics.store(flags, BUSY, 1);
  try {
    if (Atomics.load(flags, STOP)) return;
    const result = await tasks[task](argument);
    const buffers = task === 'run' ? Object.values(result).map(({ data }) => data.buffer) : [];
    parentPort.postMessage({ id, result }, buffers);
  } catch (error) {
    parentPort.postMessage({ id, error: error instanceof Error ? error.message : String(error) });
  } finally {
    Atomics.store(flags, BUSY, 0);
    Atomics.notify(flags, BUSY);
  }
}

let last = Promise.resolve();
parentPort.on('message', (message) => {
  last = last.then(() => answer(message));
});
