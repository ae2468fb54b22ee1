import { mkdirSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { folderSize } from './cache.ts';
import { type CommandResult, findOnPath, lastWords, runCommand } from './command.ts';
import { packageManagerHint } from './hints.ts';

/** A working pip: the words that start it. */
export type Pip = readonly [string, ...string[]];

/** Several `--platform` options are understood since this release. */
const OLDEST_PIP = [20, 3] as const;

const CANDIDATES: readonly Pip[] = [['python3', '-m', 'pip'], ['python', '-m', 'pip'], ['pip3'], ['pip']];

/** Either a pip or what is missing, for a person, with the command that mends it. */
export type PipSearch =
  | { readonly pip: Pip; readonly missing?: undefined; readonly fix?: undefined }
  | { readonly pip?: undefined; readonly missing: string; readonly fix: string };

/** The first of `python3 -m pip`, `python -m pip`, `pip3`, `pip` on PATH that works and is recent enough. */
export async function findPip(env: NodeJS.ProcessEnv): Promise<PipSearch> {
  const install = packageManagerHint({
    debian: 'python3 python3-pip',
    fedora: 'python3-pip',
    other: 'Python 3 with pip',
  });
  let missing = 'no Python with pip';
  for (const candidate of CANDIDATES) {
    const program = findOnPath(candidate[0], env);
    if (program === undefined) continue;
    const result = await runCommand([program, ...candidate.slice(1), '--version'], { env, timeout: 60_000 });
    const version = /^pip (\d+)\.(\d+)/m.exec(result.stdout);
    if (result.code !== 0 || !version) {
      if (candidate.length > 1) missing = 'a Python without pip';
      continue;
    }
    const [major, minor] = [Number(version[1]), Number(version[2])];
    if (major > OLDEST_PIP[0] || (major === OLDEST_PIP[0] && minor >= OLDEST_PIP[1])) {
      return { pip: [program, ...candidate.slice(1)] };
    }
    missing = `pip ${major}.${minor}, too old (needs ${OLDEST_PIP.join('.')})`;
  }
  const fix = missing.startsWith('pip ') ? 'python3 -m pip install --user --upgrade pip' : install;
  return { missing, fix };
}

export interface DownloadRequest {
  /** What to fetch, as pip writes it: `name==version` or ranges. */
  readonly requirements: readonly string[];
  /** Python versions to try in order until the index has a wheel. */
  readonly pythonVersions: readonly string[];
  /** Accepted wheel platforms. */
  readonly platforms: readonly string[];
  /** An existing empty folder. pip's temporary files go there too, so that one sweep removes all. */
  readonly into: string;
  readonly env: NodeJS.ProcessEnv;
  readonly log: (line: string) => void;
}

/**
 * Downloads wheels through pip, with the user's own pip settings (mirror, proxy, certificates).
 * pip compares each file with the hash that the index gives.
 *
 * @returns paths of the wheels.
 * @throws AsMlpError `engine` that says whether the network, the index, the disk or a checksum failed.
 */
export async function downloadWheels(pip: Pip, request: DownloadRequest): Promise<string[]> {
  let result: CommandResult | undefined;
  for (const version of request.pythonVersions) {
    result = await runPip(pip, request, version);
    if (result.code === 0 || !isNoMatch(result)) break;
  }
  if (result?.code !== 0) throw explain(request, result);
  const names = (await readdir(request.into)).filter((name) => name.endsWith('.whl'));
  return names.map((name) => join(request.into, name));
}

function runPip(pip: Pip, request: DownloadRequest, pythonVersion: string): Promise<CommandResult> {
  const options = ['--no-deps', '--only-binary=:all:', '--no-input', '--no-cache-dir', '--progress-bar=off'];
  const temporary = join(request.into, 'pip');
  mkdirSync(temporary, { recursive: true });
  const platforms = request.platforms.map((platform) => `--platform=${platform}`);
  const command: Pip = [
    ...pip,
    'download',
    ...options,
    '--disable-pip-version-check',
    '--implementation=cp',
    `--python-version=${pythonVersion}`,
    ...platforms,
    `--dest=${request.into}`,
    ...request.requirements,
  ];
  // A virtual environment is only asked for when something is installed into it.
  const env = { ...request.env, TMPDIR: temporary, PIP_REQUIRE_VIRTUALENV: '0', PYTHONUNBUFFERED: '1' };
  const onWait = async (elapsed: number) => {
    const megabytes = Math.round((await folderSize(temporary)) / 1e6);
    request.log(`downloading: ${megabytes} MB after ${Math.round(elapsed / 1000)} s`);
  };
  return runCommand(command, { env, onWait });
}

const NETWORK =
  /NewConnectionError|NameResolutionError|ConnectionError|Connection refused|Max retries|Retrying \(|ReadTimeout|SSLError|ProxyError|Name or service not known|Temporary failure|Network is unreachable|HTTP error [45]\d\d|HTTPError/i;

function isNoMatch(result: CommandResult): boolean {
  return (
    /No matching distribution|Could not find a version/.test(result.stderr) && !NETWORK.test(result.stderr)
  );
}

function explain(request: DownloadRequest, result: CommandResult | undefined): AsMlpError {
  const output = result ? `${result.stdout}\n${result.stderr}` : '';
  const where = request.requirements.join(' ');
  if (/No space left|Errno 28|Disk quota/.test(output)) {
    const fix = 'Free 1.2 GB, or set ASMLP_CACHE_DIR to a folder on another disk';
    return new AsMlpError('io', { where: request.into, what: 'the disk is full', fix });
  }
  if (/DO NOT MATCH THE HASHES|HashMismatch/i.test(output)) {
    const what = 'the download does not have the checksum that the package index gives';
    return new AsMlpError('engine', {
      where,
      what,
      fix: 'Run `npm run setup` again; if it stays so, ask who runs the package index',
    });
  }
  if (NETWORK.test(output)) {
    const fix = 'Connect to the network (or set PIP_INDEX_URL, HTTPS_PROXY)';
    return new AsMlpError('engine', { where, what: 'the package index cannot be reached', fix });
  }
  if (/No matching distribution|Could not find a version/.test(output)) {
    const fix =
      'Point PIP_INDEX_URL at an index that has it, or set ASMLP_TENSORFLOW_DIR to an installed TensorFlow';
    return new AsMlpError('engine', { where, what: 'the package index has no wheel for this machine', fix });
  }
  const what = `pip failed (${lastWords(result?.stderr ?? '') || `exit code ${result?.code}`})`;
  return new AsMlpError('engine', { where, what, fix: 'Run `npm run setup` again' });
}
