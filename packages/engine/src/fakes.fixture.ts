import { createHash } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { strToU8, zipSync } from 'fflate';
import { afterEach } from 'vitest';
import type { Host } from './platform.ts';

/** A machine that has a TensorFlow wheel, whatever machine runs the tests. */
export const LINUX: Host = {
  platform: 'linux',
  arch: 'x64',
  glibc: '2.36',
  cpuFlags: new Set(['avx', 'avx2']),
};

/** A folder that is removed after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'asmlp-engine-'));
  folders.push(folder);
  return folder;
}

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

export interface WheelOptions {
  /** Extra lines of METADATA. */
  readonly metadata?: readonly string[];
  /** Paths whose content is changed after RECORD was written. */
  readonly tampered?: readonly string[];
  /** Paths that RECORD does not name. */
  readonly unrecorded?: readonly string[];
  /** Leaves RECORD out altogether. */
  readonly noRecord?: boolean;
}

/** The bytes of a wheel with these files. */
export function makeWheel(files: Readonly<Record<string, string>>, options: WheelOptions = {}): Uint8Array {
  const info = 'package-1.dist-info';
  const metadata = ['Metadata-Version: 2.1', 'Name: package', ...(options.metadata ?? []), ''].join('\n');
  const content: Record<string, string> = { ...files, [`${info}/METADATA`]: metadata };
  const record = Object.entries(content)
    .filter(([path]) => !options.unrecorded?.includes(path))
    .map(([path, text]) => {
      const hash = createHash('sha256').update(text).digest('base64url');
      const name = path.includes(',') ? `"${path}"` : path;
      return `${name},sha256=${hash},${Buffer.byteLength(text)}`;
    });
  for (const path of options.tampered ?? []) content[path] = content[path]!.replace(/.$/, '!');
  if (!options.noRecord) content[`${info}/RECORD`] = [...record, `${info}/RECORD,,`, ''].join('\n');
  return zipSync(Object.fromEntries(Object.entries(content).map(([path, text]) => [path, strToU8(text)])));
}

const CUDA_EXTRA = 'Requires-Dist: nvidia-nccl-cu12<3.0,>=2.27.7; extra == "and-cuda"';

/** A wheel as small as it can be that still looks like TensorFlow. */
export function tensorflowWheel(options: WheelOptions = {}): Uint8Array {
  const files = {
    'tensorflow/libtensorflow_cc.so.2': 'library cc',
    'tensorflow/libtensorflow_framework.so.2': 'library framework',
    'tensorflow/include/tensorflow/c/c_api.h': 'header',
    'tensorflow/THIRD_PARTY_NOTICES.txt': 'licences',
    'tensorflow/python/big.py': 'not wanted',
  };
  return makeWheel(files, { metadata: ['Requires-Dist: numpy>=1', CUDA_EXTRA], ...options });
}

/** How the pretended programs behave. */
export interface FakeTools {
  /** `none`: no Python at all; otherwise what `pip download` does. */
  readonly pip?:
    | 'none'
    | 'no-pip'
    | 'old'
    | 'works'
    | 'offline'
    | 'no-match'
    | 'bad-hash'
    | 'full-disk'
    | 'hangs';
  /** Python versions for which the index has wheels; default all. */
  readonly pythons?: readonly string[];
  readonly compiler?: 'none' | 'works' | 'fails';
  /** Wheels by the requirement that fetches them. */
  readonly wheels?: Readonly<Record<string, Uint8Array>>;
  /** Milliseconds that a download takes. */
  readonly downloadTime?: number;
  /** Whether TensorFlow runs in the self-check. Default true. */
  readonly runs?: boolean;
}

export interface FakeMachine {
  /** An environment in which only the pretended programs exist. */
  readonly env: NodeJS.ProcessEnv;
  readonly cache: string;
  /** The arguments of each `pip download` and each compilation so far. */
  calls(program: 'pip' | 'compiler'): string[][];
}

