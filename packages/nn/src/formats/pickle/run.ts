import { OutOfBytes } from './cursor.ts';
import { Machine, type PickleHost } from './machine.ts';
import { OPCODES, STOP } from './opcodes.ts';
import type { PickleValue } from './values.ts';

/** A pickle's value and how many bytes it took. */
export interface PickleResult {
  readonly value: PickleValue;
  readonly length: number;
}

/**
 * Reads one pickle (protocols 0 to 5, as PyTorch writes them) without running anything: names stay names,
 * unknown classes become inert data, and the host decides on the few things that tensors are made of.
 *
 * @returns undefined when the bytes end before the pickle does.
 * @throws AsMlpError `weights` for anything that is no proper pickle or asks for program code.
 */
export function runPickle(bytes: Uint8Array, host: PickleHost): PickleResult | undefined {
  const machine = new Machine(bytes, host);
  try {
    for (;;) {
      const code = machine.input.u8();
      if (code === STOP) return { value: machine.finish(), length: machine.input.at };
      const run = OPCODES[code];
      if (!run) throw machine.fail(`has the byte 0x${code.toString(16)} where an instruction must be`);
      run(machine);
    }
  } catch (error) {
    if (error instanceof OutOfBytes) return undefined;
    throw error;
  }
}
