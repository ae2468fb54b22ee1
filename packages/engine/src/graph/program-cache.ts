import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { writeFileAtomic } from '@as-mlp/base/node';
import { cacheRoot, GRAPHS } from '../cache.ts';
import { projectVersion } from '../versions.ts';
import type { Program, ProgramConstant } from './program.ts';
import type { Capture, Trace, ValueId } from './trace.ts';

/** A constant in a file: those that were captured by their place, without values. */
type StoredConstant =
  | { readonly kind: 'captured'; readonly id: ValueId; readonly capture: number }
  | Extract<ProgramConstant, { readonly kind: 'fill' | 'size' }>;

/** Files that are kept, the newest. */
const MOST_FILES = 32;
const DIGEST_BYTES = 32;
const note = debuglog('as-mlp');

/**
 * What `make` makes of these recordings, from the file that an earlier process wrote where there is one. The name of
 * the file is a digest of everything that `make` can depend on: the recordings – kernels, attributes, sizes, wiring,
 * constants; of variables which, not what they hold –, `about`, and the code. Weights are never written: they are put in by
 * their place in the recording. A file that is damaged or cannot be written costs only the time (`NODE_DEBUG=as-mlp`
 * tells).
 *
 * @param about what else `make` depends on.
 * @param make may not look at the values of variables.
 */
export async function cachedProgram(
  traces: readonly Trace[],
  about: unknown,
  make: () => Program,
): Promise<Program> {
  const { captures } = traces[0]!;
  const folder = join(cacheRoot(process.env), GRAPHS);
  const key = fingerprint(traces, about);
  const path = join(folder, key);
  const found = await readFile(path).catch(() => undefined);
  const stored = found && decode(found, key);
  if (stored) return restore(stored, captures);
  const program = make();
  const constants = program.constants.map((constant) => store(constant, captures));
  if (constants.every((constant) => constant !== undefined)) {
    await write(folder, key, encode({ ...program, constants }, key));
  }
  return program;
}

type StoredProgram = Omit<Program, 'constants'> & { readonly constants: readonly StoredConstant[] };

function fingerprint(traces: readonly Trace[], about: unknown): string {
  const places = new Map(traces[0]!.captures.map(({ variable }, place) => [variable, place]));
  const hash = createHash('sha256').update(codeDigest());
  const add = (value: unknown, replacer?: typeof exactly) =>
    hash.update(`${JSON.stringify(value, replacer)}\n`);
  add([projectVersion(), process.versions.v8, about]);
  for (const { values, inputs, draws, captures, kernels, outputs } of traces) {
    add([inputs, draws, outputs]);
    add(values.map(({ shape, dtype }) => [dtype, shape]));
    add(kernels.map((kernel) => [kernel.name, kernel.inputs, kernel.outputs]));
    add(
      kernels.map(({ attrs }) => attrs),
      exactly,
    );
    for (const { id, variable, ...values } of captures) {
      add([id, variable ? (places.get(variable) ?? 'unknown') : 'data']);
      if ('data' in values) hash.update(values.data);
    }
  }
  return hash.digest('hex');
}

/** JSON has one text for all that is no number, and none for what is undefined. */
function exactly(_: string, value: unknown): unknown {
  if (value === undefined) return { undefined: true };
  const isPlain = typeof value !== 'number' || (Number.isFinite(value) && !Object.is(value, -0));
  return isPlain ? value : { number: Object.is(value, -0) ? '-0' : String(value) };
}

let digest: string | undefined;

/** Of this folder, which holds all that makes programs: what another version of the code wrote is not found. */
function codeDigest(): string {
  if (digest !== undefined) return digest;
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const files = readdirSync(folder).filter((name) => /(?<!\.test)\.[jt]s$/.test(name));
  const hash = createHash('sha256');
  for (const name of files.sort()) hash.update(`${name}\n`).update(readFileSync(join(folder, name)));
  digest = hash.digest('hex');
  return digest;
}

function store(constant: ProgramConstant, captures: readonly Capture[]): StoredConstant | undefined {
  if (constant.kind === 'fill' || constant.kind === 'size') return constant;
  const capture = captures.findIndex((one) =>
    constant.kind === 'variable'
      ? one.variable === constant.variable
      : !one.variable && one.data === constant.data,
  );
  return capture < 0 ? undefined : { kind: 'captured', id: constant.id, capture };
}

function restore({ constants, ...program }: StoredProgram, captures: readonly Capture[]): Program {
  const restored = constants.map((constant): ProgramConstant => {
    if (constant.kind !== 'captured') return constant;
    const { id } = constant;
    const capture = captures[constant.capture]!;
    return capture.variable
      ? { kind: 'variable', id, variable: capture.variable }
      : { kind: 'data', id, data: capture.data };
  });
  return { ...program, constants: restored };
}

/** The digest of name and content goes first. */
function encode(program: StoredProgram, key: string): Uint8Array {
  const body = serialize(program);
  return Buffer.concat([createHash('sha256').update(key).update(body).digest(), body]);
}

function decode(file: Buffer, key: string): StoredProgram | undefined {
  const body = file.subarray(DIGEST_BYTES);
  const wanted = createHash('sha256').update(key).update(body).digest();
  if (wanted.equals(file.subarray(0, DIGEST_BYTES))) return deserialize(body);
  note('graph %s is damaged and is made anew', key);
  return undefined;
}

async function write(folder: string, key: string, content: Uint8Array): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    await writeFileAtomic(join(folder, key), content);
    const times = (await readdir(folder)).map(async (name) => {
      const path = join(folder, name);
      // Another process may sweep too.
      const time = await stat(path).then(
        ({ mtimeMs }) => mtimeMs,
        () => 0,
      );
      return { path, time };
    });
    const files = (await Promise.all(times)).sort((a, b) => b.time - a.time);
    for (const { path } of files.slice(MOST_FILES)) await rm(path, { force: true });
  } catch (error) {
    note('graph %s is not kept: %s', key, error);
  }
}
