import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import {
  createProgram,
  lineOf,
  packageOf,
  ROOT,
  type Room,
  readManifest,
  readRooms,
  references,
  resolveRelative,
  roomName,
  type Source,
  stringLiterals,
} from './house-tree.ts';

/** What each package may import from this workspace; everything points down. */
const ARROWS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  nn: ['base'],
  data: ['base'],
  backbone: ['base', 'nn'],
  engine: ['base', 'nn'],
  train: ['base', 'nn', 'data', 'engine'],
  classification: ['base', 'backbone', 'nn', 'data', 'train'],
  detection: ['base', 'backbone', 'nn', 'data', 'train'],
  segmentation: ['base', 'backbone', 'nn', 'data', 'train'],
  app: ['base', 'nn', 'data', 'backbone', 'engine', 'train'],
  'apps/classification': ['classification', 'app'],
  'apps/detection': ['detection', 'app'],
  'apps/segmentation': ['segmentation', 'app'],
};

/** The native engine; only the package that installs it may name it. */
const NATIVE_ENGINE = ['@tensorflow', 'tfjs-node-gpu'].join('/');
/** The same code runs in Node and in a browser. */
const ISOMORPHIC = ['base', 'nn', 'backbone'];
/** Entries of those packages that are for Node alone; isomorphic code may not import them. */
const NODE_ENTRIES = ['@as-mlp/base/node'];
const SCOPE = '@as-mlp/';

const rooms = readRooms();
const plain = (room: Room): Source[] => room.sources.filter((source) => !source.test);
const named = (name: string): Room => rooms.find((room) => roomName(room.folder) === name)!;

