import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AsMlpError } from '@as-mlp/base';
import { type EnsureOptions, ensureEntry, readEntry } from './cache.ts';
import { findOnPath, lastWords, runCommand } from './command.ts';
import { packageManagerHint } from './hints.ts';
import type { Libraries } from './libraries.ts';
import type { NativeTarget } from './platform.ts';
import { NAPI_VERSION, packageVersion } from './versions.ts';

const require = createRequire(import.meta.url);
const TFJS_NODE = '@tensorflow/tfjs-node-gpu';
const ADDON_FILE = 'tfjs_binding.node';
const FLAGS = ['-std=c++17', '-O2', '-fPIC', '-shared', `-DNAPI_VERSION=${NAPI_VERSION}`];
/** Our own part of the addon. */
const ALLOCATOR = fileURLToPath(new URL('../native/allocator.cc', import.meta.url));
/** An old-style run path wins over LD_LIBRARY_PATH: another TensorFlow there must not slip in. */
const LINK_FLAGS = ['-Wl,--disable-new-dtags'];

/** The compiled addon in the cache. */
export interface Addon {
  readonly path: string;
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
 * Folder name in the cache. Node-API makes the addon independent of the Node version; the C library of
 * the machine that compiled it is part of the name, since a home may be shared between machines.
 */
export function addonKey(libraries: Libraries, target: NativeTarget): string {
  const tfjs = packageVersion(TFJS_NODE);
  const own = readFileSync(ALLOCATOR, 'utf8');
  const headers = packageVersion('node-api-headers');
  const identity = [libraries.key, headers, ...FLAGS, ...LINK_FLAGS, own].join('\n');
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
  return manifest && { path: join(folder, ADDON_FILE), tensorflow: manifest.about.tensorflow ?? 'unknown' };
}

/**
 * The addon for these libraries, compiled from the package's own sources when it is not in the cache,
 * and entered there only after it multiplied two matrices rightly in a process of its own.
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
    const path = join(folder, ADDON_FILE);
    await compile(search.compiler, path, libraries, env);
    const compiled = performance.now();
    const { tensorflow } = await selfCheck(path, env);
    const seconds = [compiled - started, performance.now() - compiled].map((ms) => (ms / 1000).toFixed(1));
    log(`addon compiled in ${seconds[0]} s, self-check passed in ${seconds[1]} s`);
    const about = { tensorflow, compiler: search.compiler.join(' '), libraries: libraries.lib };
    return { about, files: [{ path: ADDON_FILE, size: (await stat(path)).size }] };
  });
  const tensorflow = entry.manifest.about.tensorflow ?? 'unknown';
  return { path: join(entry.folder, ADDON_FILE), tensorflow, built: entry.built };
}

async function compile(
  compiler: readonly [string, ...string[]],
  output: string,
  libraries: Libraries,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const sources = join(dirname(require.resolve(`${TFJS_NODE}/package.json`)), 'binding');
  const headers = join(dirname(require.resolve('node-api-headers/package.json')), 'include');
  // In the cache the libraries are found relative to the addon, so that the cache can be moved.
  const runPath =
    libraries.variant === 'external' ? libraries.lib : `$ORIGIN/${relative(dirname(output), libraries.lib)}`;
  const result = await runCommand(
    [
      ...compiler,
      ...FLAGS,
      `-I${headers}`,
      `-I${libraries.include}`,
      join(sources, 'tfjs_backend.cc'),
      join(sources, 'tfjs_binding.cc'),
      ALLOCATOR,
      '-o',
      output,
      `-L${libraries.lib}`,
      ...libraries.names.map((name) => `-l:${name}`),
      ...LINK_FLAGS,
      `-Wl,-rpath,${runPath}`,
    ],
    { env },
  );
  if (result.code === 0) return;
  const words = /^.*\berror:.*$/m.exec(result.stderr)?.[0].slice(0, 300) ?? lastWords(result.stderr);
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
  addon: string,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly tensorflow: string; readonly device: string }> {
  const script = fileURLToPath(new URL('../native/self-check.cjs', import.meta.url));
  const quiet = { TF_CPP_MIN_LOG_LEVEL: '3', ...env };
  const result = await runCommand([process.execPath, script, addon], { env: quiet, timeout: 180_000 });
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
