import { existsSync } from 'node:fs';
import { type Addon, cachedAddon } from './addon.ts';
import { cacheRoot } from './cache.ts';
import type { DeviceChoice } from './choice.ts';
import { cachedLibraries, externalLibraries, type Libraries } from './libraries.ts';
import { currentHost, type Host, hasNvidiaDriver, nativeSupport } from './platform.ts';

/** A native engine that is ready to be loaded. */
export interface InstalledNative {
  readonly libraries: Libraries;
  readonly addon: Addon;
}

/** Either a native engine or why there is none, for a person. */
export type NativeSearch =
  | { readonly native: InstalledNative; readonly reason?: undefined; readonly fix?: undefined }
  | { readonly native?: undefined; readonly reason: string; readonly fix: string | undefined };

/** What a search looks at; the defaults are this process and this machine. */
export interface SearchContext {
  readonly env?: NodeJS.ProcessEnv;
  readonly host?: Host;
}

const SETUP = 'npm run setup';

/**
 * Looks for a prepared native engine; reads the cache and changes nothing.
 * For `gpu` only the CUDA build counts (or `ASMLP_TENSORFLOW_DIR`); for `auto` it comes first where an
 * NVIDIA driver is loaded.
 *
 * @throws AsMlpError `engine` when `ASMLP_TENSORFLOW_DIR` is set and holds no TensorFlow.
 */
export async function findNative(device: DeviceChoice, context: SearchContext = {}): Promise<NativeSearch> {
  const env = context.env ?? process.env;
  const support = nativeSupport(context.host ?? currentHost());
  if (!support.target) return { reason: support.reason, fix: undefined };
  const { target } = support;
  const root = cacheRoot(env);
  const found: Libraries[] = [];
  if (env.ASMLP_TENSORFLOW_DIR) {
    found.push(externalLibraries(env.ASMLP_TENSORFLOW_DIR));
  } else {
    for (const variant of variantsFor(device)) {
      const libraries = await cachedLibraries(root, variant, target);
      if (libraries) found.push(libraries);
    }
  }
  for (const libraries of found) {
    const addon = await cachedAddon(root, libraries, target);
    if (addon) return { native: { libraries, addon } };
  }
  const what = found.length > 0 ? 'its addon is not compiled yet' : 'TensorFlow is not installed yet';
  return { reason: what, fix: device === 'gpu' ? `${SETUP} -- --cuda` : SETUP };
}

function variantsFor(device: DeviceChoice): readonly ('cpu' | 'cuda')[] {
  if (device === 'gpu') return ['cuda'];
  return device === 'auto' && hasNvidiaDriver(existsSync) ? ['cuda', 'cpu'] : ['cpu', 'cuda'];
}
