// `npm run setup`: packages from the lockfile, then the engine. Needs nothing but Node and npm, and takes
// seconds when everything is there. `npm run demo` and `npm test` begin with `setup()`.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, realpathSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** The folder of the checkout. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

const OLDEST_NODE = [20, 19];
const HEARTBEAT = 15_000;
const WINDOWS = process.platform === 'win32';

/** An error whose message is meant for a person; `exitCode` is for the process. */
export class SetupError extends Error {
  constructor(message, exitCode = 1) {
    super(message);
    this.name = 'SetupError';
    this.exitCode = exitCode;
  }
}

/**
 * Does all the set-up there is; throws SetupError.
 * `args` go to the engine: --engine native|onnx|wasm|cpu, --cuda, --force, --quiet.
 */
export async function setup({ args = [], log = (line) => process.stderr.write(`${line}\n`) } = {}) {
  checkNode();
  await installPackages(args.includes('--quiet') ? () => undefined : log);
  const entry = join(ROOT, 'packages', 'engine', 'src', 'install-main.ts');
  const { code } = await start(process.execPath, [...sourceFlags(), entry, ...args], { stdio: 'inherit' });
  if (code !== 0) throw new SetupError('set-up: the engine could not be prepared, see above', code);
}

/** Throws SetupError where this Node is too old for the project. */
export function checkNode(version = process.versions.node) {
  const [major, minor] = version.split('.').map(Number);
  if (major > OLDEST_NODE[0] || (major === OLDEST_NODE[0] && minor >= OLDEST_NODE[1])) return;
  throw new SetupError(
    `set-up: Node ${version} is too old, this project needs ${OLDEST_NODE.join('.')} or newer: https://nodejs.org`,
  );
}

/** The flags with which Node runs the TypeScript sources of this checkout without a build. */
export function sourceFlags() {
  const loader = createRequire(join(ROOT, 'package.json')).resolve('tsx');
  return ['--import', pathToFileURL(loader).href, '--conditions=source'];
}

/**
 * The environment of an app that is run with {@link sourceFlags}. The loader's threads exist before the engine asks glibc for one
 * heap for all threads, which glibc heeds only while there are few: without this a training takes twice the memory.
 */
export function sourceEnvironment() {
  return { MALLOC_ARENA_MAX: '1', ...process.env };
}

/** The package manager of the lockfile, as `name@version`. */
export function pinnedPnpm() {
  return JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')).packageManager;
}

/** The words that start the pinned pnpm: the one on PATH when it is that version, else through npx. */
export async function pnpmCommand() {
  const pinned = pinnedPnpm();
  if (onPath('pnpm')) {
    const env = { ...process.env, COREPACK_ENABLE_DOWNLOAD_PROMPT: '0' };
    const { code, output } = await start('pnpm', ['--version'], { env });
    if (code === 0 && `pnpm@${output.trim()}` === pinned) return ['pnpm'];
  }
  return ['npx', '--yes', '--prefer-offline', pinned];
}

