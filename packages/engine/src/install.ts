import { existsSync } from 'node:fs';
import { AsMlpError } from '@as-mlp/base';
import { ensureAddon, findCompiler } from './addon.ts';
import { cacheRoot } from './cache.ts';
import { chooseEngine, ENGINE_COST, type EngineName } from './choice.ts';
import { findNative, type SearchContext } from './installed.ts';
import { cachedLibraries, ensureLibraries, externalLibraries, type Libraries } from './libraries.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';
import { findPip } from './pip.ts';
import { currentHost, hasNvidiaDriver, type NativeTarget, nativeSupport } from './platform.ts';

/** What {@link prepareEngine} is asked for; everything may be left out. */
export interface PrepareOptions extends SearchContext {
  /** Which engine to prepare; `native` makes a failure an error. Default: `ASMLP_ENGINE`, else auto. */
  readonly engine?: string;
  /** The CUDA build of TensorFlow (Linux x86_64) instead of the CPU one. Implies `native`. */
  readonly cuda?: boolean;
  /** Fetches and compiles anew even what is complete. */
  readonly force?: boolean;
  /** Gets one line a step; default: standard error. */
  readonly log?: (line: string) => void;
}

/** What the set-up came to. */
export interface Prepared {
  /** The engine that `openEngine` will choose. */
  readonly engine: EngineName;
  readonly tensorflow?: string;
  /** Whether anything was downloaded or compiled now. */
  readonly changed: boolean;
  /** Why it is not all that it could be, and the command that mends it. */
  readonly notice?: string;
}

/**
 * Prepares the engine: TensorFlow's libraries through pip, the addon through a C++ compiler, a
 * self-check; all in the per-user cache, so that it costs nothing the next time or in another checkout.
 * Where native cannot be had, says in one line what is missing, what that costs and what mends it, and
 * leaves the other engines to run.
 *
 * @throws AsMlpError when native was asked for by name (`engine`, `cuda`, `ASMLP_ENGINE`) and cannot be had.
 */
export async function prepareEngine(options: PrepareOptions = {}): Promise<Prepared> {
  const env = options.env ?? process.env;
  const log = options.log ?? ((line: string) => process.stderr.write(`${line}\n`));
  const choice = options.cuda ? 'native' : chooseEngine(options.engine, env);
  if (choice !== 'native' && choice !== 'auto') return { engine: choice, changed: false };
  try {
    const prepared = await prepareNative(options, env, log);
    if (!options.cuda || hasNvidiaDriver(existsSync)) return prepared;
    const notice = 'the CUDA build is ready, but no NVIDIA driver is loaded: it will run on the processor';
    return { ...prepared, notice };
  } catch (error) {
    if (choice === 'native' || !(error instanceof AsMlpError)) throw error;
    const engine = onnxRuntimeVersion() === undefined ? 'wasm' : 'onnx';
    return { engine, changed: false, notice: fallbackNotice(error, engine) };
  }
}

/** One line: what is missing, what it costs, what mends it. */
function fallbackNotice(error: AsMlpError, engine: EngineName): string {
  const where = error.where ? `${error.where}: ` : '';
  const again = /npm run setup/.test(error.fix ?? '') ? '' : ', then `npm run setup` for full speed';
  const fix = error.fix ? `. ${error.fix}${again}` : '';
  return `no native engine: ${where}${error.what}; the ${engine} engine runs instead, ${ENGINE_COST[engine]}${fix}`;
}

async function prepareNative(
  options: PrepareOptions,
  env: NodeJS.ProcessEnv,
  log: (line: string) => void,
): Promise<Prepared> {
  const host = options.host ?? currentHost();
  const variant = options.cuda ? 'cuda' : 'cpu';
  if (!options.force) {
    const search = await findNative(options.cuda ? 'gpu' : 'auto', { env, host });
    if (search.native) {
      return { engine: 'native', tensorflow: search.native.addon.tensorflow, changed: false };
    }
  }
  const { target, reason } = nativeSupport(host);
  if (!target) throw new AsMlpError('engine', { what: reason });
  if (options.cuda && target.arch !== 'x64') {
    throw new AsMlpError('engine', { what: 'TensorFlow has CUDA wheels for Linux on x86_64 only' });
  }
  const root = cacheRoot(env);
  const settings = { env, log, ...(options.force ? { force: true } : {}) };
  let libraries: Libraries;
  if (env.ASMLP_TENSORFLOW_DIR) {
    libraries = externalLibraries(env.ASMLP_TENSORFLOW_DIR);
  } else {
    await requireTools(root, variant, target, options.force === true, env);
    libraries = await ensureLibraries(root, variant, target, settings);
  }
  const addon = await ensureAddon(root, libraries, target, settings);
  return { engine: 'native', tensorflow: addon.tensorflow, changed: true };
}

/** Names everything that is missing at once, before hundreds of megabytes are fetched in vain. */
async function requireTools(
  root: string,
  variant: 'cpu' | 'cuda',
  target: NativeTarget,
  force: boolean,
  env: NodeJS.ProcessEnv,
): Promise<void> {
  const cached = !force && (await cachedLibraries(root, variant, target)) !== undefined;
  const searches = [...(cached ? [] : [await findPip(env)]), findCompiler(env)];
  const missing = searches.flatMap((search) => search.missing ?? []);
  const fixes = searches.flatMap((search) => search.fix ?? []);
  if (missing.length === 0) return;
  throw new AsMlpError('engine', { what: `there is ${missing.join(' and ')}`, fix: fixes.join(' && ') });
}