describe('import arrows', () => {
  it('are drawn for every package and app', () => {
    expect(rooms.map((room) => roomName(room.folder)).sort()).toEqual(Object.keys(ARROWS).sort());
  });

  it.each(rooms.map((room) => [room.folder, room] as const))('of %s point only down', (folder, room) => {
    const allowed = ARROWS[roomName(folder)] ?? [];
    const wrong = plain(room).flatMap((source) =>
      references(source.ast)
        .filter(({ specifier }) => specifier.startsWith(SCOPE))
        .filter(({ specifier }) => !allowed.includes(packageOf(specifier)!.slice(SCOPE.length)))
        .map(
          ({ specifier, line }) =>
            `${source.path}:${line} imports ${specifier}; move the code to a floor above`,
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('stay inside a package when they are relative', () => {
    const wrong = rooms.flatMap((room) =>
      plain(room).flatMap((source) =>
        references(source.ast)
          .filter(({ specifier }) => specifier.startsWith('.'))
          .filter(({ specifier }) => !resolveRelative(source.path, specifier).startsWith(`${room.folder}/`))
          .map(
            ({ specifier, line }) =>
              `${source.path}:${line} reaches out to ${specifier}; import the package by name`,
          ),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('never close a circle between the files of a package', () => {
    expect(rooms.flatMap(circles)).toEqual([]);
  });

  it('name the native engine in the engine package only', () => {
    const wrong = rooms
      .filter((room) => room.folder !== 'packages/engine')
      .flatMap((room) => {
        const inCode = room.sources.flatMap((source) =>
          stringLiterals(source.ast)
            .filter(({ text }) => text.includes(NATIVE_ENGINE))
            .map(
              ({ line }) =>
                `${source.path}:${line} names ${NATIVE_ENGINE}; call openEngine() of ${SCOPE}engine`,
            ),
        );
        const inManifest = NATIVE_ENGINE in allDependencies(room) ? [`${room.folder}/package.json`] : [];
        return [...inCode, ...inManifest];
      });
    expect(wrong).toEqual([]);
  });

  it('leave tensors out of the data package', () => {
    const wrong = named('data').sources.flatMap((source) =>
      references(source.ast)
        .filter(({ specifier }) => specifier.startsWith('@tensorflow/'))
        .map(
          ({ specifier, line }) =>
            `${source.path}:${line} imports ${specifier}; pixels stay typed arrays here`,
        ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('package.json dependencies', () => {
  it.each(rooms.map((room) => [room.folder, room] as const))(
    'of %s are what its code imports',
    (folder, room) => {
      const { dependencies = {}, devDependencies = {}, optionalDependencies = {} } = room.manifest;
      const runtime = new Set([...Object.keys(dependencies), ...Object.keys(optionalDependencies)]);
      const development = new Set(Object.keys(devDependencies));
      const root = new Set(Object.keys(readManifest('').devDependencies ?? {}));
      const problems: string[] = [];

      for (const source of room.sources) {
        for (const { specifier, line, located } of references(source.ast)) {
          const name = packageOf(specifier);
          if (name === undefined || name === room.manifest.name || runtime.has(name)) continue;
          // A package that is only located may be one that just the sources need, such as tsx.
          if ((source.test || located) && (development.has(name) || root.has(name))) continue;
          const advice = isBuiltin(specifier)
            ? `write node:${specifier}`
            : `add it to ${source.test ? 'devDependencies' : 'dependencies'}`;
          problems.push(`${source.path}:${line} imports ${specifier}; ${advice}`);
        }
      }
      for (const name of runtime) {
        if (!uses(plain(room), name))
          problems.push(`${folder}/package.json: no source file uses ${name}; remove it`);
        if (development.has(name)) problems.push(`${folder}/package.json lists ${name} twice; keep one`);
      }
      for (const name of development) {
        if (!uses(room.sources, name.replace(/^@types\//, ''))) {
          problems.push(`${folder}/package.json: nothing uses ${name}; remove it from devDependencies`);
        }
      }
      expect(problems).toEqual([]);
    },
  );
});

describe('isomorphic code', () => {
  const program = createProgram();
  const checker = program.getTypeChecker();
  const packages = ISOMORPHIC.flatMap((name) => {
    const room = named(name);
    const nodeFiles = NODE_ENTRIES.filter((entry) => packageOf(entry) === room.manifest.name).map(
      (entry) => `${room.folder}/src${entry.slice(room.manifest.name.length)}.ts`,
    );
    if (nodeFiles.length === 0) return plain(room);
    return closure(
      room,
      plain(room).filter(({ path }) => path.endsWith('/src/index.ts')),
    );
  });
  const models = closure(
    named('classification'),
    plain(named('classification')).filter((source) => /\/src\/model[^/]*\.ts$/.test(source.path)),
  );

  it('covers the model files of the tasks', () => {
    expect(models.map((source) => source.path)).toContain('packages/classification/src/model.ts');
  });

  it('imports isomorphic packages only', () => {
    const wrong = [...packages, ...models].flatMap((source) =>
      references(source.ast)
        .filter(({ specifier }) => specifier.startsWith(SCOPE))
        .filter(
          ({ specifier }) =>
            NODE_ENTRIES.includes(specifier) ||
            !ISOMORPHIC.includes(packageOf(specifier)!.slice(SCOPE.length)),
        )
        .map(
          ({ specifier, line }) =>
            `${source.path}:${line} imports ${specifier}; a model runs in a browser too`,
        ),
    );
    expect(wrong).toEqual([]);
  });

  it('uses no Node module and no Node global', () => {
    const wrong = [...packages, ...models].flatMap((source) => [
      ...references(source.ast)
        .filter(({ specifier }) => isBuiltin(specifier))
        .map(
          ({ specifier, line }) => `${source.path}:${line} imports ${specifier}; pass the bytes in instead`,
        ),
      ...nodeGlobals(program, checker, source.path).map(
        ({ name, line }) =>
          `${source.path}:${line} uses ${name}, which only Node has; use the web's counterpart`,
      ),
    ]);
    expect(wrong).toEqual([]);
  });
});

function allDependencies(room: Room): Readonly<Record<string, string>> {
  return {
    ...room.manifest.dependencies,
    ...room.manifest.devDependencies,
    ...room.manifest.optionalDependencies,
  };
}

/** Whether a package is imported or located by name (`require.resolve('x/package.json')`, a wasm path, a type library). */
function uses(sources: readonly Source[], name: string): boolean {
  return sources.some((source) =>
    stringLiterals(source.ast).some(({ text }) => text === name || text.startsWith(`${name}/`)),
  );
}

/** The given sources and everything they import relatively, run-time imports and types alike. */
function closure(room: Room, from: readonly Source[]): Source[] {
  const reached = new Map<string, Source>();
  const queue = [...from];
  for (let source = queue.pop(); source; source = queue.pop()) {
    if (reached.has(source.path)) continue;
    reached.set(source.path, source);
    for (const { specifier } of references(source.ast)) {
      if (!specifier.startsWith('.')) continue;
      const path = resolveRelative(source.path, specifier);
      const next = room.sources.find((candidate) => candidate.path === path);
      if (next) queue.push(next);
    }
  }
  return [...reached.values()];
}

/** Relative import circles, each told once, as `a → b → a`. Type-only imports vanish at run time and may circle. */
function circles(room: Room): string[] {
  const sources = new Map(plain(room).map((source) => [source.path, source]));
  const found = new Set<string>();
  const done = new Set<string>();
  const walk = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.add([...trail.slice(start), path].join(' → '));
      return;
    }
    const source = sources.get(path);
    if (!source || done.has(path)) return;
    for (const target of runtimeImports(source)) walk(target, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) walk(path, []);
  return [...found];
}

function runtimeImports(source: Source): string[] {
  return source.ast.statements.flatMap((statement) => {
    const isImport = ts.isImportDeclaration(statement);
    if (!isImport && !ts.isExportDeclaration(statement)) return [];
    if (isImport ? statement.importClause?.isTypeOnly : statement.isTypeOnly) return [];
    const specifier = statement.moduleSpecifier;
    if (!specifier || !ts.isStringLiteral(specifier) || !specifier.text.startsWith('.')) return [];
    return [resolveRelative(source.path, specifier.text)];
  });
}

/** Global names of a file that are declared by Node's type library and nowhere else. */
function nodeGlobals(
  program: ts.Program,
  checker: ts.TypeChecker,
  path: string,
): { name: string; line: number }[] {
  const ast = program.getSourceFile(join(ROOT, path));
  if (!ast) throw new Error(`${path} is not part of tsconfig.json`);
  const found: { name: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isIdentifier(node) && !isMemberName(node)) {
      const declarations = checker.getSymbolAtLocation(node)?.declarations ?? [];
      const fromNode = declarations.filter((one) => one.getSourceFile().fileName.includes('/@types/node/'));
      if (declarations.length > 0 && fromNode.length === declarations.length) {
        found.push({ name: node.text, line: lineOf(ast, node) });
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

/** The `b` of `a.b` and of `{ b: 1 }`: what it belongs to was looked at, and resolving it costs a type check. */
function isMemberName(node: ts.Identifier): boolean {
  const { parent } = node;
  if (ts.isPropertyAccessExpression(parent)) {
    return parent.name === node && parent.expression.getText() !== 'globalThis';
  }
  if (ts.isPropertyAssignment(parent)) return parent.name === node;
  if (ts.isQualifiedName(parent)) return parent.right === node;
  return ts.isClassElement(parent) || ts.isTypeElement(parent);
}
