import { setTimeout } from 'node:timers/promises';
import { quantile } from '@as-mlp/app';
import { Child, type Message } from './child.ts';
import type { Contestant } from './contestants.ts';
import { peakMemory, whenQuiet } from './machine.ts';
import { ratioSpread, type Spread, spread } from './statistics.ts';

/** Whose first turn takes longer than this many milliseconds has this many more: emulated bfloat16 takes minutes. */
const SLOW_MS = 10_000;
const SLOW_ROUNDS = 2;

/** A contestant who is ready. */
export interface Player {
  readonly name: string;
  /** What is not as its name says. */
  readonly note?: string | undefined;
  /** The process that works, when it stays from turn to turn. */
  readonly pid?: number;
  /** Milliseconds for one image, or whatever the work is counted in, of each repetition. */
  turn(): Promise<readonly number[]>;
  close(): Promise<void>;
}

/** What one contestant took, over all rounds. Milliseconds for one image, or whatever the work is counted in. */
export interface Outcome {
  readonly name: string;
  readonly note?: string | undefined;
  readonly p50: number;
  readonly p95: number;
  /** The median of each round. */
  readonly rounds: readonly number[];
  /** How many times as long as the reference, round by round. */
  readonly ratio: Spread;
  readonly peakMiB: number | undefined;
  /** Share of the processors that other programs took. */
  readonly others: Spread | undefined;
}

/** How rounds are played. */
export interface Rounds {
  readonly rounds: number;
  readonly patience: number;
  /** Before a turn nothing runs for half of this: threads of the one before may still spin, waiting for work. */
  readonly turnMs: number;
  readonly log: (line: string) => void;
}

/**
 * Starts a process for each contestant, told `open`, whose turns are the request `turn`. Those that do not come up say why
 * in one line.
 */
export async function openPlayers(
  contestants: readonly Contestant[],
  open: (contestant: Contestant) => Message,
  turn: Message,
  log: (line: string) => void,
): Promise<Player[]> {
  const players: Player[] = [];
  for (const contestant of contestants) {
    const { name } = contestant;
    const child = new Child(contestant.launch);
    let note: string | undefined;
    try {
      ({ note } = (await child.ask({ do: 'open', ...open(contestant), ...contestant.settings })) as {
        note?: string;
      });
    } catch (error) {
      await child.close();
      log(`  ${name} is left out: ${error instanceof Error ? error.message : error}`);
      continue;
    }
    players.push({
      name,
      note,
      pid: child.pid,
      turn: async () => (await child.ask({ do: 'turn', ...turn })).times as number[],
      close: () => child.close(),
    });
  }
  return players;
}

/**
 * Lets every player have a turn in every round; the first round warms up and does not count. Who needs long for it has two
 * more turns at most. Ratios are to the player named
 * `reference`, else to the first. The players are closed at the end.
 */
export async function playRounds(
  players: readonly Player[],
  { rounds, patience, turnMs, log }: Rounds,
  reference?: string,
): Promise<Outcome[]> {
  const turns = players.map((player) => ({
    player,
    times: [] as number[][],
    others: [] as number[],
    rounds,
  }));
  try {
    for (let round = 0; round <= rounds; round++) {
      log(round === 0 ? '  warming up' : `  round ${round} of ${rounds}`);
      for (const entry of turns) {
        const { player, times, others } = entry;
        if (round > entry.rounds) continue;
        await setTimeout(turnMs / 2);
        const pids = player.pid === undefined ? [] : [player.pid];
        const start = performance.now();
        const turn = await whenQuiet(pids, round > 0 ? patience : 0, () => player.turn());
        if (round === 0) {
          if (performance.now() - start > SLOW_MS) entry.rounds = Math.min(rounds, SLOW_ROUNDS);
          continue;
        }
        times.push([...turn.value]);
        if (turn.others !== undefined) others.push(turn.others);
      }
    }
    const medians = turns.map(({ times }) => times.map((list) => quantile(list, 0.5)));
    const standard =
      medians[
        Math.max(
          0,
          players.findIndex(({ name }) => name === reference),
        )
      ] ?? [];
    return turns.map(({ player, times, others }, index) => ({
      name: player.name,
      note: player.note,
      p50: quantile(times.flat(), 0.5),
      p95: quantile(times.flat(), 0.95),
      rounds: medians[index]!,
      ratio: ratioSpread(medians[index]!, standard),
      peakMiB: player.pid === undefined ? undefined : peakMemory(player.pid),
      others: others.length > 0 ? spread(others) : undefined,
    }));
  } finally {
    await Promise.all(players.map((player) => player.close()));
  }
}
