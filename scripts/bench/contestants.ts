import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Section } from './arguments.ts';
import type { Launch, Message } from './child.ts';

/** One way to run the network. */
export interface Contestant {
  readonly name: string;
  /** Where it takes part. */
  readonly sections: readonly Section[];
  readonly launch: Launch;
  /** What its process is told when it is opened. */
  readonly settings: Message;
}

const HERE = fileURLToPath(new URL('.', import.meta.url));
/** Processes run the sources with the flags that this one was started with. */
const PROJECT: Launch = {
  command: process.execPath,
  args: [...process.execArgv, join(HERE, 'worker.ts')],
};

/** The name of the contestant that the others are compared with. */
export const REFERENCE = 'compiled';

/** This project in all its ways. One that does not open on this machine is left out, with its reason. */
export const OWN: readonly Contestant[] = [
  own('compiled', ['inference', 'training', 'scaling'], { engine: 'native' }),
  own('compiled, bf16', ['inference'], { engine: 'native', precision: 'bf16' }),
  own('eager', ['inference', 'training'], { engine: 'native', eager: true }),
  own('onnx', ['inference'], { engine: 'onnx' }),
  own('wasm', ['inference'], { engine: 'wasm' }),
  own('one thread', ['pipeline'], { workers: 0 }),
  own('two worker threads', ['pipeline'], { workers: 2 }),
];

/** PyTorch, ONNX Runtime and Pillow, run by `python`. */
export function peerContestants(python: string): Contestant[] {
  const peer = (name: string, sections: readonly Section[], settings: Message): Contestant => ({
    name,
    sections,
    settings,
    launch: { command: python, args: [join(HERE, 'peers', 'worker.py')] },
  });
  return [
    peer('PyTorch', ['inference', 'training'], { kind: 'torch' }),
    peer('PyTorch, channels last', ['inference', 'training'], { kind: 'torch', channels_last: true }),
    peer('PyTorch, bfloat16', ['inference'], { kind: 'torch', bfloat16: true }),
    peer('ONNX Runtime', ['inference'], { kind: 'onnxruntime' }),
    peer('Pillow', ['pipeline'], { kind: 'pillow', processes: 1 }),
    peer('Pillow, two processes', ['pipeline'], { kind: 'pillow', processes: 2 }),
  ];
}

function own(name: string, sections: readonly Section[], settings: Message): Contestant {
  return { name, sections, settings, launch: PROJECT };
}
