import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it } from 'vitest';
import { axialShift, type ShiftOptions, shiftGroups } from './axial-shift.ts';

/** `[1, 1, 5, channels]` with the value of every cell equal to its column. */
const columns = (channels: number) =>
  tf.tensor4d(
    Array.from({ length: 5 * channels }, (_, i) => Math.floor(i / channels)),
    [1, 1, 5, channels],
  );

/** One row a channel, so that a reader sees each group move. */
function rows(options: ShiftOptions, channels = 5): number[][] {
  return tf.tidy(() => {
    const shifted = axialShift(columns(channels), 'width', options);
    return tf.transpose(tf.reshape(shifted, [5, channels])).arraySync() as number[][];
  });
}

describe('axialShift', () => {
  it('moves five channels by −2 … 2 with zeros from outside', () => {
    expect(rows({ size: 5 })).toEqual([
      [2, 3, 4, 0, 0],
      [1, 2, 3, 4, 0],
      [0, 1, 2, 3, 4],
      [0, 0, 1, 2, 3],
      [0, 0, 0, 1, 2],
    ]);
  });

  it('takes the other end, the mirror or the edge when asked', () => {
    const outer = (padding: ShiftOptions['padding']) => [
      rows({ size: 5, padding })[0],
      rows({ size: 5, padding })[4],
    ];
    expect(outer('circular')).toEqual([
      [2, 3, 4, 0, 1],
      [3, 4, 0, 1, 2],
    ]);
    expect(outer('reflect')).toEqual([
      [2, 3, 4, 3, 2],
      [2, 1, 0, 1, 2],
    ]);
    expect(outer('replicate')).toEqual([
      [2, 3, 4, 4, 4],
      [0, 0, 0, 1, 2],
    ]);
  });

  it('spreads displacements by the dilation', () => {
    expect(rows({ size: 3, dilation: 2 }, 3)).toEqual([
      [2, 3, 4, 0, 0],
      [0, 1, 2, 3, 4],
      [0, 0, 0, 1, 2],
    ]);
  });

  it('moves rows along the height and is the identity for size 1', () => {
    tf.tidy(() => {
      const x = tf.tensor4d([0, 0, 0, 1, 1, 1, 2, 2, 2], [1, 3, 1, 3]);
      expect(tf.reshape(axialShift(x, 'height', { size: 3 }), [3, 3]).arraySync()).toEqual([
        [1, 0, 0],
        [2, 1, 0],
        [0, 2, 1],
      ]);
      expect(axialShift(x, 'height', { size: 1 })).toBe(x);
    });
  });

  it('empties groups that travel further than the map is long', () => {
    tf.tidy(() => {
      const x = tf.ones<tf.Rank.R4>([1, 1, 1, 5]);
      expect([...axialShift(x, 'width', { size: 5 }).dataSync()]).toEqual([0, 0, 1, 0, 0]);
    });
  });

  it('has the adjoint shift as its gradient', () => {
    tf.tidy(() => {
      const x = tf.randomUniform<tf.Rank.R4>([2, 4, 6, 10]);
      const weight = tf.randomUniform<tf.Rank.R4>([2, 4, 6, 10]);
      const loss = (input: tf.Tensor) =>
        tf.sum(tf.mul(axialShift(input as tf.Tensor4D, 'height', { size: 5 }), weight));
      const gradient = tf.grad(loss)(x);
      const mirrored = tf.reverse(axialShift(tf.reverse(weight, 1), 'height', { size: 5 }), 1);
      expect([...gradient.dataSync()]).toEqual([...mirrored.dataSync()]);
    });
  });
});

describe('shiftGroups', () => {
  const widths = (channels: number, size: number) => shiftGroups(channels, size).map((g) => g.end - g.first);

  it('splits the published widths', () => {
    expect(widths(96, 5)).toEqual([20, 20, 20, 20, 16]);
    expect(widths(768, 5)).toEqual([154, 154, 154, 154, 152]);
    expect(widths(128, 3)).toEqual([43, 43, 42]);
  });

  it('leaves out groups for which no channel is left', () => {
    expect(shiftGroups(6, 5).map((g) => g.displacement)).toEqual([-2, -1, 0]);
    expect(shiftGroups(8, 5).map((g) => g.displacement)).toEqual([-2, -1, 0, 1]);
  });

  it.each([0, 2, -1, 2.5])('refuses size %d', (size) => {
    expect(() => shiftGroups(8, size)).toThrow(/odd number/);
  });
});
