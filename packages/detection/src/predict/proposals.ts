import type { Size } from '@as-mlp/data';
import { anchors } from '../boxes/anchors.ts';
import { decodeBoxes } from '../boxes/coder.ts';
import { bestFirst, nonMaximumSuppression } from '../boxes/nms.ts';

/** What the proposal network says of one level of one image, outside of the tensor library. */
export interface RpnLevel extends Size {
  /** Input pixels per cell. */
  readonly stride: number;
  /** `[height, width, 3]`. */
  readonly logits: Float32Array;
  /** `[height, width, 3, 4]`. */
  readonly deltas: Float32Array;
}

/** How proposals are chosen. */
export interface ProposalOptions {
  /** Best anchors of each level that are looked at; 1000 officially (2000 in training). */
  readonly perLevel: number;
  /** Proposals of an image; 1000 officially (2000 when a cascade is trained). */
  readonly limit: number;
  /** Largest intersection over union of two proposals of one level; 0.7 officially. */
  readonly threshold: number;
}

/** The official choice when predicting. */
export const PREDICTION_PROPOSALS: ProposalOptions = { perLevel: 1000, limit: 1000, threshold: 0.7 };

/** Boxes with scores, best first. */
export interface Proposals {
  /** `[N, 4]` in input pixels. */
  readonly boxes: Float32Array;
  /** `[N]` in [0, 1]. */
  readonly scores: Float32Array;
}

/** The regions of an image that may hold an object; `clip` is the resized image without padding. */
export function chooseProposals(
  levels: readonly RpnLevel[],
  clip: Size,
  { perLevel, limit, threshold }: ProposalOptions = PREDICTION_PROPOSALS,
): Proposals {
  const found = levels.map((level) => {
    const scores = level.logits.map(sigmoid);
    const chosen = bestIndices(scores, perLevel);
    const deltas = new Float32Array(chosen.length * 4);
    for (const [i, index] of chosen.entries()) {
      deltas.set(level.deltas.subarray(index * 4, index * 4 + 4), i * 4);
    }
    const boxes = decodeBoxes(anchors(level, level.stride, chosen), deltas, { clip });
    return { boxes, scores: Float32Array.from(chosen, (index) => scores[index]!) };
  });
  const boxes = joined(found.map((level) => level.boxes));
  const scores = joined(found.map((level) => level.scores));
  const groups = found.flatMap((level, index) => new Array<number>(level.scores.length).fill(index));
  const kept = nonMaximumSuppression(boxes, scores, { threshold, groups, limit });
  return pick({ boxes, scores }, kept);
}

const sigmoid = (logit: number) => 1 / (1 + Math.exp(-logit));

/** The `count` largest, best first and of equal ones the first; all in their order when there are no more. */
function bestIndices(scores: Float32Array, count: number): Int32Array {
  if (scores.length <= count) return Int32Array.from(scores.keys());
  // The value of the last that is in; sorting plain numbers is far faster than sorting indices.
  const least = scores.slice().sort()[scores.length - count]!;
  const better: number[] = [];
  const equal: number[] = [];
  for (let i = 0; i < scores.length; i++) {
    if (scores[i]! > least) better.push(i);
    else if (scores[i] === least) equal.push(i);
  }
  const order = bestFirst(Float32Array.from(better, (index) => scores[index]!));
  return Int32Array.of(...Array.from(order, (at) => better[at]!), ...equal.slice(0, count - better.length));
}

function joined(parts: readonly Float32Array[]): Float32Array {
  const all = new Float32Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function pick({ boxes, scores }: Proposals, indices: Int32Array): Proposals {
  const picked = new Float32Array(indices.length * 4);
  for (const [i, index] of indices.entries()) picked.set(boxes.subarray(index * 4, index * 4 + 4), i * 4);
  return { boxes: picked, scores: Float32Array.from(indices, (index) => scores[index]!) };
}
