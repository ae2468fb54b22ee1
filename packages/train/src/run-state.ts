import { AsMlpError } from '@as-mlp/base';
import { z } from 'zod';

const metrics = z.record(z.string(), z.number().nullable());

const evaluation = z.object({
  /** Whole epochs done, from 1. */
  epoch: z.number().int().nonnegative(),
  /** Updates done. */
  step: z.number().int().nonnegative(),
  metrics,
});

const lossMemory = z.object({
  /** The first losses of the run. */
  first: z.array(z.number()),
  /** The last ones, those that are too high left out. */
  recent: z.array(z.number()),
  /** How many in a row were too high. */
  above: z.number().int().nonnegative(),
});

/** What the guard against exploding losses remembers. */
export type LossMemory = z.infer<typeof lossMemory>;

/** The schema of `state.json`: where a run stands, beside its tensors. */
export const runState = z.object({
  format: z.literal(1),
  task: z.string(),
  /** Updates done. */
  step: z.number().int().nonnegative(),
  /** Whole epochs done. */
  epoch: z.number().int().nonnegative(),
  /** Batches of the next epoch that are done already. */
  batch: z.number().int().nonnegative(),
  batchesPerEpoch: z.number().int().positive(),
  /** The random numbers of the next update start here. */
  rng: z.object({ key: z.tuple([z.number(), z.number()]), position: z.number() }),
  /** Every evaluation so far, oldest first. A metric that is undefined is `null`. */
  history: z.array(evaluation),
  best: evaluation.nullable(),
  /** What the guard against exploding losses remembers. */
  losses: lossMemory.optional(),
  /** Header of the weight files. */
  metadata: z.record(z.string(), z.string()),
  recipe: z.record(z.string(), z.unknown()),
  environment: z.record(z.string(), z.unknown()),
});

/** Where a run stands, as `state.json` holds it. */
export type RunState = z.infer<typeof runState>;

/** The metrics after an epoch. */
export type Evaluation = z.infer<typeof evaluation>;

/**
 * Reads the text of `state.json`.
 *
 * @throws AsMlpError (input) when it is not one.
 */
export function parseRunState(text: string, where: string): RunState {
  const value = parseJson(text, where);
  const result = runState.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0]!;
  throw new AsMlpError('input', {
    where,
    what: `this is not the state of a run (${issue.path.join('.')}: ${issue.message})`,
    fix: 'Restore the file or start a new run',
  });
}

/**
 * `JSON.parse` with an error for a person.
 *
 * @throws AsMlpError (input) when the text is not JSON.
 */
export function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new AsMlpError('input', {
      where,
      what: 'this is not JSON',
      fix: 'Restore the file or start a new run',
      cause,
    });
  }
}

/**
 * The differences between two JSON values, one line each, e.g. `lr: 0.001 then, 0.01 now`. Empty when they are equal.
 * Keys whose value is undefined count as absent.
 */
export function differences(then: unknown, now: unknown, path = ''): string[] {
  if (isRecord(then) && isRecord(now)) {
    const keys = new Set([...Object.keys(then), ...Object.keys(now)]);
    return [...keys].flatMap((key) => differences(then[key], now[key], path ? `${path}.${key}` : key));
  }
  const [before, after] = [show(then), show(now)];
  return before === after ? [] : [`${path}: ${brief(before)} then, ${brief(after)} now`];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function show(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

function brief(text: string): string {
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
