import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { AsMlpError } from '@as-mlp/base';

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: string;
}

interface Question {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: AsMlpError) => void;
}

/** Places in the memory that both threads see. */
const [BUSY, STOP] = [0, 1];

const running = new Set<SessionThread>();

/** The thread that holds a session of ONNX Runtime. It keeps the process alive only while it has to answer. */
export class SessionThread {
  private readonly worker: Worker;
  private readonly flags = new Int32Array(new SharedArrayBuffer(8));
  private readonly open = new Map<number, Question>();
  private asked = 0;
  private closing: Promise<void> | undefined;

  constructor(model: Uint8Array, threads: number) {
    const file = fileURLToPath(new URL('../../native/onnx-worker.cjs', import.meta.url));
    this.worker = new Worker(file, { workerData: { model, threads, flags: this.flags }, execArgv: [] });
    this.worker.on('message', (answer: Answer) => this.settle(answer));
    this.worker.on('error', (error) => this.failAll(error.message));
    this.worker.on('exit', () => {
      this.failAll('its thread has ended');
      running.delete(this);
      if (running.size === 0) process.off('exit', waitForAll);
    });
    if (running.size === 0) process.on('exit', waitForAll);
    running.add(this);
  }

  /** Questions are answered in order. */
  ask(task: 'open' | 'run', argument?: unknown): Promise<unknown> {
    return this.closing ? Promise.reject(failure('the session is disposed')) : this.post(task, argument);
  }

  /** Ends after what was asked before. */
  close(): Promise<void> {
    this.closing ??= this.post('close').then(
      () => this.end(),
      () => this.end(),
    );
    return this.closing;
  }

  /** Ends now; the thread must have nothing to do. */
  async end(): Promise<void> {
    await this.worker.terminate();
  }

  /** Lets the process wait for what the thread is computing, and the thread begin nothing more. */
  stop(): void {
    Atomics.store(this.flags, STOP, 1);
    Atomics.wait(this.flags, BUSY, 1);
  }

  private post(task: string, argument?: unknown): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const id = this.asked++;
      this.worker.postMessage({ id, task, argument });
      this.open.set(id, { resolve, reject });
      this.worker.ref();
    });
  }

  private settle({ id, result, error }: Answer): void {
    const question = this.open.get(id);
    this.open.delete(id);
    if (this.open.size === 0) this.worker.unref();
    if (error === undefined) question?.resolve(result);
    else question?.reject(failure(error));
  }

  private failAll(why: string): void {
    for (const { reject } of this.open.values()) reject(failure(why));
    this.open.clear();
  }
}

/** A thread that is ended inside ONNX Runtime aborts the process. */
function waitForAll(): void {
  for (const thread of running) thread.stop();
}

function failure(why: string): AsMlpError {
  return new AsMlpError('engine', {
    what: `ONNX Runtime did not run the model (${why.trim().replace(/\.$/, '')})`,
    fix: 'Check the names, types and shapes of the inputs, and the file',
  });
}
