import { describe, expect, it } from 'vitest';
import { floats, golden, worst } from '../golden.fixture.ts';
import { decodeBoxes, encodeBoxes } from './coder.ts';

interface Expected {
  readonly boxes: number[][];
  readonly gt: number[][];
  readonly deltas: number[][];
  readonly img_shape: [number, number];
  readonly cases: readonly {
    std: number[];
    encoded: number[][];
    decoded: number[][];
    clipped: number[][];
    round_trip: number[][];
  }[];
}
const { boxes, gt, deltas, img_shape, cases } = golden<Expected>('unit/coder.json');
const [height, width] = img_shape;

describe.each(cases)('deltas with std $std', ({ std, encoded, decoded, clipped, round_trip }) => {
  it('are the official ones', () => {
    expect(worst(encodeBoxes(floats(boxes), floats(gt), std), floats(encoded))).toBeLessThan(1e-5);
  });

  it('are decoded as officially, with limited growth', () => {
    const check = (found: Float32Array, expected: number[][]) => {
      // A thousandth of a pixel; boxes reach 1e4 pixels, where float32 itself steps by that much.
      for (const [i, value] of floats(expected).entries()) {
        expect(Math.abs(found[i]! - value)).toBeLessThanOrEqual(Math.max(1e-3, 1e-6 * Math.abs(value)));
      }
    };
    check(decodeBoxes(floats(boxes), floats(deltas), { std }), decoded);
    check(decodeBoxes(floats(boxes), floats(deltas), { std, clip: { height, width } }), clipped);
  });

  it('lead back', () => {
    const back = decodeBoxes(floats(boxes), encodeBoxes(floats(boxes), floats(gt), std), { std });
    expect(worst(back, floats(round_trip))).toBeLessThan(1e-5);
  });
});

it('takes no boxes', () => {
  expect(decodeBoxes(new Float32Array(0), new Float32Array(0))).toEqual(new Float32Array(0));
});
