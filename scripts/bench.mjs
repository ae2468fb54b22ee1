// `npm run bench [-- options]`: the set-up, then scripts/bench/main.ts from the sources.
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { ROOT, SetupError, setup, sourceFlags } from './setup.mjs';

try {
  await setup({ args: ['--quiet'] });
  process.exitCode = await runBench(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof SetupError)) throw error;
  process.stderr.write(`${error.message}\n`);
  process.exitCode = error.exitCode;
}

function runBench(args) {
  const words = [...sourceFlags(), join(ROOT, 'scripts', 'bench', 'main.ts'), ...args];
  const child = spawn(process.execPath, words, { stdio: 'inherit' });
  // A terminal sends its interrupt to all processes: this one waits for the bench to end in its own way.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  return new Promise((resolve) => {
    child.on('exit', (code) => resolve(code ?? 130));
  });
}
