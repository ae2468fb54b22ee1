// `npm run demo [-- options]`: the set-up, then the demo of every app, from the sources. Options go to the demos.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, SetupError, setup, sourceEnvironment, sourceFlags } from './setup.mjs';

const INTERRUPTED = 130;
// A terminal sends its interrupt to all processes: this one waits for the demo to end in its own way.
const ignore = () => undefined;
process.on('SIGINT', ignore);

try {
  await setup();
  process.exitCode = await runDemos(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}

/** Runs one demo after the other and returns the exit code of the first that failed, else 0. */
async function runDemos(args) {
  const apps = readdirSync(join(ROOT, 'apps')).filter((name) => existsSync(entryOf(name)));
  let exitCode = 0;
  for (const app of apps) {
    const code = await runDemo(app, belowOut(args, app));
    if (code === INTERRUPTED) return code;
    exitCode ||= code;
  }
  return exitCode;
}

/** The options of one app: where they name a folder for results, each app has its own in it. */
function belowOut(args, app) {
  return args.map((word, i) => {
    if (args[i - 1] === '--out') return join(word, app);
    return word.startsWith('--out=') ? `--out=${join(word.slice('--out='.length), app)}` : word;
  });
}

function entryOf(app) {
  return join(ROOT, 'apps', app, 'src', 'main.ts');
}

function runDemo(app, args) {
  const words = [...sourceFlags(), entryOf(app), 'demo', ...args];
  const env = sourceEnvironment();
  const child = spawn(process.execPath, words, { stdio: 'inherit', cwd: workingFolder(), env });
  const forward = (signal) => child.kill(signal);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  return new Promise((resolve) => {
    child.on('exit', (code, signal) => {
      process.off('SIGTERM', forward);
      process.off('SIGHUP', forward);
      resolve(signal === 'SIGINT' || signal === 'SIGTERM' ? INTERRUPTED : (code ?? 1));
    });
  });
}

/** Where the user stands: a package manager runs this script in the root, whatever folder it was typed in. */
function workingFolder() {
  const byScript = process.env.npm_lifecycle_script?.startsWith('node scripts/demo.mjs');
  return (byScript && process.env.INIT_CWD) || process.cwd();
}
