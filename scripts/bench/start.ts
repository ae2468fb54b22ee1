import { execFile } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { StartFigures } from './figures.ts';
import { openPlayers, type Player, playRounds } from './rounds.ts';
import type { Bench } from './sections.ts';

const run = promisify(execFile);
const APP = fileURLToPath(new URL('../../apps/classification/src/main.ts', import.meta.url));
const PREDICT = fileURLToPath(new URL('./peers/predict.py', import.meta.url));

/** A fresh process to the first prediction, and the loading of a checkpoint in a process that stays. */
export async function measureStart(bench: Bench): Promise<StartFigures> {
  const { options, places, python, contestants, log } = bench;
  const photo = join(places.photos, readdirSync(places.photos)[0]!);
  const predict = [...process.execArgv, APP, 'predict', photo, '--json', '-'];
  const eager = [...predict, '--weights', places.weights, '--eager'];
  const compiled = [...predict, '--weights', places.weights];
  const cold: Player[] = [
    freshProcess('compiled', process.execPath, compiled),
    freshProcess('eager', process.execPath, eager),
    ...(python
      ? [freshProcess('PyTorch', python, [PREDICT, photo, places.checkpoint, `${options.side}`])]
      : []),
  ];
  log('cold start');
  const prediction = await playRounds(cold, { ...options, log });

  // PyTorch writes and reads its own format; without it there is only ours.
  const path = python ? places.checkpoint : places.weights;
  log(`loading ${extname(path)}`);
  const loaders = contestants
    .filter(({ name }) => name === 'eager' || name === 'PyTorch')
    .map((one) => (one.name === 'eager' ? { ...one, name: 'this project' } : one));
  const open = () => ({ work: 'weights', model: options.model, side: options.side, path });
  const players = await openPlayers(loaders, open, { batch: 1, turnMs: options.turnMs }, log);
  const loading = await playRounds(players, { ...options, log });
  return { prediction, loading, format: extname(path) };
}

/** Each turn is one process from its start to its end. */
function freshProcess(name: string, command: string, args: readonly string[]): Player {
  return {
    name,
    async turn() {
      const start = performance.now();
      await run(command, args);
      return [performance.now() - start];
    },
    close: async () => undefined,
  };
}
