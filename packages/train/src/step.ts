import { AsMlpError } from '@as-mlp/base';
import { type AdamW, clipGradNorm, globalNorm, type Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { LossTerms } from './task.ts';
import { keepBuffers } from './values.ts';

/** How one update is made. */
export interface StepOptions {
  readonly learningRate: number;
  /** Largest norm of all gradients together; left out or `null`: no clipping. */
  readonly clipNorm?: number | null | undefined;
  /** Names the step in error messages. */
  readonly where?: string | undefined;
  /** Called when the gradients are there, before anything changes; may throw. */
  readonly beforeChange?: (() => void) | undefined;
}

/** What one update found. */
export interface StepResult {
  /** Mean over the accumulated batches. */
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Norm of all gradients together, before clipping. */
  readonly gradNorm: number;
}

/** The error of an update that was not made, with what it found. */
export class NotFiniteError extends AsMlpError {
  readonly report: StepResult;

  constructor(where: string | undefined, what: string, report: StepResult) {
    super('input', { where, what: `${what}; the weights were left as they were`, fix: NOT_FINITE_FIX });
    this.report = report;
  }
}

const NOT_FINITE_FIX =
  'Lower the learning rate, clip the gradients, or look for broken images and labels in this batch';

/** The parameters of a model that training changes, under their official names. */
export function* trainableVariables(model: Module): Generator<[name: string, variable: tf.Variable]> {
  for (const [name, parameter] of model.namedParameters()) {
    if (parameter.trainable) yield [name, parameter.value];
  }
}

/**
 * One update: forward and backward over the trainable parameters, clipping by the global norm, then the optimiser.
 *
 * @param losses one function for each batch, or several whose gradients are averaged. Each runs inside `tf.tidy`.
 * @throws AsMlpError (input) when the loss or a gradient is NaN or infinite; the weights have not changed then.
 */
export function trainStep(
  model: Module,
  losses: (() => LossTerms) | readonly (() => LossTerms)[],
  optimizer: AdamW,
  { learningRate, clipNorm, where, beforeChange }: StepOptions,
): StepResult {
  const buffers = keepBuffers(model);
  let gradients: Record<string, tf.Tensor> = {};
  try {
    const found = meanGradients(
      [...trainableVariables(model)],
      typeof losses === 'function' ? [losses] : losses,
    );
    const { loss, parts } = found;
    gradients = found.gradients;
    beforeChange?.();
    assertFiniteStep({ loss, parts, gradNorm: 0 }, where);
    const { norm: gradNorm, scale } = clipGradNorm(gradients, clipNorm ?? Number.POSITIVE_INFINITY);
    assertFiniteStep({ loss, parts, gradNorm }, where);
    optimizer.step(gradients, learningRate, scale);
    return { loss, parts, gradNorm };
  } catch (error) {
    buffers.restore();
    throw error;
  } finally {
    tf.dispose(gradients);
    buffers.dispose();
  }
}

/** What {@link gradientNorms} finds. */
export interface GradientNorms {
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Norm of the mean gradient of each trainable parameter; NaN or Infinity where one is not finite. */
  readonly norms: Readonly<Record<string, number>>;
}

/** The gradient of each parameter, by its norm, as {@link trainStep} would find it; changes no parameter. */
export function gradientNorms(model: Module, losses: readonly (() => LossTerms)[]): GradientNorms {
  const { loss, parts, gradients } = meanGradients([...trainableVariables(model)], losses);
  const norms = Object.entries(gradients).map(([name, gradient]) => {
    const [norm] = tf.tidy(() => globalNorm([gradient]).dataSync());
    return [name, norm!] as const;
  });
  tf.dispose(gradients);
  return { loss, parts, norms: Object.fromEntries(norms) };
}

interface Gradients {
  readonly loss: number;
  readonly parts: Record<string, number>;
  /** By official name; the caller disposes them. */
  readonly gradients: Record<string, tf.Tensor>;
}

function meanGradients(
  variables: readonly (readonly [name: string, variable: tf.Variable])[],
  losses: readonly (() => LossTerms)[],
): Gradients {
  const share = 1 / losses.length;
  let loss = 0;
  const parts: Record<string, number> = {};
  let gradients: Record<string, tf.Tensor> = {};
  for (const lossOf of losses) {
    const one = gradientsOf(variables, lossOf, share);
    loss += one.loss * share;
    for (const [name, value] of Object.entries(one.parts)) parts[name] = (parts[name] ?? 0) + value * share;
    gradients = addInto(gradients, one.gradients);
  }
  return { loss, parts, gradients };
}

/** Loss of one batch, and the gradients of `share` times it. */
function gradientsOf(
  variables: readonly (readonly [name: string, variable: tf.Variable])[],
  lossOf: () => LossTerms,
  share: number,
): Gradients {
  let names: string[] = [];
  // Loss and parts leave the tape in one tensor, so that one read fetches them all.
  const report: tf.Tensor[] = [];
  try {
    const { value, grads } = tf.variableGrads(
      () => {
        const { total, parts = {} } = lossOf();
        names = Object.keys(parts);
        report.push(tf.keep(tf.stack([total, ...Object.values(parts)])));
        return share === 1 ? total : tf.mul(total, share);
      },
      variables.map(([, variable]) => variable),
    );
    value.dispose();
    const gradients: Record<string, tf.Tensor> = {};
    for (const [name, variable] of variables) {
      const gradient = grads[variable.name];
      if (gradient) gradients[name] = gradient;
    }
    const [loss, ...values] = report[0]!.dataSync();
    return { loss: loss!, parts: Object.fromEntries(names.map((name, i) => [name, values[i]!])), gradients };
  } finally {
    tf.dispose(report);
  }
}

/** The sums of two sets of gradients; both sets are used up. */
function addInto(sum: Record<string, tf.Tensor>, next: Record<string, tf.Tensor>): Record<string, tf.Tensor> {
  const added: Record<string, tf.Tensor> = { ...sum };
  for (const [name, gradient] of Object.entries(next)) {
    const before = sum[name];
    added[name] = before ? tf.add(before, gradient) : gradient;
    if (before) tf.dispose([before, gradient]);
  }
  return added;
}

/** Throws as {@link trainStep} where an update was not made because a number is not finite. */
export function assertFiniteStep(report: StepResult, where: string | undefined): void {
  const { loss, parts, gradNorm } = report;
  const wrong = !Number.isFinite(loss) ? `the loss is ${loss}` : `the gradient norm is ${gradNorm}`;
  if (Number.isFinite(loss) && Number.isFinite(gradNorm)) return;
  const list = Object.entries(parts).map(([part, value]) => `${part} ${value}`);
  throw new NotFiniteError(where, `${wrong}${list.length > 0 ? ` (${list.join(', ')})` : ''}`, report);
}
