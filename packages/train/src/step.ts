import { AsMlpError } from '@as-mlp/base';
import { type AdamW, clipGradNorm, type Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import type { LossTerms } from './task.ts';

/** How one update is made. */
export interface StepOptions {
  readonly learningRate: number;
  /** Largest norm of all gradients together; left out or `null`: no clipping. */
  readonly clipNorm?: number | null | undefined;
  /** Names the step in error messages. */
  readonly where?: string | undefined;
}

/** What one update found. */
export interface StepResult {
  /** Mean over the accumulated batches. */
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Norm of all gradients together, before clipping. */
  readonly gradNorm: number;
}

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
  { learningRate, clipNorm, where }: StepOptions,
): StepResult {
  const { loss, parts, gradients } = meanGradients(
    [...trainableVariables(model)],
    typeof losses === 'function' ? [losses] : losses,
  );
  try {
    assertFinite('loss', loss, parts, where);
    const { norm: gradNorm, scale } = clipGradNorm(gradients, clipNorm ?? Number.POSITIVE_INFINITY);
    assertFinite('gradient norm', gradNorm, parts, where);
    optimizer.step(gradients, learningRate, scale);
    return { loss, parts, gradNorm };
  } finally {
    tf.dispose(gradients);
  }
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
export function assertFiniteStep({ loss, parts, gradNorm }: StepResult, where: string): void {
  assertFinite('loss', loss, parts, where);
  assertFinite('gradient norm', gradNorm, parts, where);
}

function assertFinite(
  name: string,
  value: number,
  parts: Readonly<Record<string, number>>,
  where: string | undefined,
): void {
  if (Number.isFinite(value)) return;
  const list = Object.entries(parts).map(([part, partValue]) => `${part} ${partValue}`);
  throw new AsMlpError('input', {
    where,
    what: `the ${name} is ${value}${list.length > 0 ? ` (${list.join(', ')})` : ''}; the weights were left as they were`,
    fix: 'Lower the learning rate, clip the gradients, or look for broken images and labels in this batch',
  });
}
