// node scripts/run.mjs <app> <args>: runs apps/<app>/src/main.ts from the sources. Input, output, exit code
// and signals are the app's own; nothing else is printed.
import { spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { checkNode, ROOT, sourceEnvironment, sourceFlags } from './setup.mjs';

const [app, ...args] = process.argv.slice(2);
const command = prepare();
if (command) run(command);

function prepare() {
  const apps = readdirSync(join(ROOT, 'apps')).filter((name) => existsSync(entryOf(name)));
  if (!apps.includes(app)) {
    process.stderr.write(
      `run: there is no app ${JSON.stringify(app ?? '')}. Use one of: ${apps.join(', ')}\n`,
    );
    process.exitCode = 2;
    return undefined;
  }
  try {
    checkNode();
    return [...sourceFlags(), entryOf(app), ...args];
  } catch (error) {
    const known =
      error.code === 'MODULE_NOT_FOUND'
        ? 'The packages are not installed yet. Run `npm run setup` first.'
        : error.message;
    process.stderr.write(`${known}\n`);
    process.exitCode = 1;
    return undefined;
  }
}

function entryOf(name) {
  return join(ROOT, 'apps', name, 'src', 'main.ts');
}

function run(words) {
  const env = sourceEnvironment();
  const child = spawn(process.execPath, words, { stdio: 'inherit', cwd: workingFolder(), env });
  // A terminal sends its interrupt to both processes: this one waits for the app to end in its own way.
  const forward = (signal) => child.kill(signal);
  process.on('SIGINT', () => undefined);
  process.on('SIGTERM', forward);
  process.on('SIGHUP', forward);
  child.on('exit', (code, signal) => {
    process.removeAllListeners('SIGINT');
    process.off('SIGTERM', forward);
    process.off('SIGHUP', forward);
    // Ending of the same signal tells a shell the truth about an interrupt.
    if (signal) process.kill(process.pid, signal);
    else process.exitCode = code ?? 1;
  });
}

/** Where the user stands: a package manager runs this script in the root, whatever folder it was typed in. */
function workingFolder() {
  const byScript = process.env.npm_lifecycle_script?.startsWith('node scripts/run.mjs');
  return (byScript && process.env.INIT_CWD) || process.cwd();
}
