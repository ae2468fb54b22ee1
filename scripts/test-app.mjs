// What the real runs of all apps share: starting one, and looking at what it said and left.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { sourceFlags } from './setup.mjs';
import { CheckFailure, check, run } from './test-process.mjs';

/**
 * A function that runs the app below `app` from its sources, or the file `entry`, in `folder`, and checks its exit code
 * (`expected`, one or several). A failure is told in words, without a stack trace.
 */
export function appRunner(app, bin, folder) {
  return async (args, expected = 0, { entry, ...options } = {}) => {
    const program = entry ? [entry] : [...sourceFlags(), join(app, 'src', 'main.ts')];
    const limits = { cwd: folder, capture: true, minutes: 3 };
    const result = await run(process.execPath, [...program, ...args], { ...limits, ...options });
    const said = `${bin} ${args.join(' ')}\n${result.stdout}${result.stderr}`;
    check([expected].flat().includes(result.code), `exit code ${result.code}, not ${expected}, of ${said}`);
    check(!/^\s+at .*:\d+/m.test(result.stderr), `a stack trace of ${said}`);
    return { ...result, said };
  };
}

/** The JSON that a run printed, which must be all that stands on its standard output. */
export function parsed({ stdout, said }) {
  try {
    return JSON.parse(stdout);
  } catch {
    throw new CheckFailure(`no JSON alone on the standard output of ${said}`);
  }
}

/** Fails unless the run told of each of `words` on standard error. */
export function checkSaid({ stderr, said }, ...words) {
  for (const word of words)
    check(stderr.includes(word), `no ${JSON.stringify(word)} in the words of ${said}`);
}

/** Fails unless a folder holds these and nothing else. */
export function checkFiles(folder, names) {
  const found = readdirSync(folder).sort();
  check(isDeepStrictEqual(found, [...names].sort()), `${folder} holds ${found.join(', ')}`);
}

const RUN_FILES = [
  'best.safetensors',
  'checkpoints',
  'log.csv',
  'log.jsonl',
  'metrics.csv',
  'recipe.json',
  'report.html',
];

/** Nothing is in a run folder but its files, and one or more for TensorBoard. */
export function checkRun(folder) {
  const found = readdirSync(folder).sort();
  const others = found.filter((name) => !name.startsWith('events.out.tfevents.'));
  const isRun = isDeepStrictEqual(others, RUN_FILES) && others.length < found.length;
  check(isRun, `${folder} holds ${found.join(', ')}`);
}

/** Every verb stands in the help; those of `own`, all unless given, have their own. */
export async function checkHelp(bin, verbs, cli, own = verbs) {
  const help = await cli(['--help']);
  for (const verb of verbs) {
    check(new RegExp(`^ {2}${verb} `, 'm').test(help.stdout), `${verb} is not in the help:\n${help.stdout}`);
  }
  const helps = await Promise.all(own.map((verb) => cli([verb, '--help'])));
  for (const [i, { stdout, said }] of helps.entries()) {
    const isWhole = stdout.startsWith(`Usage: ${bin} ${own[i]} `) && stdout.includes('--verbose');
    check(isWhole, `no help in ${said}`);
  }
}

/** Each of `wrong`, `[args, words]`, ends with exit code 2 and says the words on standard error. */
export async function checkUsageErrors(cli, wrong) {
  const results = await Promise.all(wrong.map(([args]) => cli(args, 2)));
  for (const [i, result] of results.entries()) {
    checkSaid(result, wrong[i][1]);
    check(result.stdout === '', `a usage error on the standard output of ${result.said}`);
  }
}

/** Everything below a folder, sorted. */
export function listing(folder) {
  return readdirSync(folder, { recursive: true }).map(String).sort();
}

/**
 * A training into the folder `run` that is interrupted after its first epoch, is not begun again without `--resume`, and goes on
 * with it. `args` are its words without `--out`.
 */
export async function checkTrainAndResume(folder, args, cli) {
  const train = [...args, '--out', 'run'];
  let isInterrupted = false;
  const watch = (stderr, child) => {
    if (isInterrupted || !stderr.includes('epoch 1:')) return;
    isInterrupted = true;
    child.kill('SIGINT');
  };
  // Windows knows no such signal: there the process just ends.
  const stopped = await cli(train, process.platform === 'win32' ? [130, null] : 130, { watch });
  if (stopped.code === 130) checkSaid(stopped, 'stopped after update', '--resume');
  checkSaid(await cli(train, 2), 'run: ', 'not empty', '--resume');
  const resumed = await cli([...train, '--resume']);
  check(!resumed.stderr.includes('epoch 1:'), `a start anew in ${resumed.said}`);
  check(resumed.stdout.includes('weights: '), `no weights in ${resumed.said}`);
  checkRun(join(folder, 'run'));
}

/**
 * Writes every format that this machine can check: a SavedModel needs TensorFlow, ONNX its runtime. `parts` are the folders of a
 * network of several functions.
 */
export async function checkExports(folder, weights, cli, parts = []) {
  const { versions } = parsed(await cli(['doctor', '--json']));
  const inParts = (file) =>
    parts.length === 0 ? [file] : parts.flatMap((part) => [part, join(part, file)]).sort();
  const formats = [
    ['safetensors', ['model.safetensors'], 1, true],
    ['onnx', inParts('model.onnx'), parts.length || 1, versions.onnxRuntime !== null],
    ['savedmodel', inParts('saved_model.pb'), parts.length || 1, versions.tensorflow !== null],
  ];
  for (const [format, files, functions, isThere] of formats) {
    const out = `export-${format}`;
    const args = ['export', '--weights', weights, '--format', format, '--out', out];
    const { stdout } = await cli(args, isThere ? 0 : 1);
    if (!isThere) continue;
    const found = listing(join(folder, out));
    check(isDeepStrictEqual(found, files), `${format} left ${found}`);
    const differences = [...stdout.matchAll(/largest difference (\S+)/g)].map(([, value]) => Number(value));
    const isClose = differences.length === functions && differences.every((value) => value < 1e-4);
    check(isClose, `${format}: ${stdout}`);
  }
}

/** Each of `failures`, `[args, exit code, words]`, says the words on standard error; all is in `folder` that was there, and no more. */
export async function checkFailures(folder, cli, failures) {
  const before = listing(folder);
  await Promise.all(failures.map(async ([args, code, words]) => checkSaid(await cli(args, code), words)));
  const after = listing(folder);
  const differing = [...after, ...before].filter((name) => !after.includes(name) || !before.includes(name));
  check(isDeepStrictEqual(after, before), `what failed left or took ${differing.join(', ')}`);
}
