import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { runApp, type Verb } from './cli.ts';
import { memoryTerminal } from './terminal.ts';

/** What an app said and how it ended. */
export interface Said {
  readonly code: number;
  /** Standard output. */
  readonly out: string;
  /** Lines of standard error. */
  readonly log: readonly string[];
  /** `label done/total unit, note`, and `label stopped`. */
  readonly progress: readonly string[];
}

/** Runs an app of these verbs at a terminal that remembers everything. */
export async function runVerbs(verbs: readonly Verb[], ...args: readonly string[]): Promise<Said> {
  const terminal = memoryTerminal();
  const app = { bin: 'probe', summary: 'A probe.', verbs, examples: ['probe go'] };
  const code = await runApp(app, args, terminal);
  const { said: out, lines: log, progressLines: progress } = terminal;
  return { code, out, log, progress };
}

/** Ctrl+C, as this process sees it. */
export function pressInterrupt(): void {
  process.emit('SIGINT');
}

/** An empty folder that is gone after the test. */
export function scratchFolder(): string {
  const folder = mkdtempSync(join(realpathSync(tmpdir()), 'asmlp-app-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}
