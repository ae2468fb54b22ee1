import { AsMlpError } from '@as-mlp/base';

/** What training keeps for one tensor of a model – a moment, an average –, in the engine's layout of that tensor. */
export interface MomentTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * The values of `given` by name, if they are exactly the `wanted` ones.
 *
 * @param kind what they are, in the plural, for messages.
 * @param wanted names and sizes.
 * @throws AsMlpError `weights` when one is missing, of another size, or not wanted.
 */
export function checkedTensors(
  kind: string,
  wanted: ReadonlyMap<string, number>,
  given: readonly MomentTensor[],
): ReadonlyMap<string, Float32Array> {
  const values = new Map(given.map(({ name, data }) => [name, data]));
  const wrong = [...wanted].filter(([name, size]) => values.get(name)?.length !== size).map(([name]) => name);
  const unknown = [...values.keys()].filter((name) => !wanted.has(name));
  if (wrong.length + unknown.length === 0) return values;
  const list = [...wrong, ...unknown];
  throw new AsMlpError('weights', {
    where: 'optimiser state',
    what:
      `${wrong.length} ${kind} are missing or of another size and ${unknown.length} belong to no parameter, ` +
      `first ${list[0]}`,
    fix: 'Resume with the model and the parameter groups that the state was saved with',
  });
}
