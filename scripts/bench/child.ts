import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A request to a child, or its answer: one line of JSON. */
export type Message = Readonly<Record<string, unknown>>;

/** How a process is started. */
export interface Launch {
  readonly command: string;
  readonly args: readonly string[];
}

interface Waiting {
  readonly resolve: (answer: Message) => void;
  readonly reject: (error: Error) => void;
}

/** How much of what a process complained about is kept for an error. */
const KEPT = 2000;
/** Milliseconds that a process may take to end. */
const PATIENCE = 5000;

/** A process that answers requests, one line of JSON each, until it is closed. */
export class Child {
  readonly pid: number;
  private readonly process: ChildProcess;
  private readonly ended: Promise<void>;
  private complaints = '';
  private waiting: Waiting | undefined;

  constructor({ command, args }: Launch) {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.process = child;
    this.pid = child.pid ?? 0;
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.complaints = (this.complaints + text).slice(-KEPT);
    });
    createInterface({ input: child.stdout }).on('line', (line) => this.receive(line));
    // A process that ended does not read on; what it was asked fails below.
    child.stdin.on('error', () => undefined);
    this.ended = new Promise((resolve) => {
      const end = (reason: string) => {
        this.waiting?.reject(new Error(`${reason}\n${this.complaints}`.trim()));
        this.waiting = undefined;
        resolve();
      };
      child.on('error', (error) => end(error.message));
      child.on('close', (code, signal) => end(`the process ended with ${signal ?? code}`));
    });
  }

  /** Sends a request and waits for the answer. One at a time. */
  ask(request: Message): Promise<Message> {
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
      this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    });
  }

  /** Lets the process end, with whatever it started itself, and waits for that. */
  async close(): Promise<void> {
    this.process.stdin!.end();
    const limit = setTimeout(() => this.process.kill('SIGKILL'), PATIENCE);
    await this.ended;
    clearTimeout(limit);
  }

  private receive(line: string): void {
    const { waiting } = this;
    // Libraries may write to standard output as well.
    if (!waiting || !line.startsWith('{"answer":')) return;
    this.waiting = undefined;
    const { answer } = JSON.parse(line) as { answer: Message };
    if (typeof answer.error === 'string') waiting.reject(new Error(answer.error));
    else waiting.resolve(answer);
  }
}
