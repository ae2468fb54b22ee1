import { defineConfig } from 'vitest/config';

const resolve = { conditions: ['source'] };
const ssr = { resolve: { conditions: ['source', 'node', 'import', 'module', 'default'] } };
/** Packages whose tests run tensors; the set-up file opens the best engine of this machine for them. */
const withEngine = ['nn', 'backbone', 'train', 'classification', 'detection', 'segmentation', 'app'];

function project(root: string, name: string, engine: boolean) {
  return {
    resolve,
    ssr,
    test: {
      name,
      root,
      include: ['src/**/*.test.ts'],
      setupFiles: engine ? [new URL('./vitest.setup.ts', import.meta.url).pathname] : [],
      pool: 'forks' as const,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  };
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      project('packages/base', 'base', false),
      project('packages/data', 'data', false),
      project('packages/engine', 'engine', false),
      ...withEngine.map((name) => project(`packages/${name}`, name, true)),
      project('apps/classification', 'apps/classification', false),
      project('apps/detection', 'apps/detection', false),
      project('apps/segmentation', 'apps/segmentation', false),
      {
        resolve,
        ssr,
        test: { name: 'house', root: 'scripts', include: ['**/*.test.ts'], testTimeout: 60_000 },
      },
    ],
  },
});