async function installPackages(log) {
  const stamp = join(ROOT, 'node_modules', '.as-mlp-setup');
  const inputs = fingerprint();
  if (isInstalled() && existsSync(stamp) && readFileSync(stamp, 'utf8') === inputs) return;

  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1000).toFixed(1)} s`;
  log(`set-up: installing packages with ${pinnedPnpm()}`);
  const beat = setInterval(() => log(`set-up: still installing packages, ${seconds()}`), HEARTBEAT);
  const [program, ...words] = await pnpmCommand();
  const options = ['--frozen-lockfile', '--prefer-offline', '--config.confirm-modules-purge=false'];
  const { code, output } = await start(program, [...words, 'install', ...options, '--reporter=append-only']);
  clearInterval(beat);
  if (code !== 0) throw new SetupError(explainInstall(output, program));
  writeFileSync(stamp, inputs);
  log(`set-up: packages installed in ${seconds()}`);
}

/** What the installed packages depend on: manifests, lockfile and the kind of machine. */
function fingerprint() {
  const hash = createHash('sha256');
  hash.update(`${process.platform} ${process.arch} ${realpathSync(ROOT)}\n`);
  const manifests = workspaces().map((folder) => join(folder, 'package.json'));
  for (const file of ['pnpm-lock.yaml', 'pnpm-workspace.yaml', 'package.json', ...manifests]) {
    hash.update(`${file}\n`).update(readFileSync(join(ROOT, file)));
  }
  return `${hash.digest('hex')}\n`;
}

/** The folders of the workspace, relative to the root. */
function workspaces() {
  return ['packages', 'apps'].flatMap((group) =>
    readdirSync(join(ROOT, group))
      .map((name) => join(group, name))
      .filter((folder) => existsSync(join(ROOT, folder, 'package.json')))
      .sort(),
  );
}

/** Whether the folders that pnpm makes are still there; their content is pnpm's. */
function isInstalled() {
  const needed = workspaces().filter((folder) => {
    const manifest = JSON.parse(readFileSync(join(ROOT, folder, 'package.json'), 'utf8'));
    return Object.keys({ ...manifest.dependencies, ...manifest.devDependencies }).length > 0;
  });
  return ['.', ...needed].every((folder) => existsSync(join(ROOT, folder, 'node_modules')));
}

function explainInstall(output, program) {
  const lines = output.split(/\r?\n/).filter((line) => line.trim() !== '');
  const tail = lines.slice(-15).join('\n');
  const say = (what) => `${tail}\nset-up: ${what}`;
  if (
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|META_FETCH_FAIL|ERR_SOCKET_TIMEOUT/.test(output)
  ) {
    return say(
      'the package registry cannot be reached. Connect once and run this again; later runs work offline.',
    );
  }
  if (/OUTDATED_LOCKFILE/.test(output)) {
    return say(`pnpm-lock.yaml does not fit the package.json files. Run \`npx ${pinnedPnpm()} install\`.`);
  }
  if (/ENOSPC/.test(output)) return say('the disk is full. Free 1 GB and run this again.');
  if (/EACCES|EROFS|EPERM/.test(output)) return say('a folder may not be written, see above.');
  if (/ENOENT/.test(output) && !onPath(program)) return say(`${program} is missing: install Node with npm.`);
  return say('the packages could not be installed, see above.');
}

function onPath(program) {
  const names = WINDOWS ? [`${program}.cmd`, `${program}.exe`] : [program];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders.some((folder) => names.some((name) => existsSync(join(folder, name))));
}

/** Runs a program in the root to its end; the output is collected unless `stdio` says otherwise. */
function start(program, args, options = {}) {
  return new Promise((resolve) => {
    // npx and pnpm are batch files on Windows, which only a shell starts.
    const shell = WINDOWS && program !== process.execPath;
    const child = spawn(program, args, { cwd: ROOT, shell, stdio: ['ignore', 'pipe', 'pipe'], ...options });
    let output = '';
    const collect = (chunk) => {
      output += chunk;
    };
    child.stdout?.setEncoding('utf8').on('data', collect);
    child.stderr?.setEncoding('utf8').on('data', collect);
    child.on('error', (error) => resolve({ code: 1, output: `${output}${error.code} ${error.message}` }));
    child.on('close', (code) => resolve({ code: code ?? 1, output }));
  });
}

const USAGE = `npm run setup [-- options]: installs the packages and prepares the engine.

  --engine native|onnx|wasm|cpu   only this engine; native then fails where it cannot be had
  --cuda                          the CUDA build of TensorFlow (Linux x86_64, NVIDIA driver)
  --force                         fetch and compile the engine anew
  --quiet                         print only what went wrong
`;

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const args = process.argv.slice(2);
  if (args.includes('--help') || args.includes('-h')) process.stdout.write(USAGE);
  else {
    await setup({ args }).catch((error) => {
      if (!(error instanceof SetupError)) throw error;
      process.stderr.write(`${error.message}\n`);
      process.exitCode = error.exitCode;
    });
  }
}
