import { AsMlpError } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { createMoments, type Moments } from './moments.ts';
import { checkedTensors, type MomentTensor } from './state.ts';

/** Parameters that are updated alike. */
export interface AdamWGroup {
  /** Trainable variables under the names by which gradients and state know them. */
  readonly params: Iterable<readonly [name: string, variable: tf.Variable]>;
  /** Decoupled weight decay per unit of learning rate. */
  readonly weightDecay: number;
  /** Multiplies the learning rate of this group. Default 1. */
  readonly lrScale?: number;
}

/** Constants of the update, with PyTorch's defaults. */
export interface AdamWOptions {
  /** Decay rates of the first and second moment. Default 0.9, 0.999. */
  readonly betas?: readonly [number, number];
  /** Added to the root of the corrected second moment. Default 1e-8. */
  readonly eps?: number;
}

/** Everything needed to go on: with the same values of the parameters the next step is the same to the last bit. */
export interface AdamWState {
  /** Updates done so far. */
  readonly step: number;
  /** `<parameter>.exp_avg` and `<parameter>.exp_avg_sq`, in the engine's layout of the parameter. */
  readonly moments: readonly MomentTensor[];
}

/** The optimiser made by `createAdamW`. Owns its moments and not the variables. */
export interface AdamW {
  /** Updates done so far. */
  readonly stepCount: number;
  /**
   * Update every parameter in place. `scale` multiplies all gradients first; `clipGradNorm` gives it.
   * The gradients are left to the caller.
   *
   * @throws AsMlpError (usage) when a gradient is missing or has another shape; nothing has changed then.
   */
  step(gradients: Readonly<Record<string, tf.Tensor>>, learningRate: number, scale?: number): void;
  exportState(): Promise<AdamWState>;
  /** @throws AsMlpError (weights) unless the state has exactly the moments of these parameters; nothing changes then. */
  importState(state: AdamWState): void;
  /** Free the moments. */
  dispose(): void;
}

/** A tensor of parameters that is updated at once: one large parameter, or many small ones laid end to end. */
interface Slot {
  readonly params: readonly NamedVariable[];
  readonly sizes: readonly number[];
  readonly weightDecay: number;
  readonly lrScale: number;
  readonly moments: Moments;
}

interface NamedVariable {
  readonly name: string;
  readonly variable: tf.Variable;
}

/**
 * Parameters of at most this many elements share a slot. The calls for one tensor cost more than its arithmetic
 * below some thousand elements: the 180 biases and norms of AS-MLP-T take a third of the step without it.
 */
const PACKED_SIZE = 8192;

/**
 * AdamW (Loshchilov & Hutter, 2019) as PyTorch computes it: θ ← θ·(1 − lr·λ), then
 * θ ← θ − lr/(1 − β1ᵗ) · m / (√v/√(1 − β2ᵗ) + ε), with m and v the moving averages of g and g².
 *
 * @throws AsMlpError (usage) for a name that occurs twice.
 */
export function createAdamW(
  groups: readonly AdamWGroup[],
  { betas: [beta1, beta2] = [0.9, 0.999], eps: epsilon = 1e-8 }: AdamWOptions = {},
): AdamW {
  const constants = { beta1, beta2, epsilon };
  const slots = groups.flatMap(slotsOf);
  assertDistinct(slots);
  let stepCount = 0;
  return {
    get stepCount() {
      return stepCount;
    },
    step: (gradients, learningRate, scale = 1) => {
      assertGradients(paramsOf(slots), gradients);
      stepCount++;
      for (const slot of slots) {
        const rate = learningRate * slot.lrScale;
        tf.tidy(() => {
          let gradient = gather(slot.params.map(({ name }) => gradients[name]!));
          if (scale !== 1) gradient = tf.mul(gradient, scale);
          const values = gather(slot.params.map(({ variable }) => variable));
          const step = {
            ...constants,
            learningRate: rate,
            decay: 1 - rate * slot.weightDecay,
            count: stepCount,
          };
          scatter(slot, slot.moments.update(values, gradient, step));
        });
      }
    },
    exportState: async () => {
      const moments: MomentTensor[] = [];
      for (const slot of slots) {
        const [first, second] = await slot.moments.read();
        for (const { name, shape, start, end } of ranges(slot)) {
          moments.push({ name: `${name}.exp_avg`, shape, data: first.slice(start, end) });
          moments.push({ name: `${name}.exp_avg_sq`, shape, data: second.slice(start, end) });
        }
      }
      return { step: stepCount, moments };
    },
    importState: (state) => {
      const given = checkedMoments(paramsOf(slots), state);
      for (const slot of slots) {
        const size = slot.sizes.reduce((sum, part) => sum + part, 0);
        const [first, second] = [new Float32Array(size), new Float32Array(size)];
        for (const { name, start } of ranges(slot)) {
          first.set(given.get(`${name}.exp_avg`)!, start);
          second.set(given.get(`${name}.exp_avg_sq`)!, start);
        }
        slot.moments.write(first, second);
      }
      stepCount = state.step;
    },
    dispose: () => {
      for (const slot of slots) slot.moments.dispose();
    },
  };
}

