import { parseArgs } from 'node:util';
import { AsMlpError } from '@as-mlp/base';
import { cacheRoot } from './cache.ts';
import { type Prepared, prepareEngine } from './install.ts';

const USAGE = `Prepares the engine that runs tensors.

  --engine native|onnx|wasm|cpu   only this one; native then fails where it cannot be had
  --cuda                     the CUDA build of TensorFlow (Linux x86_64, NVIDIA driver)
  --force                    fetch and compile anew
  --quiet                    print only what went wrong
`;

/** Exits as a shell would: 0 ready (or a fallback announced), 1 the forced engine failed, 2 wrong usage. */
async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === undefined) return 2;
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const say = (line: string) => process.stderr.write(`engine: ${line}\n`);
  const log = options.quiet ? () => undefined : say;
  try {
    const prepared = await prepareEngine({ ...options, log });
    if (prepared.engine === 'native' || !prepared.notice) log(summary(prepared));
    if (prepared.notice) say(prepared.notice);
    return 0;
  } catch (error) {
    if (!(error instanceof AsMlpError)) throw error;
    say(error.message);
    return error.kind === 'usage' ? 2 : 1;
  }
}

function readOptions(args: readonly string[]) {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        engine: { type: 'string' },
        cuda: { type: 'boolean' },
        force: { type: 'boolean' },
        quiet: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    return values;
  } catch (error) {
    process.stderr.write(`engine: ${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    return undefined;
  }
}

function summary(prepared: Prepared): string {
  if (prepared.engine !== 'native') return `${prepared.engine}, as asked; nothing to prepare`;
  const state = prepared.changed ? 'ready' : 'ready (nothing to do)';
  return `TensorFlow ${prepared.tensorflow} ${state}, in ${cacheRoot(process.env)}`;
}

// A handler makes an interrupt an ordinary exit, which sweeps the half-made folder and the lock away.
for (const [signal, number] of [
  ['SIGINT', 2],
  ['SIGTERM', 15],
  ['SIGHUP', 1],
] as const) {
  process.once(signal, () => process.exit(128 + number));
}

process.exitCode = await main(process.argv.slice(2));
