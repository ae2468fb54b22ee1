// Child processes for `npm test`: streamed or captured, with a limit in time.
import { spawn } from 'node:child_process';
import { ROOT } from './setup.mjs';

/** What a caller may see as wrong with a run: a message for a person, no stack trace wanted. */
export class CheckFailure extends Error {}

/**
 * Runs a command and waits for it. With `capture`, stdout and stderr come back as text and are not shown, and
 * `watch(stderr, child)` is called whenever more was said. A run past `minutes` is ended and counts as failed (code null).
 */
export function run(
  command,
  args,
  { cwd = ROOT, env = {}, capture = false, watch = () => undefined, minutes = 10 } = {},
) {
  return new Promise((resolve) => {
    const output = capture ? 'pipe' : 'inherit';
    const child = spawn(command, args, {
      cwd,
      // npx is a batch file on Windows, which only a shell starts.
      shell: process.platform === 'win32' && command !== process.execPath,
      env: { ...process.env, ...quiet(), ...env },
      stdio: ['ignore', output, output],
    });
    const texts = { stdout: '', stderr: '' };
    for (const name of capture ? ['stdout', 'stderr'] : []) {
      child[name].setEncoding('utf8').on('data', (text) => {
        texts[name] += text;
        if (name === 'stderr') watch(texts.stderr, child);
      });
    }
    let late = false;
    const end = setTimeout(() => {
      late = true;
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 5_000).unref();
    }, minutes * 60_000);
    const finish = (code, note = '') => {
      clearTimeout(end);
      resolve({ ...texts, code, stderr: texts.stderr + note });
    };
    child.on('error', (error) => finish(null, `${command}: ${error.message}\n`));
    child.on('close', (code) => finish(late ? null : code, late ? `ended after ${minutes} minutes\n` : ''));
  });
}

/** Like `run`, but anything other than exit code 0 is a failure. */
export async function mustRun(command, args, options) {
  const result = await run(command, args, options);
  if (result.code !== 0) {
    const shown = [result.stdout, result.stderr].join('').trim();
    const ending = result.code === null ? 'did not finish' : `exited with ${result.code}`;
    throw new CheckFailure(`${[command, ...args].join(' ')} ${ending}${shown && `\n${shown}`}`);
  }
  return result;
}

/** Fails with `message` unless `condition` holds. */
export function check(condition, message) {
  if (!condition) throw new CheckFailure(message);
}

/** No telemetry, no update notes; no colours where nobody watches. */
function quiet() {
  const plain = process.env.CI || !process.stdout.isTTY;
  return {
    TURBO_TELEMETRY_DISABLED: '1',
    TURBO_NO_UPDATE_NOTIFIER: '1',
    DO_NOT_TRACK: '1',
    NO_UPDATE_NOTIFIER: '1',
    ...(plain ? { NO_COLOR: '1', FORCE_COLOR: '0', TURBO_UI: 'false' } : {}),
  };
}
