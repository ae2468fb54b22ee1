import { AsMlpError } from '@as-mlp/base';
import {
  type AdamWGroup,
  type AdamWOptions,
  type AveragesOptions,
  assertGradients,
  type InputSpec,
  type Mode,
  type Precision,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { recordProgram } from './compile.ts';
import type { HostPart } from './host-part.ts';
import type { Program } from './program.ts';

/** What a training step is made of. */
export interface TrainingStepOptions extends AdamWOptions {
  /** Parameters by official name, in groups that are updated alike. */
  readonly groups: readonly AdamWGroup[];
  /** Largest norm of all gradients together; left out: no clipping. */
  readonly clipNorm?: number | undefined;
  /** Batches whose gradients are averaged into one update; 1 unless given. */
  readonly accumulate?: number;
  /** Moving averages to keep; left out: none. */
  readonly averages?: AveragesOptions | undefined;
  /** That of the engine unless given. `bf16` is no gain on processors that lack its instructions. */
  readonly precision?: Precision;
  /** What `loss` is given: the first tensors of each batch. */
  readonly inputs: readonly InputSpec[];
  /** Answers the questions of `loss`; left out: it asks none. */
  readonly host?: HostPart | undefined;
  /** Forward pass and loss: the scalar to differentiate and the named scalars that it is made of. */
  readonly loss: (
    inputs: tf.Tensor[],
    mode: Mode,
  ) => { readonly total: tf.Scalar; readonly parts?: Readonly<Record<string, tf.Scalar>> };
}

/** A training step that was recorded. */
export interface RecordedStep {
  /** Gives the report – loss and parts –, the gradient of every parameter, and the values that are asked for. */
  readonly program: Program;
  /** Of the parts. */
  readonly names: readonly string[];
  /** How many values each question has. */
  readonly questions: readonly number[];
}

/**
 * What a training step does, for every size of its inputs and of the answers that it asks for.
 *
 * @throws AsMlpError (usage) when the loss cannot be recorded, does not depend on a parameter, or asks too often.
 */
export function recordStep({ groups, loss, inputs, host }: TrainingStepOptions): RecordedStep {
  const answers = host?.answers ?? [];
  let names: string[] = [];
  let questions: number[] = [];
  const params = groups.flatMap((group) => [...group.params]);
  const variables = params.map(([, variable]) => variable);
  const program = recordProgram(
    (tensors, draw) => {
      const outputs: tf.Tensor[] = [];
      const asked: tf.Tensor[] = [];
      const given = tensors.slice(inputs.length);
      questions = [];
      const ask = (values: readonly tf.Tensor[]) => {
        const answer = answers[questions.length];
        if (!answer) throw askedTooOften(answers.length);
        questions.push(values.length);
        asked.push(...values);
        return given.splice(0, answer.length);
      };
      const { grads } = tf.variableGrads(() => {
        const { total, parts = {} } = loss(tensors.slice(0, inputs.length), { training: true, draw, ask });
        names = Object.keys(parts);
        outputs.push(tf.keep(tf.stack([total, ...Object.values(parts)])));
        return total;
      }, variables);
      const gradients = Object.fromEntries(params.map(([name, { name: key }]) => [name, grads[key]]));
      try {
        assertGradients(params, gradients);
      } catch (error) {
        tf.dispose(outputs);
        throw error;
      }
      outputs.push(...params.map(([name]) => gradients[name]!), ...asked);
      return outputs;
    },
    [...inputs, ...answers.flat()],
    true,
  );
  return { program, names, questions };
}

function askedTooOften(answers: number): AsMlpError {
  return new AsMlpError('usage', {
    where: 'the loss',
    what: `it asks more than ${answers} times, for which its host part says what the answers are`,
    fix: 'Let `answers` have an entry for each question',
  });
}
