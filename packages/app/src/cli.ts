import { AsMlpError } from '@as-mlp/base';
import type { Engine } from '@as-mlp/engine';
import { Command, CommanderError } from 'commander';
import type { EngineFlags } from './options.ts';
import { processTerminal, type Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';

/** What a verb is given to work with. */
export interface Cli {
  readonly terminal: Terminal;
  /** Aborts at the first Ctrl+C. */
  readonly signal: AbortSignal;
  /** Opens the engine that the flags ask for and says in one line which it is. */
  openEngine(flags: EngineFlags): Promise<Engine>;
  /** Marks the run as partly failed (exit code 1) and says why. */
  fail(error: unknown): void;
}

/** A verb adds itself to the program. */
export type Verb = (program: Command, cli: Cli) => void;

/** One app: a task and its verbs. */
export interface AppDefinition {
  /** Name of the command, e.g. `asmlp-classify`. */
  readonly bin: string;
  readonly summary: string;
  readonly verbs: readonly Verb[];
  /** Shown below the help. */
  readonly examples: readonly string[];
}

const EXIT = { done: 0, failed: 1, usage: 2, interrupted: 130 } as const;

/**
 * Runs an app and returns its exit code: 0 all done, 1 some input failed, 2 wrong usage, 130 interrupted.
 * Errors are printed as one message; `--verbose` adds the stack.
 */
export async function runApp(
  app: AppDefinition,
  args: readonly string[],
  terminal: Terminal = processTerminal(),
): Promise<number> {
  const interrupt = new AbortController();
  let failures = 0;
  const isVerbose = args.includes('--verbose');
  const report = (error: unknown) => terminal.log(describeError(error, isVerbose));
  const cli: Cli = {
    terminal,
    signal: interrupt.signal,
    openEngine: async ({ engine: name, ...flags }) => {
      const { describeEngine, openEngine } = await import('@as-mlp/engine');
      const { device, threads, eager, precision } = flags;
      const engine = await openEngine({ engine: name, device, threads, eager, precision, log: terminal.log });
      terminal.log(describeEngine(engine));
      return engine;
    },
    fail: (error) => {
      failures++;
      report(error);
    },
  };

  const onInterrupt = () => {
    // The second Ctrl+C does not wait.
    if (interrupt.signal.aborted) process.exit(EXIT.interrupted);
    terminal.log('stopping after the current step; press Ctrl+C again to stop at once');
    interrupt.abort();
  };
  process.on('SIGINT', onInterrupt);
  process.on('SIGTERM', onInterrupt);
  try {
    await createProgram(app, cli).parseAsync([...args], { from: 'user' });
    if (interrupt.signal.aborted) return EXIT.interrupted;
    return failures > 0 ? EXIT.failed : EXIT.done;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    if (interrupt.signal.aborted && isInterruption(error)) return EXIT.interrupted;
    report(error);
    return error instanceof AsMlpError && error.kind === 'usage' ? EXIT.usage : EXIT.failed;
  } finally {
    process.off('SIGINT', onInterrupt);
    process.off('SIGTERM', onInterrupt);
  }
}

/** Runs an app as this process: exit code, and silence when the reader of a pipe goes away. */
export async function main(app: AppDefinition): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    process.exit(error.code === 'EPIPE' ? EXIT.done : EXIT.failed);
  });
  process.exitCode = await runApp(app, process.argv.slice(2));
}

function createProgram(app: AppDefinition, cli: Cli): Command {
  const { terminal } = cli;
  const program = new Command(app.bin)
    .description(app.summary)
    .version(packageVersion())
    .showSuggestionAfterError()
    .showHelpAfterError(`(${app.bin} --help shows what is possible)`)
    .addHelpText('after', `\nExamples:\n${app.examples.map((line) => `  ${line}\n`).join('')}`);
  for (const addVerb of app.verbs) addVerb(program, cli);
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({
      writeOut: terminal.out,
      writeErr: (text) => terminal.log(text.trimEnd()),
    });
    command.option('--verbose', 'show where an error came from');
  }
  return program;
}

/** Work that was given up on request, and not for a reason of its own such as a full disk. */
function isInterruption(error: unknown): boolean {
  if (error instanceof AsMlpError) return error.kind === 'cancelled';
  return error instanceof Error && error.name === 'AbortError';
}

/** One message for a person; the stack only when asked for. */
export function describeError(error: unknown, isVerbose: boolean): string {
  if (!(error instanceof Error)) return `error: ${String(error)}`;
  if (isVerbose) return `error: ${stackOf(error)}`;
  if (error instanceof AsMlpError) return `error: ${error.message}`;
  return `error: ${error.message} (unexpected: run again with --verbose and report it)`;
}

function stackOf(error: Error): string {
  const stack = error.stack ?? error.message;
  return error.cause instanceof Error ? `${stack}\ncaused by: ${stackOf(error.cause)}` : stack;
}
