import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder that holds the whole project. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** The fields of a package.json that the house rules look at. */
export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly license?: string;
  readonly type?: string;
  readonly private?: boolean;
  readonly engines?: Readonly<Record<string, string>>;
  readonly exports?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly files?: readonly string[];
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

/** One package or app: its folder from the root, its manifest and its TypeScript files. */
export interface Room {
  readonly folder: string;
  readonly manifest: Manifest;
  readonly sources: readonly Source[];
}

/** One parsed file; `path` is from the root with forward slashes. */
export interface Source {
  readonly path: string;
  readonly test: boolean;
  readonly ast: ts.SourceFile;
}

const SKIPPED_FOLDERS = new Set(['node_modules', 'dist', '.git', '.turbo']);
/** Outputs of the demo, the bench and of training runs at the root; git ignores them too. */
const SKIPPED_AT_ROOT = new Set(['runs', 'demo', 'bench']);

/** Every file below `folder` (from the root), without dependencies and build outputs. */
export function listFiles(folder = ''): string[] {
  const entries = readdirSync(join(ROOT, folder), { withFileTypes: true });
  return entries.flatMap((entry) => {
    const path = posix.join(folder, entry.name);
    if (entry.isFile()) return [path];
    if (!entry.isDirectory() || SKIPPED_FOLDERS.has(entry.name)) return [];
    if (folder === '' && SKIPPED_AT_ROOT.has(entry.name)) return [];
    return listFiles(path);
  });
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(ROOT, path));
}

export function readManifest(folder: string): Manifest {
  return JSON.parse(readText(posix.join(folder, 'package.json'))) as Manifest;
}

export function isCode(path: string): boolean {
  return /\.(ts|mts|mjs|js)$/.test(path) && !path.endsWith('.d.ts');
}

/** Test files and what only tests use, `*.fixture.ts` (`src/testing/` is a public entry and counts as source). */
export function isTest(path: string): boolean {
  return /\.(test|fixture)\.ts$/.test(path);
}

export function parse(path: string): ts.SourceFile {
  const kind = path.endsWith('ts') ? ts.ScriptKind.TS : ts.ScriptKind.JS;
  return ts.createSourceFile(path, readText(path), ts.ScriptTarget.ES2022, true, kind);
}

/** All packages and apps of the workspace. */
export function readRooms(): Room[] {
  return ['packages', 'apps'].flatMap((floor) =>
    readdirSync(join(ROOT, floor), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && exists(posix.join(floor, entry.name, 'package.json')))
      .map((entry) => {
        const folder = posix.join(floor, entry.name);
        const sources = listFiles(posix.join(folder, 'src'))
          .filter(isCode)
          .map((path) => ({ path, test: isTest(path), ast: parse(path) }));
        return { folder, manifest: readManifest(folder), sources };
      }),
  );
}

/** One module that a file names, with the line that names it. */
export interface Reference {
  readonly specifier: string;
  readonly line: number;
  /** Only its place is asked for (`import.meta.resolve`); the file runs without it. */
  readonly located: boolean;
}

/**
 * Every module a file names: static, type-only and dynamic imports, re-exports, `import('…')` types,
 * `require`, `require.resolve` and `import.meta.resolve` of a literal.
 */
export function references(ast: ts.SourceFile): Reference[] {
  const found: Reference[] = [];
  const add = (node: ts.Node | undefined, located = false): void => {
    if (!node || !ts.isStringLiteralLike(node)) return;
    found.push({ specifier: node.text, line: lineOf(ast, node), located });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) add(node.moduleSpecifier);
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument)) add(node.argument.literal);
    else if (ts.isCallExpression(node)) {
      const callee = node.expression;
      const name = callee.getText(ast);
      const located = name === 'require.resolve' || name === 'import.meta.resolve';
      const loaded = name === 'require' || callee.kind === ts.SyntaxKind.ImportKeyword;
      if (loaded || located) add(node.arguments[0], located);
    }
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

/** Every string literal of a file; packages that are only located by name show up here. */
export function stringLiterals(ast: ts.SourceFile): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push({ text: node.text, line: lineOf(ast, node) });
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

/** `@scope/name/sub` → `@scope/name`; undefined for relative paths, absolute paths and `node:` modules. */
export function packageOf(specifier: string): string | undefined {
  if (/^[./#]/.test(specifier) || specifier.startsWith('node:')) return undefined;
  return specifier
    .split('/')
    .slice(0, specifier.startsWith('@') ? 2 : 1)
    .join('/');
}

export function lineOf(ast: ts.SourceFile, node: ts.Node): number {
  return ast.getLineAndCharacterOfPosition(node.getStart(ast)).line + 1;
}

/** The file that a relative import of a source names, from the root. */
export function resolveRelative(from: string, specifier: string): string {
  return posix.join(posix.dirname(from), specifier);
}

/** `packages/nn` → `nn`, `apps/classification` → `apps/classification`. */
export function roomName(folder: string): string {
  return isApp(folder) ? folder : basename(folder);
}

/** Whether a folder holds a program, which has a command and exports nothing. */
export function isApp(folder: string): boolean {
  return folder.startsWith('apps/');
}

/** The program of the root tsconfig.json, for rules that need resolved names. */
export function createProgram(): ts.Program {
  const config = ts.readConfigFile(join(ROOT, 'tsconfig.json'), ts.sys.readFile);
  const parsed = ts.parseJsonConfigFileContent(config.config, ts.sys, ROOT);
  return ts.createProgram(parsed.fileNames, parsed.options);
}
