import { spawn } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';

/** How a child process ended, and what it said. */
export interface CommandResult {
  /** The exit code, or -1 when it did not start or was killed by a signal. */
  readonly code: number;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  readonly env: NodeJS.ProcessEnv;
  /** Kills the child after this many milliseconds. */
  readonly timeout?: number;
  /** Called every ten seconds with the milliseconds since the start. */
  readonly onWait?: (elapsed: number) => void;
}

const WAIT_INTERVAL = 10_000;

/**
 * Runs a program without a shell and collects its output. Never rejects: a program that cannot start
 * is a result with code -1 and the reason in `stderr`. The child dies with this process.
 */
export function runCommand(
  command: readonly [string, ...string[]],
  options: CommandOptions,
): Promise<CommandResult> {
  const [program, ...args] = command;
  return new Promise((resolve) => {
    const started = performance.now();
    const child = spawn(program, args, { env: options.env, stdio: ['ignore', 'pipe', 'pipe'] });
    const kill = () => child.kill('SIGKILL');
    process.once('exit', kill);
    const waiting = setInterval(() => options.onWait?.(performance.now() - started), WAIT_INTERVAL);
    const limit = options.timeout === undefined ? undefined : setTimeout(kill, options.timeout);
    const output = { stdout: '', stderr: '' };
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      output.stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      output.stderr += text;
    });
    let failure = '';
    const finish = (code: number | null, signal: NodeJS.Signals | null) => {
      clearInterval(waiting);
      clearTimeout(limit);
      process.off('exit', kill);
      resolve({ code: code ?? -1, signal, stdout: output.stdout, stderr: output.stderr + failure });
    };
    child.on('error', (error) => {
      failure = error.message;
      if (child.pid === undefined) finish(-1, null);
    });
    child.on('close', finish);
  });
}

/** The full path of an executable that a shell with this environment would run, or undefined. */
export function findOnPath(program: string, env: NodeJS.ProcessEnv): string | undefined {
  const candidates = isAbsolute(program)
    ? [program]
    : (env.PATH ?? '').split(delimiter).map((folder) => join(folder || '.', program));
  return candidates.find((candidate) => {
    try {
      accessSync(candidate, constants.X_OK);
      return statSync(candidate).isFile();
    } catch {
      return false;
    }
  });
}

/** The last line of a program's output that says something, at most 300 characters. */
export function lastWords(output: string): string {
  const lines = output.split(/\r?\n/).map((line) => line.trim());
  return (lines.filter((line) => line !== '').at(-1) ?? '').slice(0, 300);
}
