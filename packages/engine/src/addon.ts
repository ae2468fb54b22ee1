import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsMlpError } from '@as-mlp/base';
import { type EnsureOptions, ensureEntry, type Manifest, readEntry } from './cache.ts';
import { findOnPath, lastWords, runCommand } from './command.ts';
import { packageManagerHint } from './hints.ts';
import type { Libraries } from './libraries.ts';
import type { NativeTarget } from './platform.ts';
import { NAPI_VERSION, packageVersion } from './versions.ts';

const require = createRequire(import.meta.url);
const TFJS_NODE = '@tensorflow/tfjs-node-gpu';
const ADDON_FILE = 'tfjs_binding.node';
const GRAPH_RUNTIME_FILE = 'graph_runtime.node';
const FILES = [ADDON_FILE, GRAPH_RUNTIME_FILE] as const;
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`];
/**
 * The operations of the graph runtime are worth the instructions of this very processor. Some compilers do not know
 * how to ask for them; then those that every processor has must do.
 */
const TUNED_FLAGS = [['-O3', '-march=native'], ['-O3']] as const;
/** Our own sources: a part of the addon, and the graph runtime. */
const OWN_SOURCES = fileURLToPath(new URL('../native/', import.meta.url));
/** An old-style run path wins over LD_LIBRARY_PATH: another TensorFlow there must not slip in. */
const LINK_FLAGS = ['-Wl,--disable-new-dtags'];

/** The two shared objects of the addon. In one process they share one TensorFlow. */
export interface AddonFiles {
  /** What the TensorFlow.js backend drives. */
  readonly path: string;
  /** What runs whole graphs. */
  readonly graphRuntime: string;
}

/** The compiled addon in the cache. */
export interface Addon extends AddonFiles {
  /** What the self-check reported. */
  readonly tensorflow: string;
}

/** Either a compiler or what is missing, with the command that mends it. */
export type CompilerSearch =
  | {
      readonly compiler: readonly [string, ...string[]];
      readonly missing?: undefined;
      readonly fix?: undefined;
    }
  | { readonly compiler?: undefined; readonly missing: string; readonly fix: string };

/** `$CXX` (which may carry arguments), else the first of g++, c++, clang++ on PATH. */
export function findCompiler(env: NodeJS.ProcessEnv): CompilerSearch {
  const named = env.CXX?.trim().split(/\s+/) ?? [];
  const candidates = [...(named[0] ? [named] : []), ['g++'], ['c++'], ['clang++']];
  for (const [program = '', ...args] of candidates) {
    const path = findOnPath(program, env);
    if (path) return { compiler: [path, ...args] };
  }
  const fix = packageManagerHint({
    debian: 'g++',
    fedora: 'gcc-c++',
    other: 'a C++17 compiler (g++ or clang++)',
  });
  return { missing: 'no C++ compiler', fix };
}

/**
 * Folder name in the cache. Node-API makes the addon independent of the Node version; the C library and the
 * instructions of the machine that compiled it are part of the name, since a home may be shared between machines.
 */
export function addonKey(libraries: Libraries, target: NativeTarget): string {
  const tfjs = packageVersion(TFJS_NODE);
  const own = ownSources(/\.(?:cc|h)$/).map((path) => readFileSync(path, 'utf8'));
  const headers = packageVersion('node-api-headers');
  const flags = [...FLAGS, ...TUNED_FLAGS.flat(), ...LINK_FLAGS, target.instructions];
  const identity = [libraries.key, headers, ...flags, ...own].join('\n');
  const hash = createHash('sha256').update(identity).digest('hex').slice(0, 8);
  return `addon-${tfjs}-${libraries.variant}-linux-${target.arch}-glibc${target.glibc}-${hash}`;
}

/** The addon in the cache, if it is complete (it passed its self-check then). Reads only. */
export async function cachedAddon(
  root: string,
  libraries: Libraries,
  target: NativeTarget,
): Promise<Addon | undefined> {
  const folder = join(root, addonKey(libraries, target));
  const manifest = await readEntry(folder);
  return manifest && { ...addonIn(folder), ...aboutAddon(manifest) };
}

function addonIn(folder: string): AddonFiles {
  return { path: join(folder, ADDON_FILE), graphRuntime: join(folder, GRAPH_RUNTIME_FILE) };
}

function aboutAddon(manifest: Manifest): { readonly tensorflow: string } {
  return { tensorflow: manifest.about.tensorflow ?? 'unknown' };
}

/** Those whose path in `native/` fits `name`. */
function ownSources(name: RegExp): string[] {
  const paths = readdirSync(OWN_SOURCES, { recursive: true, encoding: 'utf8' });
  const own = paths.filter((path) => name.test(path));
  return own.sort().map((path) => join(OWN_SOURCES, path));
}

/**
 * The addon for these libraries, compiled from the package's own sources when it is not in the cache,
 * and entered there only after it multiplied two matrices and ran a graph rightly in a process of its own.
 *
 * @throws AsMlpError `engine` when there is no compiler, it fails, or the self-check does.
 */
export async function ensureAddon(
  root: string,
  libraries: Libraries,
  target: NativeTarget,
  options: EnsureOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<Addon & { readonly built: boolean }> {
  const { env, log } = options;
  const entry = await ensureEntry(root, addonKey(libraries, target), options, async (folder) => {
    const search = findCompiler(env);
    if (!search.compiler)
      throw new AsMlpError('engine', { what: `there is ${search.missing}`, fix: search.fix });
    const started = performance.now();
    await compile(search.compiler, folder, libraries, env);
    const compiled = performance.now();
    const { tensorflow } = await selfCheck(addonIn(folder), env);
    const seconds = [compiled - started, performance.now() - compiled].map((ms) => (ms / 1000).toFixed(1));
    log(`addon compiled in ${seconds[0]} s, self-check passed in ${seconds[1]} s`);
    const about = { tensorflow, compiler: search.compiler.join(' '), libraries: libraries.lib };
    const measured = FILES.map(async (path) => ({ path, size: (await stat(join(folder, path))).size }));
    return { about, files: await Promise.all(measured) };
  });
  return { ...addonIn(entry.folder), ...aboutAddon(entry.manifest), built: entry.built };
}

/** Compiles both shared objects at the same time: on two processors the second costs nothing. */
async function compile(
  compiler: readonly [string, ...string[]],
  folder: string,
  libraries: Libraries,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const tfjs = join(dirname(require.resolve(`${TFJS_NODE}/package.json`)), 'binding');
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  const sources = {
    [ADDON_FILE]: [
      join(tfjs, 'tfjs_backend.cc'),
      join(tfjs, 'tfjs_binding.cc'),
      ...ownSources(/^allocator\.cc$/),
    ],
    [GRAPH_RUNTIME_FILE]: ownSources(/^(?:graph-.*|ops\/.*)\.cc$/),
  };
  // In the cache the libraries are found relative to the addon, so that the cache can be moved.
  const runPath =
    libraries.variant === 'external' ? libraries.lib : `$ORIGIN/${relative(folder, libraries.lib)}`;
  const build = (file: (typeof FILES)[number], flags: readonly string[]) =>
    runCommand(
      [
        ...compiler,
        ...FLAGS,
        ...flags,
        `-I${headers}`,
        `-I${libraries.include}`,
        ...sources[file],
        '-o',
        join(folder, file),
        `-L${libraries.lib}`,
        ...libraries.names.map((name) => `-l:${name}`),
        ...LINK_FLAGS,
        `-Wl,-rpath,${runPath}`,
      ],
      { env },
    );
  const buildTuned = async (file: (typeof FILES)[number]) => {
    const result = await build(file, TUNED_FLAGS[0]);
    return result.code !== 0 && /march|native/.test(result.stderr)
      ? await build(file, TUNED_FLAGS[1])
      : result;
  };
  const results = await Promise.all([build(ADDON_FILE, []), buildTuned(GRAPH_RUNTIME_FILE)]);
  const failed = results.find((result) => result.code !== 0);
  if (!failed) return;
  const words = /^.*\berror:.*$/m.exec(failed.stderr)?.[0].slice(0, 300) ?? lastWords(failed.stderr);
  throw new AsMlpError('engine', {
    where: compiler.join(' '),
    what: `the addon does not compile (${words})`,
    fix: `${packageManagerHint({ debian: 'g++', fedora: 'gcc-c++', other: 'a complete C++17 compiler' })}, or name another compiler in CXX`,
  });
}

/**
 * Loads an addon in a process of its own, so that a crash is an answer and not an end.
 *
 * @throws AsMlpError `engine` with the reason.
 */
export async function selfCheck(
  addon: AddonFiles,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly tensorflow: string; readonly device: string }> {
  const script = fileURLToPath(new URL('../native/self-check.cjs', import.meta.url));
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '3', ...env };
  const command = [process.execPath, script, addon.path, addon.graphRuntime] as const;
  const result = await runCommand(command, { env: quiet, timeout: 180_000 });
  if (result.code === 0) {
    const answer: { tensorflow: string; device: string } = JSON.parse(lastWords(result.stdout));
    return answer;
  }
  const illegal =
    result.signal === 'SIGILL' ? 'this processor lacks instructions that TensorFlow uses' : undefined;
  const error = /^\w*Error: .*$/m.exec(result.stderr)?.[0];
  const why = illegal ?? error ?? (result.signal ? `it died of ${result.signal}` : lastWords(result.stderr));
  throw new AsMlpError('engine', {
    what: `TensorFlow was installed but does not run here (${why})`,
    fix: 'Run `npm run setup -- --force` once; if it stays so, the other engines still work',
  });
}
