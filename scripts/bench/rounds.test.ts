import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Player, playRounds } from './rounds.ts';

afterEach(() => void vi.restoreAllMocks());

describe('playRounds', () => {
  it('gives all a turn in every round, and few to those who take long', async () => {
    let clock = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => clock);
    const turns: string[] = [];
    const player = (name: string, ms: number): Player => ({
      name,
      async turn() {
        turns.push(name);
        clock += ms;
        return [ms];
      },
      close: async () => undefined,
    });
    const log = () => undefined;
    const rounds = { rounds: 4, patience: 0, turnMs: 0, log };
    const outcomes = await playRounds([player('quick', 100), player('slow', 20_000)], rounds, 'quick');
    const count = (name: string) => turns.filter((turn) => turn === name).length;
    expect([count('quick'), count('slow')]).toEqual([5, 3]);
    expect(outcomes.map((one) => one.rounds.length)).toEqual([4, 2]);
    expect(outcomes[1]!.ratio).toEqual({ median: 200, min: 200, max: 200 });
  });
});
