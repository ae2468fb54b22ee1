/** A value and how long the consumer had to wait for it. */
export interface Arrival<T> {
  readonly value: T;
  /** Milliseconds between asking for it and having it. */
  readonly waited: number;
}

/**
 * At most `count` values of `source`, the next one always asked for before the last one is handed out: a source that
 * works in other threads fills the time that the consumer needs. Leaving the loop early closes the source.
 */
export async function* ahead<T>(source: AsyncIterable<T>, count: number): AsyncGenerator<Arrival<T>> {
  const iterator = source[Symbol.asyncIterator]();
  const ask = () => {
    const answer = iterator.next();
    // A failure shows when the value is wanted; until then it must not end the process.
    answer.catch(() => undefined);
    return answer;
  };
  let asked = performance.now();
  let pending = count > 0 ? ask() : undefined;
  try {
    for (let given = 1; pending; given++) {
      const answer = await pending;
      pending = undefined;
      if (answer.done) return;
      const waited = performance.now() - asked;
      if (given < count) pending = ask();
      yield { value: answer.value, waited };
      asked = performance.now();
    }
  } finally {
    await pending?.catch(() => undefined);
    await iterator.return?.();
  }
}

/** Groups of `size` consecutive values; an incomplete last group is left out. */
export async function* grouped<T>(source: AsyncIterable<T>, size: number): AsyncGenerator<readonly T[]> {
  let group: T[] = [];
  for await (const value of source) {
    group.push(value);
    if (group.length < size) continue;
    yield group;
    group = [];
  }
}