function slotsOf(group: AdamWGroup): Slot[] {
  const small: NamedVariable[] = [];
  const slots: NamedVariable[][] = [];
  for (const [name, variable] of group.params) {
    if (variable.size <= PACKED_SIZE) small.push({ name, variable });
    else slots.push([{ name, variable }]);
  }
  if (small.length > 0) slots.push(small);
  return slots.map((params) => {
    const sizes = params.map(({ variable }) => variable.size);
    const shape =
      params.length === 1 ? params[0]!.variable.shape : [sizes.reduce((sum, size) => sum + size, 0)];
    const { weightDecay, lrScale = 1 } = group;
    return { params, sizes, weightDecay, lrScale, moments: createMoments(shape) };
  });
}

/** One tensor as it is, or several end to end. */
function gather(tensors: readonly tf.Tensor[]): tf.Tensor {
  return tensors.length === 1 ? tensors[0]! : tf.concat1d(tensors.map(flatten));
}

function flatten(tensor: tf.Tensor): tf.Tensor1D {
  return tensor.rank === 1 ? (tensor as tf.Tensor1D) : tf.reshape(tensor, [-1]);
}

function scatter({ params, sizes }: Slot, values: tf.Tensor): void {
  if (params.length === 1) {
    params[0]!.variable.assign(values);
    return;
  }
  const parts = tf.split(values, [...sizes]);
  params.forEach(({ variable }, i) => {
    const part = parts[i]!;
    variable.assign(variable.rank === 1 ? part : tf.reshape(part, variable.shape));
  });
}

function paramsOf(slots: readonly Slot[]): [string, tf.Variable][] {
  return slots.flatMap(({ params }) =>
    params.map(({ name, variable }): [string, tf.Variable] => [name, variable]),
  );
}

function* ranges({ params, sizes }: Slot) {
  let start = 0;
  for (const [i, { name, variable }] of params.entries()) {
    const end = start + sizes[i]!;
    yield { name, shape: variable.shape, start, end };
    start = end;
  }
}

function assertDistinct(slots: readonly Slot[]): void {
  const seen = new Set<string>();
  for (const { name } of slots.flatMap((slot) => slot.params)) {
    if (seen.has(name)) {
      throw new AsMlpError('usage', {
        where: name,
        what: 'is in the optimiser twice',
        fix: 'Put every parameter into one group',
      });
    }
    seen.add(name);
  }
}

/**
 * Checks that every parameter has a gradient of its shape.
 *
 * @throws AsMlpError `usage` that names the first that has none.
 */
export function assertGradients(
  params: Iterable<readonly [name: string, parameter: { readonly shape: readonly number[] }]>,
  gradients: Readonly<Record<string, tf.Tensor | undefined>>,
): void {
  for (const [name, { shape }] of params) {
    const gradient = gradients[name];
    if (gradient && gradient.shape.join() === shape.join()) continue;
    throw new AsMlpError('usage', {
      where: name,
      what: gradient
        ? `has shape [${shape}] and a gradient of shape [${gradient.shape}]`
        : 'has no gradient: the loss does not depend on it',
      fix: 'Leave it out of the optimiser, or freeze it',
    });
  }
}

/**
 * The moments of a state by name, if they are those of parameters of these names and sizes.
 *
 * @throws AsMlpError `weights` when one is missing, of another size, or belongs to no parameter.
 */
export function checkedMoments(
  params: Iterable<readonly [name: string, parameter: { readonly size: number }]>,
  { moments }: AdamWState,
): ReadonlyMap<string, Float32Array> {
  const wanted = new Map(
    [...params].flatMap(([name, { size }]): [string, number][] => [
      [`${name}.exp_avg`, size],
      [`${name}.exp_avg_sq`, size],
    ]),
  );
  return checkedTensors('moments', wanted, moments);
}
