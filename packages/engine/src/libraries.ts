import { existsSync, realpathSync, statSync } from 'node:fs';
import { mkdir, rm, statfs } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AsMlpError } from '@as-mlp/base';
import { type CachedFile, type EnsureOptions, ensureEntry, type Manifest, readEntry } from './cache.ts';
import { downloadWheels, findPip, type Pip } from './pip.ts';
import { type NativeTarget, wheelPlatforms } from './platform.ts';
import { PYTHON_VERSIONS, TENSORFLOW_VERSION } from './versions.ts';
import { extraRequirements, unpackWheel } from './wheel.ts';

/** Which build of TensorFlow: for processors alone, with CUDA, or one the user already has. */
export type Variant = 'cpu' | 'cuda' | 'external';

/** A TensorFlow that the addon can be compiled and linked against. */
export interface Libraries {
  readonly variant: Variant;
  /** Name that sets it apart from every other: version, variant, machine. */
  readonly key: string;
  /** Folder that holds `tensorflow/c/c_api.h`. */
  readonly include: string;
  /** Folder that holds the shared libraries. */
  readonly lib: string;
  /** File names of the libraries to link, in order. */
  readonly names: readonly string[];
}

/** Unpacked, the CPU libraries take 853 MB and the wheel that they come from 274 MB. */
const SPACE_NEEDED: Readonly<Record<'cpu' | 'cuda', number>> = { cpu: 1.2e9, cuda: 9e9 };

const WHEEL_LIBRARIES = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'] as const;

/** The C interface and what its headers include; licences; nothing of Python. */
const WANTED = [
  /^tensorflow\/libtensorflow_(?:cc|framework)\.so\.2$/,
  /^tensorflow\/include\/tensorflow\/c\/.*\.h$/,
  /^tensorflow\/include\/(?:xla|tsl|xla\/tsl)\/c\/[^/]+\.h$/,
  /^tensorflow\/include\/(?:tensorflow\/core|tsl|xla\/tsl)\/platform\/ctstring(?:_internal)?\.h$/,
  /^tensorflow\/THIRD_PARTY_NOTICES\.txt$/,
  /^tensorflow\/include\/LICENSE$/,
  /^[^/]+\.dist-info\/(?:licenses\/)?(?:METADATA|LICENSE[^/]*|License[^/]*|NOTICE[^/]*)$/,
];

/** Of a CUDA wheel everything but headers and Python: libraries, `ptxas`, `libdevice`, licences. */
const CUDA_WANTED = /^(?:nvidia\/(?!.*\.(?:h|hpp|hh|inl|cuh|py|pyi|a)$)|[^/]+\.dist-info\/.*licen[sc]e)/i;

/** Folder name in the cache of one variant for one machine. */
export function librariesKey(variant: 'cpu' | 'cuda', target: NativeTarget): string {
  return `tensorflow-${TENSORFLOW_VERSION}-${variant}-linux-${target.arch}`;
}

/** The libraries in the cache, if they are complete. Reads only. */
export async function cachedLibraries(
  root: string,
  variant: 'cpu' | 'cuda',
  target: NativeTarget,
): Promise<Libraries | undefined> {
  const key = librariesKey(variant, target);
  return (await readEntry(join(root, key))) ? inCache(root, key, variant) : undefined;
}

function inCache(root: string, key: string, variant: Variant): Libraries {
  const lib = join(root, key, 'tensorflow');
  return { variant, key, lib, include: join(lib, 'include'), names: WHEEL_LIBRARIES };
}

/**
 * A TensorFlow that is already on the machine: a libtensorflow (`include/`, `lib/`) or the folder of an
 * installed Python package `tensorflow`.
 *
 * @throws AsMlpError `engine` when the folder has neither form.
 */
export function externalLibraries(folder: string): Libraries {
  const forms = [
    { lib: folder, names: WHEEL_LIBRARIES },
    { lib: join(folder, 'lib'), names: WHEEL_LIBRARIES },
    { lib: join(folder, 'lib'), names: ['libtensorflow.so.2', 'libtensorflow_framework.so.2'] },
  ];
  const include = join(folder, 'include');
  const form = forms.find(({ lib, names }) => names.every((name) => existsSync(join(lib, name))));
  if (!form || !existsSync(join(include, 'tensorflow', 'c', 'c_api.h'))) {
    throw new AsMlpError('engine', {
      where: `ASMLP_TENSORFLOW_DIR=${folder}`,
      what: 'holds no TensorFlow C library',
      fix: 'Name a folder with include/tensorflow/c/c_api.h and lib/libtensorflow.so.2, or the folder of the Python package tensorflow',
    });
  }
  const lib = realpathSync(form.lib);
  const identity = form.names.map((name) => {
    const stats = statSync(join(lib, name));
    return `${name}:${stats.size}:${stats.mtimeMs}`;
  });
  return {
    variant: 'external',
    key: `external ${lib} ${identity.join(' ')}`,
    lib,
    include,
    names: form.names,
  };
}

