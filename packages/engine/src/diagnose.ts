import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { availableParallelism, cpus, freemem, totalmem } from 'node:os';
import { join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import type { Precision } from '@as-mlp/nn';
import { findCompiler, selfCheck } from './addon.ts';
import { cacheRoot, folderSize, GRAPHS, readEntry } from './cache.ts';
import { chooseEngine, type DeviceChoice, type EngineChoice, type EngineName } from './choice.ts';
import { runCommand } from './command.ts';
import { findNative, type NativeSearch } from './installed.ts';
import { onnxRuntimeVersion } from './onnx/session.ts';
import { findPip } from './pip.ts';
import { currentHost, type Host, hasNvidiaDriver } from './platform.ts';
import { openCpu, openOnnx, openWasm } from './portable.ts';
import { whyFloat32 } from './precision.ts';
import { packageVersion, projectVersion } from './versions.ts';

/** What {@link diagnose} is asked; everything may be left out. */
export interface DiagnoseOptions {
  /** The engine to judge; default: `ASMLP_ENGINE`, else auto. */
  readonly engine?: string;
  readonly device?: DeviceChoice;
  readonly precision?: Precision;
  readonly env?: NodeJS.ProcessEnv;
}

/** One entry of the cache. */
export interface CacheItem {
  readonly name: string;
  readonly bytes: number;
  /** False for what an interrupted set-up left; the next one replaces it. */
  readonly complete: boolean;
}

/** Something that stands in the way, and the command that mends it where there is one. */
export interface Trouble {
  readonly what: string;
  readonly fix: string | null;
}

/** What `doctor` prints: JSON-able, sizes in bytes. */
export interface Diagnosis {
  /** Whether the asked-for engine (and device) works here; for `auto`, whether any does. */
  readonly usable: boolean;
  readonly asked: {
    readonly engine: EngineChoice;
    readonly device: DeviceChoice;
    readonly precision: Precision;
  };
  /** What `openEngine` would choose; null when the asked-for one does not work. */
  readonly engine: EngineName | null;
  readonly device: 'cpu' | 'gpu' | null;
  /** In what compiled functions would multiply, and why not in what was asked for. */
  readonly precision: { readonly used: Precision; readonly note: string | null };
  readonly versions: {
    readonly project: string;
    readonly node: string;
    readonly tensorflow: string | null;
    readonly onnxRuntime: string | null;
    readonly tfjs: string;
  };
  readonly machine: {
    readonly platform: string;
    readonly arch: string;
    readonly glibc: string | null;
    readonly cpu: string;
    readonly cores: number;
    /** Null where the system does not tell. */
    readonly features: Readonly<Record<'avx2' | 'avx512' | 'amx' | 'bf16', boolean>> | null;
    readonly memory: number;
    readonly freeMemory: number;
    /** Names of NVIDIA GPUs whose driver is loaded. */
    readonly gpus: readonly string[];
  };
  /** What the set-up needs; null when not found. */
  readonly tools: { readonly pip: string | null; readonly compiler: string | null };
  readonly cache: { readonly folder: string; readonly bytes: number; readonly items: readonly CacheItem[] };
  readonly missing: readonly Trouble[];
}

/**
 * Examines the engine without changing anything: the native one is tried in a process of its own, so
 * that even a crash becomes a line of the report.
 *
 * @throws AsMlpError `usage` for an unknown engine.
 */
export async function diagnose(options: DiagnoseOptions = {}): Promise<Diagnosis> {
  const env = options.env ?? process.env;
  const device = options.device ?? 'auto';
  const precision = options.precision ?? 'float32';
  const asked = chooseEngine(options.engine, env);
  const host = currentHost();
  const [native, pip, gpus, cache] = await Promise.all([
    tryNative(device, env),
    findPip(env),
    findGpus(env),
    examineCache(cacheRoot(env)),
  ]);
  const compiler = findCompiler(env);
  const missing: Trouble[] = [];
  let engine: EngineName | null = null;
  if (asked === 'native' || asked === 'auto') {
    if (native.device === undefined) {
      missing.push({ what: native.what, fix: native.fix });
      if (pip.missing && !native.installed) missing.push({ what: pip.missing, fix: pip.fix });
      if (compiler.missing) missing.push({ what: compiler.missing, fix: compiler.fix });
    } else if (device === 'gpu' && native.device !== 'gpu') {
      missing.push({ what: 'TensorFlow sees no GPU', fix: 'npm run setup -- --cuda' });
    } else {
      engine = 'native';
    }
  }
  // A GPU has no stand-in.
  if (device !== 'gpu') {
    for (const [name, open] of [
      ['onnx', openOnnx],
      ['wasm', openWasm],
      ['cpu', openCpu],
    ] as const) {
      if (engine !== null || (asked !== name && asked !== 'auto')) continue;
      const trouble = await failureOf(open);
      if (trouble) missing.push(trouble);
      else engine = name;
    }
  }
  const used = engine === 'native' ? (native.device ?? null) : engine && 'cpu';
  const note =
    precision === 'bf16' && engine && used
      ? whyFloat32({ name: engine, device: used }, host.cpuFlags)
      : undefined;
  return {
    usable: engine !== null,
    asked: { engine: asked, device, precision },
    engine,
    device: used,
    precision: { used: engine && note === undefined ? precision : 'float32', note: note ?? null },
    versions: {
      project: projectVersion(),
      node: process.versions.node,
      tensorflow: native.tensorflow ?? null,
      onnxRuntime: onnxRuntimeVersion() ?? null,
      tfjs: packageVersion('@tensorflow/tfjs'),
    },
    machine: { ...describeMachine(host), gpus },
    tools: { pip: pip.pip?.join(' ') ?? null, compiler: compiler.compiler?.join(' ') ?? null },
    cache,
    missing,
  };
}

type NativeTrial =
  | { readonly device: 'cpu' | 'gpu'; readonly tensorflow: string }
  | {
      readonly device?: undefined;
      readonly tensorflow?: undefined;
      readonly what: string;
      readonly fix: string | null;
      readonly installed: boolean;
    };

async function tryNative(device: DeviceChoice, env: NodeJS.ProcessEnv): Promise<NativeTrial> {
  let search: NativeSearch | undefined;
  try {
    search = await findNative(device, { env });
    if (!search.native) {
      return { what: `no native engine: ${search.reason}`, fix: search.fix ?? null, installed: false };
    }
    const result = await selfCheck(search.native.addon, env);
    return { tensorflow: result.tensorflow, device: result.device === 'gpu' ? 'gpu' : 'cpu' };
  } catch (error) {
    const { what, fix } = troubleOf(error);
    return { what, fix, installed: search?.native !== undefined };
  }
}

async function failureOf(open: () => Promise<void>): Promise<Trouble | undefined> {
  try {
    await open();
    return undefined;
  } catch (error) {
    return troubleOf(error);
  }
}

function troubleOf(error: unknown): Trouble {
  if (!(error instanceof AsMlpError)) throw error;
  const where = error.where ? `${error.where}: ` : '';
  return { what: `${where}${error.what}`, fix: error.fix ?? null };
}

async function findGpus(env: NodeJS.ProcessEnv): Promise<string[]> {
  if (!hasNvidiaDriver(existsSync)) return [];
  const query = ['nvidia-smi', '--query-gpu=name', '--format=csv,noheader'] as const;
  const result = await runCommand([...query], { env, timeout: 10_000 });
  if (result.code !== 0) return ['NVIDIA (nvidia-smi does not answer)'];
  return result.stdout.split('\n').flatMap((line) => line.trim() || []);
}

async function examineCache(folder: string): Promise<Diagnosis['cache']> {
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => []);
  const items: CacheItem[] = [];
  for (const entry of entries.filter((candidate) => candidate.isDirectory())) {
    const path = join(folder, entry.name);
    const complete = entry.name === GRAPHS || (await readEntry(path)) !== undefined;
    items.push({ name: entry.name, bytes: await folderSize(path), complete });
  }
  items.sort((a, b) => (a.name < b.name ? -1 : 1));
  return { folder, bytes: items.reduce((sum, item) => sum + item.bytes, 0), items };
}

function describeMachine(host: Host) {
  const flags = host.cpuFlags;
  const has = (...names: string[]) => names.some((name) => flags?.has(name));
  return {
    platform: host.platform,
    arch: host.arch,
    glibc: host.glibc ?? null,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    features: flags
      ? {
          avx2: has('avx2'),
          avx512: has('avx512f'),
          amx: has('amx_tile'),
          bf16: has('avx512_bf16', 'amx_bf16', 'bf16'),
        }
      : null,
    memory: totalmem(),
    freeMemory: freemem(),
  };
}
