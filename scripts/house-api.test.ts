import { join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createProgram, isApp, lineOf, ROOT, readRooms } from './house-tree.ts';

const program = createProgram();
const checker = program.getTypeChecker();
const rooms = readRooms();
/** Every public entry: the `source` of each path in a package's exports map. */
const entries = rooms.flatMap((room) =>
  Object.entries(room.manifest.exports ?? {}).flatMap(([subpath, target]) => {
    const name = posix.join(room.manifest.name, subpath);
    return target.source ? [[name, posix.join(room.folder, target.source)] as const] : [];
  }),
);

describe('public exports', () => {
  it('are found in every package, and in no app', () => {
    const packages = new Set(entries.map(([, path]) => path.split('/').slice(0, 2).join('/')));
    expect([...packages]).toEqual(rooms.map((room) => room.folder).filter((folder) => !isApp(folder)));
  });

  it.each(entries)('of %s have a docstring', (_, path) => {
    expect(undocumented(path)).toEqual([]);
  });

  it('notices a missing docstring', () => {
    const text = '/** Yes. */\nexport const a = 1;\nexport const b = 2;\n/** */\nexport function c() {}\n';
    const file = ts.createSourceFile('probe.ts', text, ts.ScriptTarget.ES2022, true);
    const host = ts.createCompilerHost({});
    const read = host.getSourceFile.bind(host);
    host.getSourceFile = (name, options) => (name === 'probe.ts' ? file : read(name, options));
    const probe = ts.createProgram(['probe.ts'], { noLib: true, types: [] }, host).getTypeChecker();
    const names = probe
      .getExportsOfModule(probe.getSymbolAtLocation(file)!)
      .filter((symbol) => !documented(symbol, probe))
      .map((symbol) => symbol.name);
    expect(names.sort()).toEqual(['b', 'c']);
  });
});

describe('index.ts', () => {
  const indexes = rooms.flatMap((room) => room.sources).filter((source) => source.path.endsWith('/index.ts'));

  it.each(indexes.map((source) => [source.path, source.ast] as const))('%s only re-exports', (path, ast) => {
    const other = ast.statements
      .filter((statement) => !(ts.isExportDeclaration(statement) && statement.moduleSpecifier))
      .map((statement) => `${path}:${lineOf(ast, statement)} is no re-export; move it to a file of its own`);
    expect(other).toEqual([]);
    expect(ast.statements.length, `${path} exports nothing`).toBeGreaterThan(0);
  });
});

/** The exports of an entry whose declaration has no docstring, as `file:line name`. */
function undocumented(path: string): string[] {
  const file = program.getSourceFile(join(ROOT, path));
  const module = file && checker.getSymbolAtLocation(file);
  if (!module) return [`${path} is no module of tsconfig.json; does the exports map name the right file?`];
  return checker
    .getExportsOfModule(module)
    .map((symbol) => ({
      name: symbol.name,
      target: symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol,
    }))
    .filter(({ target }) => isOurs(target) && !documented(target, checker))
    .map(({ name, target }) => `${whereIs(target)} ${name}: write what it is, with shapes, units, errors`);
}

/** A name of a library that is passed on is described by that library. */
function isOurs(symbol: ts.Symbol): boolean {
  const places = (symbol.declarations ?? []).map((declaration) => declaration.getSourceFile().fileName);
  return places.length === 0 || places.some((place) => !place.includes('/node_modules/'));
}

function documented(symbol: ts.Symbol, from: ts.TypeChecker): boolean {
  return ts.displayPartsToString(symbol.getDocumentationComment(from)).trim() !== '';
}

function whereIs(symbol: ts.Symbol): string {
  const declaration = symbol.declarations?.[0];
  if (!declaration) return 'unresolved';
  const ast = declaration.getSourceFile();
  return `${posix.relative(ROOT, ast.fileName)}:${lineOf(ast, declaration)}`;
}
