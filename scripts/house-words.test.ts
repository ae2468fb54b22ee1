import { posix } from 'node:path';
import { describe, expect, it } from 'vitest';
import { exists, isTest, listFiles, readManifest, readText } from './house-tree.ts';

/**
 * The project speaks of itself alone. Each pattern is written so that this file does not contain what
 * it looks for.
 */
interface Rule {
  readonly pattern: RegExp;
  readonly why: string;
  readonly applies: (path: string) => boolean;
}

const everywhere = (): boolean => true;
const RULES: readonly Rule[] = [
  {
    pattern: /(?<![\w/-])shared[/](?=[\w.*])/,
    why: 'names a folder that is not part of this project',
    applies: everywhere,
  },
  { pattern: /(?<![\w.})-])[/](?:work|root)[/]/, why: 'names a path of one machine', applies: everywhere },
  { pattern: /(?<![\w.})-])[/]home[/]\w/, why: 'names a path of one machine', applies: everywhere },
  { pattern: /(?<![\w.})-])[/]tmp[/]/, why: 'names a path of one machine', applies: (path) => !isTest(path) },
  { pattern: /\bissues?\s+#?\d+\b/i, why: 'names a ticket; say the reason itself', applies: everywhere },
  {
    pattern: /(?<=[\s(])#\d{1,2}(?![\w-])/,
    why: 'names a ticket; say the reason itself',
    applies: everywhere,
  },
  {
    pattern: /\w_golden[.]py|\bgolden_common\b|\w_ref[.]py/,
    why: 'names a program that is not part of this project',
    applies: everywhere,
  },
  {
    pattern: /\bspec\s*§|(?<![\w/])spec[/]\w/,
    why: 'names a text that is not part of this project; cite the paper',
    applies: everywhere,
  },
  {
    pattern: /\b(?:design|examples|brief|CLS|SEG|DET)[.]md\b/,
    why: 'names a text that is not part of this project',
    applies: everywhere,
  },
];

/** Hosts that a link may lead to. A registry or a mirror is not among them: say which package, not where it lies. */
const HOSTS = new Set([
  'arxiv.org',
  'biomejs.dev',
  'developer.nvidia.com',
  'git-lfs',
  'git-lfs.github.com',
  'github.com',
  'img.shields.io',
  'json-schema.org',
  'keepachangelog.com',
  'nodejs.org',
  'openreview.net',
  'semver.org',
  'turborepo.com',
  'www.apache.org',
  'www.tensorflow.org',
  'www.w3.org',
]);

const BINARY = /\.(png|jpe?g|webp|gif|pth|safetensors|bin|gz|zip|npz|ttf|wasm|node|ico|pkl)$/i;
const texts = listFiles()
  .filter((path) => !BINARY.test(path))
  .map((path) => ({ path, lines: readText(path).split('\n') }));
const documents = texts.filter(({ path }) => path.endsWith('.md'));

describe('words', () => {
  it.each(RULES.map((rule) => [rule.pattern.source, rule] as const))(
    'has nothing that reads %s',
    (_, rule) => {
      expect(texts.filter(({ path }) => rule.applies(path)).flatMap((text) => search(text, rule))).toEqual(
        [],
      );
    },
  );

  it('links to known hosts only', () => {
    const wrong = texts.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        [...line.matchAll(/\b(?:https?|ftp|git):[/][/]([\w.-]+)/g)]
          .map(([, host]) => host!)
          .filter((host) => !HOSTS.has(host) && !/^(localhost|127\.0\.0\.1|example\.(com|org))$/.test(host))
          .map(
            (host) => `${path}:${index + 1} names the host ${host}; leave it out, or add it to HOSTS here`,
          ),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('keeps download addresses out of the lock file', () => {
    const wrong = readText('pnpm-lock.yaml')
      .split('\n')
      .filter((line) => /\btarball:|\bregistry\b/.test(line));
    expect(wrong, 'pnpm-lock.yaml: install with the default registry and commit again').toEqual([]);
  });
});

describe('documents', () => {
  it('exist', () => {
    const expected = [
      'README.md',
      'CHANGELOG.md',
      'CONTRIBUTING.md',
      'docs/README.md',
      'docs/architecture.md',
    ];
    expect(documents.map(({ path }) => path)).toEqual(expect.arrayContaining(expected));
  });

  it('link to files that exist', () => {
    const wrong = documents.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        [...line.matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)]
          .map(([, target]) => target!)
          .filter((target) => !/^[a-z]+:/.test(target))
          .filter((target) => !exists(posix.join(posix.dirname(path), target)))
          .map((target) => `${path}:${index + 1} links to ${target}, which is not there`),
      ),
    );
    expect(wrong).toEqual([]);
  });

  it('are all in the index of docs', () => {
    const index = readText('docs/README.md');
    const missing = documents
      .map(({ path }) => path)
      .filter((path) => path.startsWith('docs/') && path !== 'docs/README.md')
      .filter((path) => !index.includes(`(${posix.relative('docs', path)})`))
      .map((path) => `docs/README.md does not list ${path}`);
    expect(missing).toEqual([]);
  });

  it('name root scripts that exist', () => {
    const scripts = new Set(Object.keys(readManifest('').scripts ?? {}));
    const builtin = new Set(['install', 'exec', 'dlx', 'add', 'i']);
    const wrong = documents.flatMap(({ path, lines }) =>
      lines.flatMap((line, index) =>
        [...line.matchAll(/(?:^|`|\$ )(?:npm run|pnpm(?: run)?) ([a-z][\w:-]*)/g)]
          .map(([, name]) => name!)
          .filter((name) => !scripts.has(name) && !builtin.has(name))
          .map((name) => `${path}:${index + 1} names the script ${name}, which package.json does not have`),
      ),
    );
    expect(wrong).toEqual([]);
  });
});

describe('the word rules', () => {
  const probes = [
    `see ${'shared'}/data`,
    `cd ${'/wo'}rk/main`,
    `in ${'/ro'}ot/x`,
    `in ${'/ho'}me/me`,
    `${'/t'}mp/x`,
    `fixes issue ${'4'}`,
    `closes ${'#'}12`,
    `from cls_${'golden'}.py`,
    `as spec ${'§'}1.3 says`,
    `see ${'design'}.md`,
  ];
  const harmless = [
    'strided/shared storages',
    'a homework/root/path',
    '#112233 #fff',
    'issues of memory',
    './src/work/x',
    `https://github.com/a/b/tree/main/work/x`,
  ];

  it.each(probes)('notice "%s"', (text) => {
    expect(RULES.some(({ pattern }) => pattern.test(text))).toBe(true);
  });

  it.each(harmless)('let "%s" pass', (text) => {
    expect(RULES.filter(({ pattern }) => pattern.test(text))).toEqual([]);
  });
});

function search(text: { path: string; lines: readonly string[] }, rule: Rule): string[] {
  return text.lines.flatMap((line, index) =>
    rule.pattern.test(line) ? [`${text.path}:${index + 1} ${rule.why}: ${line.trim().slice(0, 120)}`] : [],
  );
}
