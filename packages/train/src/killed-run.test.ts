import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createRng } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { readLog, temporaryFolder } from './tiny-task.fixture.ts';

const PROGRAM = fileURLToPath(new URL('./killed-run.fixture.ts', import.meta.url));
/** Kills in one test; more by hand. */
const KILLS = Number(process.env.ASMLP_KILLS ?? 3);

/** Runs the training until its end, or kills it so many milliseconds after its first update. Whether it was killed. */
function train(folder: string, killAfter?: number): Promise<boolean> {
  const child = spawn(process.execPath, ['--conditions=source', '--import', 'tsx', PROGRAM, folder], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (killAfter !== undefined) {
    child.stdout.once('data', () => setTimeout(() => child.kill('SIGKILL'), killAfter));
  }
  child.stdout.resume();
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      if (signal === 'SIGKILL') resolve(true);
      else if (code === 0) resolve(false);
      else reject(new Error(`the training ended with ${code}`));
    });
  });
}

/** All that two equal runs have in common, by file. */
function contentOf(folder: string): Record<string, unknown> {
  const tensors = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.safetensors'),
  );
  const log = readLog(folder)
    .filter(({ type }) => type === 'step' || type === 'evaluation')
    .map(({ time, imgPerSec, dataWait, memory, ...rest }) => rest);
  const files = tensors.map((name) => [name, readFileSync(join(folder, name)).toString('base64')]);
  return { log, ...Object.fromEntries(files) };
}

describe('a training that is killed', () => {
  it(
    'at any moment goes on to the bits of one that is not',
    async () => {
      const [whole, folder] = [temporaryFolder(), temporaryFolder()];
      await train(whole);
      const rng = createRng(Date.now() % 2 ** 31);
      let killed = 0;
      while (killed < KILLS && (await train(folder, rng.next() * 60))) killed++;
      expect(killed).toBeGreaterThan(0);
      await train(folder);
      expect(Object.keys(contentOf(folder))).toHaveLength(7);
      expect(contentOf(folder)).toEqual(contentOf(whole));
      expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
    },
    (KILLS + 4) * 30_000,
  );
});