/**
 * The libraries of `variant`, fetched into the cache when they are not there.
 *
 * @throws AsMlpError `engine` when pip is missing or fails, `io` when the cache cannot be written.
 */
export async function ensureLibraries(
  root: string,
  variant: 'cpu' | 'cuda',
  target: NativeTarget,
  options: EnsureOptions & { readonly env: NodeJS.ProcessEnv },
): Promise<Libraries & { readonly built: boolean }> {
  const key = librariesKey(variant, target);
  const entry = await ensureEntry(root, key, options, async (folder) => {
    const search = await findPip(options.env);
    if (!search.pip) throw new AsMlpError('engine', { what: `there is ${search.missing}`, fix: search.fix });
    await checkSpace(root, variant);
    return await fetchLibraries(search.pip, folder, variant, target, options);
  });
  return { ...inCache(root, key, variant), built: entry.built };
}

type FetchOptions = EnsureOptions & { readonly env: NodeJS.ProcessEnv };

async function fetchLibraries(
  pip: Pip,
  folder: string,
  variant: 'cpu' | 'cuda',
  target: NativeTarget,
  options: FetchOptions,
): Promise<Omit<Manifest, 'format'>> {
  const packageName = variant === 'cpu' && target.arch === 'x64' ? 'tensorflow-cpu' : 'tensorflow';
  const fetch = async (requirements: readonly string[], wanted: (path: string) => boolean) => {
    const started = performance.now();
    const into = join(folder, '.download');
    await mkdir(into);
    const request = {
      requirements,
      pythonVersions: PYTHON_VERSIONS,
      platforms: wheelPlatforms(target),
      into,
    };
    const wheels = await downloadWheels(pip, { ...request, env: options.env, log: options.log });
    const fetched = performance.now();
    const files: CachedFile[] = [];
    let metadata = '';
    for (const wheel of wheels) {
      const unpacked = await unpackWheel(wheel, folder, wanted);
      files.push(...unpacked.files);
      metadata = unpacked.metadata;
    }
    await rm(into, { recursive: true });
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const seconds = [fetched - started, performance.now() - fetched].map(
      (ms) => `${Math.round(ms / 1000)} s`,
    );
    options.log(
      `${wheels.length === 1 ? '1 wheel' : `${wheels.length} wheels`} downloaded in ${seconds[0]}, ` +
        `${Math.round(bytes / 1e6)} MB unpacked and verified in ${seconds[1]}`,
    );
    return { files, metadata, wheels: wheels.map((wheel) => basename(wheel)) };
  };

  options.log(`fetching ${packageName} ${TENSORFLOW_VERSION} through pip (once per user)`);
  const main = await fetch([`${packageName}==${TENSORFLOW_VERSION}`], (path) =>
    WANTED.some((w) => w.test(path)),
  );
  const about = { tensorflow: TENSORFLOW_VERSION, variant, wheels: main.wheels.join(' ') };
  if (variant === 'cpu') return { about, files: main.files };

  const requirements = extraRequirements(main.metadata, 'and-cuda');
  options.log(`fetching ${requirements.length} CUDA libraries through pip (some 3 GB)`);
  const cuda = await fetch(requirements, (path) => CUDA_WANTED.test(path));
  return {
    about: { ...about, wheels: [...main.wheels, ...cuda.wheels].join(' ') },
    files: [...main.files, ...cuda.files],
  };
}

async function checkSpace(root: string, variant: 'cpu' | 'cuda'): Promise<void> {
  const disk = await statfs(root);
  const free = disk.bavail * disk.bsize;
  const needed = SPACE_NEEDED[variant];
  if (free >= needed) return;
  throw new AsMlpError('io', {
    where: root,
    what: `${(free / 1e9).toFixed(1)} GB are free, and the engine needs ${needed / 1e9} GB while it unpacks`,
    fix: 'Free some space, or set ASMLP_CACHE_DIR to a folder on another disk',
  });
}
