import type { InputSpec } from '@as-mlp/nn';
import type * as tf from '@tensorflow/tfjs-core';
import { MASK_SIZE } from '../config.ts';

/** What the proposal network's losses look at: S chosen anchors. `T` is a tensor, here or in the tensor library. */
export interface RpnAnswer<T = tf.Tensor> {
  /** `[S]` int32: which of the batch's anchors. */
  readonly rows: T;
  /** `[S]`: 1 for an object, 0 for background. */
  readonly labels: T;
  /** `[S, 4]`: deltas to the objects; zeros for background. */
  readonly goals: T;
  /** What the sums are divided by. */
  readonly averageFactor: T;
}

/** What a box stage looks at: R regions, and of those for the masks P, or one without weight where there is none. */
export interface StageAnswer<T = tf.Tensor> {
  /** `[R, 5]`. */
  readonly rois: T;
  /** `[R]` int32 classes, the background last. */
  readonly labels: T;
  /** `[R]` int32: rows of the own class among the deltas of all regions and classes. */
  readonly rows: T;
  /** `[R, 1]`: 1 for an object, 0 for background. */
  readonly weights: T;
  /** `[R, 4]`: deltas to the objects, or their boxes where the loss is of boxes; for background anything finite. */
  readonly goals: T;
  /** `[P, 5]`. */
  readonly maskRois: T;
  /** `[P]` int32: rows of the own class among the masks of all regions and classes. */
  readonly maskRows: T;
  /** `[P, 28 · 28]` zeros and ones. */
  readonly masks: T;
  /** `[P, 1]`. */
  readonly maskWeights: T;
}

const int32 = { dtype: 'int32' } as const;

/** The tensors of the answers in their order. */
export const RPN_ANSWER: RpnAnswer<InputSpec> = {
  rows: { shape: ['list 0'], ...int32 },
  labels: { shape: ['list 0'] },
  goals: { shape: ['list 0', 4] },
  averageFactor: { shape: [] },
};

/** Each stage has lists of its own length. */
export function stageAnswer(stage: number): StageAnswer<InputSpec> {
  const regions = `list ${2 * stage + 1}` as const;
  const positives = `list ${2 * stage + 2}` as const;
  return {
    rois: { shape: [regions, 5] },
    labels: { shape: [regions], ...int32 },
    rows: { shape: [regions], ...int32 },
    weights: { shape: [regions, 1] },
    goals: { shape: [regions, 4] },
    maskRois: { shape: [positives, 5] },
    maskRows: { shape: [positives], ...int32 },
    masks: { shape: [positives, MASK_SIZE * MASK_SIZE] },
    maskWeights: { shape: [positives, 1] },
  };
}

/** The tensors of an answer in the order of its specs. */
export function listAnswer<K extends string, T>(
  specs: Readonly<Record<K, InputSpec>>,
  answer: Readonly<Record<K, T>>,
): T[] {
  return (Object.keys(specs) as K[]).map((name) => answer[name]);
}

/** Takes the tensors of an answer off the front of `tensors`, under their names. */
export function takeAnswer<K extends string>(
  specs: Readonly<Record<K, InputSpec>>,
  tensors: tf.Tensor[],
): Record<K, tf.Tensor> {
  const names = Object.keys(specs) as K[];
  return Object.fromEntries(names.map((name) => [name, tensors.shift()!])) as Record<K, tf.Tensor>;
}
