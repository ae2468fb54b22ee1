import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { isCode, isTest, lineOf, listFiles, parse, readText } from './house-tree.ts';

const MAX_LINES = 400;
/** Handwritten text files that count; data and lock files do not. */
const HANDWRITTEN = /\.(ts|mts|mjs|js|cc|h|c|wat|sh|json|jsonc|yaml|yml)$/;
/** Word lists shipped as data. */
const DATA = /(^|\/)(golden|assets)\/|pnpm-lock\.yaml$|\/src\/[^/]+\.json$/;
const TEST_CALLS = new Set(['it', 'test', 'describe', 'suite', 'bench']);
const LEFT_BEHIND = new Set(['only', 'skip', 'todo', 'fails']);

const files = listFiles().filter((path) => !DATA.test(path));
const code = files.filter(isCode).map((path) => ({ path, ast: parse(path) }));

describe('style', () => {
  it('finds the code', () => {
    expect(code.length).toBeGreaterThan(50);
  });

  it(`keeps every file within ${MAX_LINES} lines`, () => {
    const long = files
      .filter((path) => HANDWRITTEN.test(path))
      .map((path) => ({ path, lines: readText(path).split('\n').length - 1 }))
      .filter(({ lines }) => lines > MAX_LINES)
      .map(({ path, lines }) => `${path} has ${lines} lines; split it by idea`);
    expect(long).toEqual([]);
  });

  it('uses no any', () => {
    expect(
      find((node) => node.kind === ts.SyntaxKind.AnyKeyword, 'is any; say what it is, or unknown'),
    ).toEqual([]);
  });

  it('exports by name', () => {
    const wrong = find(isDefaultExport, 'is a default export; give it a name');
    expect(wrong.filter((line) => !/\.config\.ts:/.test(line))).toEqual([]);
  });

  it('leaves no test switched off or singled out', () => {
    const advice = 'is switched off or singled out; run it, or use skipIf with a reason';
    expect(find((node, path) => isTest(path) && isLeftBehind(node), advice)).toEqual([]);
  });

  it('silences no compiler and leaves no work for later in comments', () => {
    const silenced = new RegExp(`@ts-(${['ignore', 'nocheck', 'expect-error'].join('|')})`);
    const later = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX', 'HA' + 'CK'].join('|')})\\b`);
    const wrong = code.flatMap(({ path, ast }) =>
      comments(ast)
        .filter(({ text }) => silenced.test(text) || later.test(text))
        .map(({ line }) => `${path}:${line} puts work off; do it now or drop the comment`),
    );
    expect(wrong).toEqual([]);
  });

  it('names relative imports with their extension', () => {
    const wrong = find(
      (node) =>
        (ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) &&
        node.moduleSpecifier !== undefined &&
        ts.isStringLiteral(node.moduleSpecifier) &&
        /^\.{1,2}\//.test(node.moduleSpecifier.text) &&
        !/\.(ts|mjs|js|json)$/.test(node.moduleSpecifier.text),
      'imports without an extension; write the .ts',
    );
    expect(wrong).toEqual([]);
  });
});

describe('the rules notice', () => {
  const probe = (text: string): ts.SourceFile =>
    ts.createSourceFile('probe.test.ts', text, ts.ScriptTarget.ES2022, true);
  const hits = (text: string, match: (node: ts.Node) => boolean): number =>
    findIn(probe(text), (node) => match(node)).length;

  it('default exports in all three spellings', () => {
    for (const text of ['export default 1', 'export default function f() {}', 'export { a as default }']) {
      expect(hits(text, isDefaultExport), text).toBe(1);
    }
    expect(hits('export { a }; export const b = 1', isDefaultExport)).toBe(0);
  });

  it('tests that are left behind, and no conditional ones', () => {
    const off = ['skip', 'only', 'todo'];
    for (const word of off) expect(hits(`it.${word}('x')`, isLeftBehind), word).toBe(1);
    expect(hits(`it('x', { ${off[1]}: true }, f)`, isLeftBehind)).toBe(1);
    expect(hits(`it.skipIf(a)('x', f); describe.runIf(b)('y', g); list.${off[0]}(1)`, isLeftBehind)).toBe(0);
  });
});

function find(match: (node: ts.Node, path: string) => boolean, advice: string): string[] {
  return code.flatMap(({ path, ast }) =>
    findIn(ast, (node) => match(node, path)).map((node) => `${path}:${lineOf(ast, node)} ${advice}`),
  );
}

function findIn(ast: ts.SourceFile, match: (node: ts.Node) => boolean): ts.Node[] {
  const found: ts.Node[] = [];
  const visit = (node: ts.Node): void => {
    if (match(node)) found.push(node);
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}

function isDefaultExport(node: ts.Node): boolean {
  if (ts.isExportAssignment(node)) return true;
  if (ts.isExportSpecifier(node)) return node.name.text === 'default';
  return node.kind === ts.SyntaxKind.DefaultKeyword && !ts.isDefaultClause(node.parent);
}

function isLeftBehind(node: ts.Node): boolean {
  if (ts.isPropertyAccessExpression(node)) {
    return LEFT_BEHIND.has(node.name.text) && TEST_CALLS.has(rootName(node) ?? '');
  }
  if (!ts.isCallExpression(node)) return false;
  const name = rootName(node.expression) ?? '';
  return TEST_CALLS.has(name) && node.arguments.some(hasLeftBehindOption);
}

function hasLeftBehindOption(node: ts.Node): boolean {
  return (
    ts.isObjectLiteralExpression(node) &&
    node.properties.some((one) => one.name && ts.isIdentifier(one.name) && LEFT_BEHIND.has(one.name.text))
  );
}

/** `it.each(x).only` → `it`. */
function rootName(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) return node.text;
  if (ts.isPropertyAccessExpression(node) || ts.isCallExpression(node)) return rootName(node.expression);
  return undefined;
}

function comments(ast: ts.SourceFile): { text: string; line: number }[] {
  const found: { text: string; line: number }[] = [];
  const seen = new Set<number>();
  const collect = (position: number): void => {
    for (const read of [ts.getLeadingCommentRanges, ts.getTrailingCommentRanges]) {
      for (const { pos, end } of read(ast.text, position) ?? []) {
        if (seen.has(pos)) continue;
        seen.add(pos);
        found.push({ text: ast.text.slice(pos, end), line: ast.getLineAndCharacterOfPosition(pos).line + 1 });
      }
    }
  };
  const visit = (node: ts.Node): void => {
    collect(node.getFullStart());
    collect(node.getEnd());
    ts.forEachChild(node, visit);
  };
  visit(ast);
  return found;
}
