// node scripts/kill-test.mjs <kills> <app> <args of train, without --out>: trains once without interruption, and once killed
// (kill -9) so many times at random moments, each time after a new checkpoint, and resumed. The weights, averages and moments
// of the two must be the same to the last bit. Takes as many updates as kills at least; saveEvery=1 is added.
//
//   node scripts/kill-test.mjs 20 classification --data mnist --epochs 1 --batch 2000
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT, sourceFlags } from './setup.mjs';

const [kills, app, ...options] = process.argv.slice(2);
const folder = mkdtempSync(join(tmpdir(), 'as-mlp-kills-'));
const main = join(ROOT, 'apps', app, 'src', 'main.ts');

/** Trains in `out`; with `killed`, until a random moment after the next checkpoint. Whether it was killed. */
function train(out, killed) {
  const args = ['train', ...options, '--set', 'saveEvery=1', '--out', out, '--resume'];
  const child = spawn(process.execPath, [...sourceFlags(), main, ...args], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (text) => {
    said += text;
  });
  const before = checkpointOf(out);
  const watch =
    killed &&
    setInterval(() => {
      if (checkpointOf(out) === before) return;
      clearInterval(watch);
      // Up to the time of a few updates, most of which is computing, and as often a moment in which files are written.
      setTimeout(() => child.kill('SIGKILL'), Math.random() * (Math.random() < 0.5 ? 40 : 2000));
    }, 5);
  return new Promise((resolve, reject) => {
    child.on('close', (code, signal) => {
      clearInterval(watch);
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the training ended with ${code}:\n${said}`));
    });
  });
}

function checkpointOf(out) {
  return listed(join(out, 'checkpoints'))
    .filter((name) => name.startsWith('step-'))
    .sort()
    .at(-1);
}

function listed(path) {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** The names and bytes of all weight files. */
function weightsOf(out) {
  const names = readdirSync(out, { recursive: true }).filter((name) => name.endsWith('.safetensors'));
  return names.sort().map((name) => [name, readFileSync(join(out, name))]);
}

try {
  const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
  await train(whole, false);
  let count = 0;
  let torn = 0;
  while (count < Number(kills) && (await train(broken, true))) {
    count++;
    if (listed(join(broken, 'checkpoints')).some((name) => name.endsWith('.tmp'))) torn++;
  }
  await train(broken, false);
  const [expected, found] = [weightsOf(whole), weightsOf(broken)];
  const equal =
    expected.length === found.length &&
    expected.every(([name, bytes], i) => name === found[i][0] && bytes.equals(found[i][1]));
  const where = `${checkpointOf(broken)}, killed ${count} times, ${torn} of them while a checkpoint was written`;
  process.stdout.write(`${app}: ${equal ? 'equal' : 'DIFFERENT'} in ${found.length} files at ${where}\n`);
  if (!equal) process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
