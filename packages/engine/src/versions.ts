import { createRequire } from 'node:module';

/** The TensorFlow release whose libraries the native engine runs on. */
export const TENSORFLOW_VERSION = '2.21.0';

/** Version of Node-API that the addon is compiled for; every Node that this project supports has it. */
export const NAPI_VERSION = 8;

/**
 * CPython versions to ask wheels for, in order. The libraries inside are the same; an index need not
 * hold all of them. No Python is needed afterwards.
 */
export const PYTHON_VERSIONS: readonly string[] = ['3.11', '3.12', '3.13', '3.10'];

const require = createRequire(import.meta.url);

/** The `version` field of an installed npm package that this package depends on. */
export function packageVersion(name: string): string {
  const manifest: unknown = require(`${name}/package.json`);
  if (typeof manifest === 'object' && manifest !== null && 'version' in manifest) {
    return String(manifest.version);
  }
  return 'unknown';
}

/** The version of this project; its packages are released together. */
export function projectVersion(): string {
  const manifest: { version: string } = require('../package.json');
  return manifest.version;
}
