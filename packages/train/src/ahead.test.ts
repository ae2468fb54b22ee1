import { describe, expect, it } from 'vitest';
import { ahead, grouped } from './ahead.ts';

/** Counts to `end` and notes what happens to it. */
function counter(end: number) {
  const events: string[] = [];
  async function* count() {
    try {
      for (let i = 1; i <= end; i++) {
        events.push(`make ${i}`);
        yield i;
      }
      events.push('end');
    } finally {
      events.push('close');
    }
  }
  return { events, count };
}

describe('ahead', () => {
  it('asks for the next value before it hands out the last', async () => {
    const { events, count } = counter(3);
    for await (const { value } of ahead(count(), 3)) events.push(`use ${value}`);
    expect(events).toEqual(['make 1', 'make 2', 'use 1', 'make 3', 'use 2', 'use 3', 'close']);
  });

  it('takes no more than it was told to', async () => {
    const { events, count } = counter(9);
    const values: number[] = [];
    for await (const { value } of ahead(count(), 2)) values.push(value);
    expect(values).toEqual([1, 2]);
    expect(events).toEqual(['make 1', 'make 2', 'close']);
  });

  it('ends with its source', async () => {
    const values: number[] = [];
    for await (const { value } of ahead(counter(2).count(), 5)) values.push(value);
    expect(values).toEqual([1, 2]);
  });

  it('asks for nothing when nothing is wanted', async () => {
    const { events, count } = counter(2);
    for await (const _ of ahead(count(), 0)) events.push('use');
    expect(events).toEqual([]);
  });

  it('closes its source when the loop is left, also with a failure on the way', async () => {
    const { events, count } = counter(3);
    for await (const { value } of ahead(count(), 3)) if (value === 1) break;
    expect(events.at(-1)).toBe('close');

    async function* failing() {
      yield 1;
      throw new Error('broken image');
    }
    // The failure of value 2 is already there when the loop is left at value 1.
    for await (const _ of ahead(failing(), 3)) break;
  });

  it('passes on a failure when its value is wanted', async () => {
    const seen: number[] = [];
    async function* failing() {
      yield 1;
      throw new Error('broken image');
    }
    const consume = async () => {
      for await (const { value } of ahead(failing(), 3)) seen.push(value);
    };
    await expect(consume()).rejects.toThrow('broken image');
    expect(seen).toEqual([1]);
  });
});

describe('grouped', () => {
  it('leaves out an incomplete group', async () => {
    const groups: (readonly number[])[] = [];
    for await (const group of grouped(counter(5).count(), 2)) groups.push(group);
    expect(groups).toEqual([
      [1, 2],
      [3, 4],
    ]);
  });
});
