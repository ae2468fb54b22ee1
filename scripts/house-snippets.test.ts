import { join, posix } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { createProgram, listFiles, ROOT, readRooms, readText } from './house-tree.ts';

/** A TypeScript block of a document that stands on its own: it begins with an import. */
interface Snippet {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

const snippets = listFiles()
  .filter((path) => path.endsWith('.md'))
  .flatMap(readSnippets);

describe('TypeScript in documents', () => {
  it('is found in the README', () => {
    expect(snippets.filter(({ path }) => path === 'README.md').length).toBeGreaterThan(0);
  });

  it('compiles', () => {
    expect(compile(snippets)).toEqual([]);
  });

  it('would be reported when it does not', () => {
    const text = "import { createRng } from '@as-mlp/base';\ncreateRng('one');\n";
    expect(compile([{ path: 'probe.md', line: 10, text }])).toEqual([
      expect.stringMatching(/^probe\.md:12 .*not assignable/),
    ]);
  });
});

function readSnippets(path: string): Snippet[] {
  const text = readText(path);
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .filter(([, body]) => body!.startsWith('import '))
    .map((match) => ({ path, line: text.slice(0, match.index).split('\n').length, text: match[1]! }));
}

/** Type errors as `file:line message`. Names resolve to the sources of this workspace. */
function compile(blocks: readonly Snippet[]): string[] {
  const files = new Map(
    blocks.map((block, index) => [join(ROOT, `packages/app/src/snippet-${index}.ts`), block]),
  );
  const options: ts.CompilerOptions = {
    ...createProgram().getCompilerOptions(),
    paths: Object.fromEntries(readRooms().flatMap(({ folder, manifest }) => sourcePaths(folder, manifest))),
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (name) => files.has(name) || fileExists.call(host, name);
  host.readFile = (name) => files.get(name)?.text ?? readFile.call(host, name);
  const program = ts.createProgram([...files.keys()], options, host);
  return [...files].flatMap(([name, { path, line }]) => {
    const ast = program.getSourceFile(name)!;
    return [...program.getSyntacticDiagnostics(ast), ...program.getSemanticDiagnostics(ast)].map(
      (problem) => {
        const offset = ast.getLineAndCharacterOfPosition(problem.start ?? 0).line + 1;
        return `${path}:${line + offset} ${ts.flattenDiagnosticMessageText(problem.messageText, ' ')}`;
      },
    );
  });
}

function sourcePaths(
  folder: string,
  { name, exports = {} }: ReturnType<typeof readRooms>[number]['manifest'],
): [string, string[]][] {
  return Object.entries(exports).map(([subpath, target]) => [
    posix.join(name, subpath),
    [join(ROOT, folder, target.source ?? '')],
  ]);
}
