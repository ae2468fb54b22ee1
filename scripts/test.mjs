// `npm test`: set-up, types, style, build, every unit test, and a short real run of every app.
// A failing step does not hide the next one. The last line counts unit tests and steps together.
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pnpmCommand, ROOT, SetupError, setup } from './setup.mjs';
import { classificationRuns } from './test-classification.mjs';
import { detectionRuns } from './test-detection.mjs';
import { CheckFailure, check, mustRun, run } from './test-process.mjs';
import { segmentationRuns } from './test-segmentation.mjs';

const scratch = mkdtempSync(join(tmpdir(), 'as-mlp-test-'));
/** Runs a tool of the root by its JavaScript entry, which works on every platform. */
const tool = (entry, ...args) => [process.execPath, [join(ROOT, 'node_modules', entry), ...args]];

/** Each step resolves (counts as one) or to its own counts, and throws when it fails. */
const STEPS = [
  ['set-up', () => setup()],
  ['types', () => mustRun(...tool('typescript/bin/tsc', '-p', 'tsconfig.json'))],
  ['style', () => mustRun(...tool('@biomejs/biome/bin/biome', 'check', '.'))],
  ['build', build],
  ['built packages load', builtPackagesLoad],
  ['unit tests', unitTests],
  ...classificationRuns(join(scratch, 'classification')),
  ...detectionRuns(join(scratch, 'detection')),
  ...segmentationRuns(join(scratch, 'segmentation')),
  ['bench', bench],
];

const results = [];
for (const [name, step] of STEPS) results.push(await attempt(name, step));
rmSync(scratch, { recursive: true, force: true });
summarise();

async function attempt(name, step) {
  console.log(`\n── ${name} ${'─'.repeat(Math.max(4, 72 - name.length))}`);
  const start = performance.now();
  let counts = { passed: 1, failed: 0, skipped: 0 };
  try {
    counts = { ...counts, ...(await step()) };
  } catch (error) {
    const known = error instanceof CheckFailure || error instanceof SetupError;
    console.log(known ? error.message : error);
    counts = { passed: 0, failed: 1, skipped: 0 };
  }
  const seconds = (performance.now() - start) / 1000;
  console.log(`${counts.failed ? 'FAILED' : 'ok'}: ${name}, ${seconds.toFixed(1)} s`);
  return { name, seconds, ...counts };
}

function summarise() {
  const sum = (key) => results.reduce((total, result) => total + result[key], 0);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map(sum);
  const width = Math.max(...results.map(({ name }) => name.length));
  console.log(`\n── summary ${'─'.repeat(65)}`);
  for (const { name, seconds, ...counts } of results) {
    const mark = counts.failed ? 'FAILED' : 'ok';
    console.log(`${mark.padEnd(7)}${name.padEnd(width)}${seconds.toFixed(1).padStart(8)} s`);
  }
  const unit = results.find(({ name }) => name === 'unit tests');
  const none = unit.passed + unit.failed === 0;
  if (none) console.log('No unit test ran: that is a failure too.');
  console.log(
    `\n${passed} passed, ${failed + (none ? 1 : 0)} failed${skipped ? `, ${skipped} skipped` : ''}`,
  );
  process.exitCode = failed > 0 || none ? 1 : 0;
}

/** Through the pinned pnpm, whose name turbo looks for on the path when it runs each package's script. */
async function build() {
  const [program, ...words] = await pnpmCommand();
  await mustRun(program, [...words, 'build']);
}

/**
 * Every public entry loads from `dist/` in plain Node, without this repository's `source` condition, and every command
 * starts.
 */
async function builtPackagesLoad() {
  const folders = ['packages', 'apps'].flatMap((floor) =>
    readdirSync(join(ROOT, floor)).map((name) => join(ROOT, floor, name)),
  );
  for (const cwd of folders) {
    const { name, exports = {}, bin = {} } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'));
    const entries = Object.keys(exports).map((subpath) => name + subpath.slice(1));
    const code = `
      for (const entry of ${JSON.stringify(entries)}) {
        const names = Object.keys(await import(entry));
        if (names.length === 0) throw new Error(entry + ' exports nothing');
        console.log(entry + ': ' + names.length + ' exports');
      }`;
    const options = { cwd, capture: true };
    if (entries.length > 0) {
      const { stdout } = await mustRun(process.execPath, ['--input-type=module', '-e', code], options);
      process.stdout.write(stdout);
    }
    for (const [command, target] of Object.entries(bin)) {
      const { stdout } = await mustRun(process.execPath, [join(cwd, target), '--version'], options);
      process.stdout.write(`${command}: ${stdout}`);
    }
  }
}

/** The smoke run of `npm run bench`: every part runs, the figures mean nothing. */
async function bench() {
  const out = join(scratch, 'bench');
  const words = [join(ROOT, 'scripts', 'bench.mjs'), '--quick', '--out', out];
  await mustRun(process.execPath, words, { capture: true, minutes: 5 });
  const figures = JSON.parse(readFileSync(join(out, 'bench.json'), 'utf8'));
  const parts = ['inference', 'training', 'start', 'pipeline'].filter((name) => !figures[name]);
  check(parts.length === 0, `bench.json lacks ${parts.join(', ')}`);
  const rows = figures.inference.batches.flatMap(({ outcomes }) => outcomes);
  check(rows.length > 0 && rows.every(({ p50 }) => p50 > 0), `the forward pass says ${JSON.stringify(rows)}`);
}

/** All vitest projects; the counts come from its JSON report, never from its text. */
async function unitTests() {
  const report = join(scratch, 'vitest.json');
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const { code } = await run(...tool('vitest/vitest.mjs', 'run', ...reporters), { minutes: 20 });
  let json;
  try {
    json = JSON.parse(readFileSync(report, 'utf8'));
  } catch {
    throw new CheckFailure(`vitest left no report and exited with ${code}`);
  }
  const passed = json.numPassedTests;
  const skipped = json.numPendingTests + json.numTodoTests;
  // A file that does not load has no tests to fail, and an error outside every test only shows in the exit code.
  const broken = json.testResults.filter(
    (file) => file.status === 'failed' && !file.assertionResults.some(({ status }) => status === 'failed'),
  ).length;
  const failed = json.numFailedTests + broken;
  return { passed, skipped, failed: failed === 0 && code !== 0 ? 1 : failed };
}