/** A machine with an empty cache and pretended Python, compiler and self-check. */
export function fakeMachine(tools: FakeTools = {}): FakeMachine {
  const root = temporaryFolder();
  const bin = join(root, 'bin');
  mkdirSync(bin);
  const log = (program: string) => join(root, `${program}.log`);
  const wheels = tools.wheels ?? { 'tensorflow-cpu==2.21.0': tensorflowWheel() };
  const stored = Object.entries(wheels).map(([requirement, bytes], index) => {
    const path = join(root, `wheel-${index}.bin`);
    writeFileSync(path, bytes);
    return [requirement, path] as const;
  });
  const settings = { ...tools, stored, log: log('pip') };
  if (tools.pip !== 'none') writeProgram(bin, 'python3', `(${fakePython})(${JSON.stringify(settings)})`);
  if (tools.compiler !== 'none') {
    const behaviour = { fails: tools.compiler === 'fails', log: log('compiler') };
    writeProgram(bin, 'g++', `(${fakeCompiler})(${JSON.stringify(behaviour)})`);
  }
  const preload = join(root, 'self-check.cjs');
  writeFileSync(preload, `(${fakeSelfCheck})(${tools.runs ?? true});`);
  const cache = join(root, 'cache');
  return {
    cache,
    env: { PATH: bin, HOME: root, ASMLP_CACHE_DIR: cache, NODE_OPTIONS: `--require ${preload}` },
    calls: (program) => {
      const text = existsSync(log(program)) ? readFileSync(log(program), 'utf8') : '';
      // What follows the last line end is still being written.
      const lines = text.split('\n').slice(0, -1);
      return lines.map((line): string[] => JSON.parse(line));
    },
  };
}

function writeProgram(folder: string, name: string, body: string): void {
  const path = join(folder, name);
  writeFileSync(path, `#!${process.execPath}\n${body};\n`);
  chmodSync(path, 0o755);
}

// The functions below are written into scripts as text: they use nothing from around them.

interface PythonSettings extends FakeTools {
  readonly stored: readonly (readonly [requirement: string, path: string])[];
  readonly log: string;
}

function fakePython(settings: PythonSettings): void {
  const fs: typeof import('node:fs') = process.getBuiltinModule('node:fs');
  const args = process.argv.slice(2);
  const fail = (text: string) => {
    process.stderr.write(`${text}\n`);
    process.exit(1);
  };
  if (settings.pip === 'no-pip') fail('No module named pip');
  if (args.includes('--version')) {
    process.stdout.write(`pip ${settings.pip === 'old' ? '19.1' : '24.0'} from somewhere (python 3.11)\n`);
    return;
  }
  fs.appendFileSync(settings.log, `${JSON.stringify(args)}\n`);
  if (settings.pip === 'offline')
    fail(
      'WARNING: Retrying (Retry(total=4)) after NewConnectionError\nERROR: No matching distribution found',
    );
  if (settings.pip === 'bad-hash')
    fail('ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE');
  if (settings.pip === 'full-disk')
    fail('ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device');
  const option = (name: string) => args.find((arg) => arg.startsWith(`--${name}=`))?.split('=')[1] ?? '';
  const python = option('python-version');
  const requirements = args.slice(args.findIndex((arg) => arg.startsWith('--dest=')) + 1);
  const found = settings.stored.filter(([requirement]) => requirements.includes(requirement));
  const noPython = settings.pythons && !settings.pythons.includes(python);
  if (settings.pip === 'no-match' || noPython || found.length < requirements.length)
    fail('ERROR: No matching distribution found for it');
  if (settings.pip === 'hangs') {
    fs.writeFileSync(`${option('dest')}/half.whl`, 'half');
    // Until the one who asked is gone, however it ended.
    const parent = process.ppid;
    setInterval(() => process.ppid !== parent && process.exit(), 100);
    return;
  }
  setTimeout(() => {
    for (const [requirement, path] of found) {
      fs.copyFileSync(path, `${option('dest')}/${requirement.replaceAll(/\W/g, '_')}.whl`);
    }
  }, settings.downloadTime ?? 0);
}

function fakeCompiler(behaviour: { fails: boolean; log: string }): void {
  const fs: typeof import('node:fs') = process.getBuiltinModule('node:fs');
  const args = process.argv.slice(2);
  fs.appendFileSync(behaviour.log, `${JSON.stringify(args)}\n`);
  if (behaviour.fails) {
    process.stderr.write(
      'a.cc:1:10: fatal error: string: No such file or directory\ncompilation terminated.\n',
    );
    process.exit(1);
  }
  fs.writeFileSync(args[args.indexOf('-o') + 1]!, 'addon');
}

function fakeSelfCheck(runs: boolean): void {
  if (!process.argv[1]?.endsWith('self-check.cjs')) return;
  if (!runs) process.kill(process.pid, 'SIGILL');
  process.stdout.write('{"tensorflow":"2.21.0","device":"cpu"}\n');
  process.exit(0);
}
