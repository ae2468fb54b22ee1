import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, isApp, type Manifest, readManifest, readRooms, readText } from './house-tree.ts';

const rooms = readRooms();
const root = readManifest('');
const catalog = readCatalog();
const DEPENDENCY_KINDS = [
  'dependencies',
  'devDependencies',
  'optionalDependencies',
  'peerDependencies',
] as const;

describe('the root package.json', () => {
  it('pins pnpm and asks for Node 20.19', () => {
    expect((root as { packageManager?: string }).packageManager).toMatch(/^pnpm@10\.\d+\.\d+$/);
    expect(root).toMatchObject({ license: 'Apache-2.0', private: true, type: 'module' });
    expect(root.engines).toEqual({ node: '>=20.19' });
  });

  it('has a script for both commands and runs files that exist', () => {
    expect(Object.keys(root.scripts ?? {})).toEqual(expect.arrayContaining(['setup', 'demo', 'test']));
    const missing = Object.entries(root.scripts ?? {}).flatMap(([name, command]) =>
      [...command.matchAll(/\bnode (\S+\.mjs)/g)]
        .filter(([, file]) => !exists(file!))
        .map(([, file]) => `package.json: the script ${name} runs ${file}, which is not there`),
    );
    expect(missing).toEqual([]);
  });
});

describe.each(rooms.map((room) => [room.folder, room] as const))('%s/package.json', (folder, room) => {
  const manifest = room.manifest;

  it('agrees with the others on version, license, module kind and Node', () => {
    const { version, license, type, engines } = manifest;
    expect({ version, license, type, engines }).toEqual({
      version: root.version,
      license: root.license,
      type: 'module',
      engines: root.engines,
    });
  });

  it('says what it is and what it publishes', () => {
    expect(manifest.description, 'write a description').toBeTruthy();
    expect(manifest.files, 'publish dist and src, without tests').toEqual(
      expect.arrayContaining(['dist', 'src', '!src/**/*.test.ts', '!src/**/*.fixture.ts']),
    );
    expect(manifest.scripts?.build).toBe('tsc -p tsconfig.json');
  });

  it('builds everything but tests and fixtures', () => {
    const { include, exclude } = JSON.parse(readText(`${folder}/tsconfig.json`)) as Record<string, string[]>;
    expect({ include, exclude }).toEqual({
      include: ['src'],
      exclude: ['src/**/*.test.ts', 'src/**/*.fixture.ts'],
    });
  });

  if (isApp(folder)) {
    it('names commands that Node can start, and exports nothing', () => {
      expect(commandProblems(folder, manifest)).toEqual([]);
    });
  } else {
    it('maps every export to source, types and default, in that order', () => {
      expect(exportProblems(folder, manifest)).toEqual([]);
    });
  }

  it('takes versions from the catalog and neighbours from the workspace', () => {
    const wrong = DEPENDENCY_KINDS.flatMap((kind) =>
      Object.entries(manifest[kind] ?? {}).flatMap(([name, version]) => {
        const wanted = name.startsWith('@as-mlp/') ? 'workspace:*' : 'catalog:';
        if (version !== wanted) return [`${folder}: ${name} is ${version}; write ${wanted}`];
        if (wanted === 'catalog:' && !catalog.has(name)) return [`${folder}: ${name} is not in the catalog`];
        return [];
      }),
    );
    expect(wrong).toEqual([]);
  });
});

describe('pnpm-workspace.yaml', () => {
  it('lists exact versions, each used by some package', () => {
    const used = new Set(
      [root, ...rooms.map((room) => room.manifest)].flatMap((manifest) =>
        DEPENDENCY_KINDS.flatMap((kind) => Object.keys(manifest[kind] ?? {})),
      ),
    );
    const problems = [...catalog].flatMap(([name, version]) => [
      ...(used.has(name) ? [] : [`${name} is used by no package; remove it from the catalog`]),
      ...(/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version) ? [] : [`${name}: ${version} is no exact version`]),
    ]);
    expect(catalog.size).toBeGreaterThan(5);
    expect(problems).toEqual([]);
  });

  it('lets no dependency run an install script', () => {
    expect(readText('pnpm-workspace.yaml')).toMatch(/^onlyBuiltDependencies: \[\]$/m);
  });
});

function exportProblems(folder: string, manifest: Manifest): string[] {
  const paths = Object.entries(manifest.exports ?? {}).filter(([subpath]) => subpath !== './package.json');
  const problems = paths.flatMap(([subpath, target]) => {
    const at = `${folder}: exports["${subpath}"]`;
    const { source } = target;
    if (Object.keys(target).join() !== 'source,types,default') return [`${at} needs source, types, default`];
    if (!source || !/^\.\/src\/.*\.ts$/.test(source)) return [`${at}.source is no file of ./src`];
    const stem = source.replace(/^\.\/src\//, './dist/').replace(/\.ts$/, '');
    return [
      ...(exists(posix.join(folder, source)) ? [] : [`${at}.source ${source} is not there`]),
      ...(target.types === `${stem}.d.ts` ? [] : [`${at}.types should be ${stem}.d.ts`]),
      ...(target.default === `${stem}.js` ? [] : [`${at}.default should be ${stem}.js`]),
    ];
  });
  return [...(paths.length > 0 ? [] : [`${folder}: the exports map is empty`]), ...problems];
}

function commandProblems(folder: string, { exports, bin = {} }: Manifest): string[] {
  const commands = Object.entries(bin);
  const problems = commands.flatMap(([name, target]) => {
    const at = `${folder}: bin["${name}"]`;
    if (!/^\.\/dist\/.*\.js$/.test(target)) return [`${at} is no built file of ./dist`];
    const source = posix.join(folder, target.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts'));
    if (!exists(source)) return [`${at} has no source ${source}`];
    const isProgram = readText(source).startsWith('#!/usr/bin/env node\n');
    return isProgram ? [] : [`${source} is a command; begin it with #!/usr/bin/env node`];
  });
  return [
    ...(exports ? [`${folder}: an app has no exports; what others need belongs to a package`] : []),
    ...(commands.length > 0 ? [] : [`${folder}: name the app's command in bin`]),
    ...problems,
  ];
}

/** The `catalog:` block: `name: version` lines, the name perhaps quoted. */
function readCatalog(): Map<string, string> {
  const block = /^catalog:\n((?: {2}.*\n)+)/m.exec(readText('pnpm-workspace.yaml'))?.[1] ?? '';
  return new Map(
    [...block.matchAll(/^ {2}"?([^":\s]+)"?: (\S+)$/gm)].map(([, name, version]) => [name!, version!]),
  );
}
