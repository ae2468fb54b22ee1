import type { Rng } from '@as-mlp/base';
import {
  type AdamWGroup,
  type AdamWState,
  checkedAverages,
  checkedMoments,
  correctAdam,
  type MomentTensor,
  noAverages,
} from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { encodeGraphDef, type GraphTensor } from '../graph-def.ts';
import { type GraphFeed, type GraphSession, openGraphSession } from '../graph-session.ts';
import { graphRuntime, nativeDevice } from '../native.ts';
import { bf16NotHere } from '../precision.ts';
import { evaluateDim } from './dims.ts';
import type { HostPart, HostTensor } from './host-part.ts';
import type { Program } from './program.ts';
import { recordStep, type TrainingStepOptions } from './record-step.ts';
import { type GraphVariable, lowerTraining, type TrainingGraph, UPDATE_FEEDS } from './training-graph.ts';

/** One batch and its random numbers. */
export interface StepBatch {
  /** What `loss` is given, and after it what only the host part is. */
  readonly tensors: readonly HostTensor[];
  readonly rng: Rng;
}

/** What one update found; when a number is not finite, the update was not made. */
export interface StepReport {
  /** Mean over the accumulated batches. */
  readonly loss: number;
  readonly parts: Readonly<Record<string, number>>;
  /** Norm of all gradients together, before clipping; NaN when a batch before the last was not finite. */
  readonly gradNorm: number;
}

/** Everything needed to go on with the same weights: what the optimiser keeps, and the averages if there are any. */
export interface TrainingState extends AdamWState {
  readonly averages?: readonly MomentTensor[] | undefined;
}

/**
 * A whole training step as one graph: forward and backward pass, clipping, AdamW, averages. Weights, moments, averages and the
 * variables that the loss assigns (running statistics) live in it.
 */
export interface TrainingStep {
  /** One update from `accumulate` batches. */
  run(batches: readonly StepBatch[], learningRate: number): Promise<StepReport>;
  /**
   * Puts what the graph holds into the variables of the model: the weights (default), or the averages in their place.
   *
   * @throws AsMlpError (usage) when averages are asked for and not kept.
   */
  pull(which?: 'weights' | 'averages'): Promise<void>;
  exportState(): Promise<TrainingState>;
  /**
   * @throws AsMlpError (weights) unless the state has exactly the moments of these parameters, and the averages if they are
   * kept; nothing changes then.
   */
  importState(state: TrainingState): Promise<void>;
  dispose(): Promise<void>;
}

/**
 * Compiles a training step. The graph starts with the values that the variables have now.
 *
 * @throws AsMlpError `usage` when the loss reads a tensor, does not depend on a parameter, or uses what has no
 * counterpart in a graph, or `bf16` is asked of a GPU.
 */
export async function compileTrainingStep(options: TrainingStepOptions): Promise<TrainingStep> {
  const { clipNorm, precision = 'float32', accumulate = 1, betas = [0.9, 0.999], eps = 1e-8 } = options;
  const groups = options.groups.filter(({ params }) => [...params].length > 0);
  const { program, names, questions } = recordStep(options);
  // The op forms 1 − β in float32, so β itself is the float32 number and must be so in the correction.
  const rounded = [Math.fround(betas[0]), Math.fround(betas[1])] as const;
  // The operations of the graph runtime run on processors alone.
  const fused = nativeDevice() === 'cpu';
  if (precision === 'bf16' && !fused) throw bf16NotHere('a GPU computes');
  const graph = lowerTraining(program, {
    groups,
    betas: rounded,
    clipNorm,
    accumulate,
    averages: options.averages,
    questions,
    fused,
    precision,
  });
  // One operation at a time uses all threads by itself; two at once would hold more maps.
  const session = openGraphSession(encodeGraphDef(graph.nodes), fused ? { interOpThreads: 1 } : {});
  const { host } = options;
  const step = new GraphStep({ session, graph, program, groups, betas: rounded, eps, names, host });
  await step.initialize();
  return step;
}

interface StepParts {
  readonly session: GraphSession;
  readonly graph: TrainingGraph;
  readonly program: Program;
  readonly groups: readonly AdamWGroup[];
  readonly betas: readonly [number, number];
  readonly eps: number;
  readonly names: readonly string[];
  readonly host: HostPart | undefined;
}

/** Elements of the weights that are fed in one run. */
const FED_AT_ONCE = 2 ** 22;

class GraphStep implements TrainingStep {
  private readonly parts: StepParts;
  private count = 0;

  constructor(parts: StepParts) {
    this.parts = parts;
  }

  async initialize(): Promise<void> {
    const { slots, forget } = this.parts.graph;
    const clear = slots.flatMap(({ first, second }) => [first.clear, second.clear]);
    await this.parts.session.run([], [], [...clear, ...forget]);
    // In parts: the feeds of all would be a second copy of the weights.
    let values: [GraphVariable, Float32Array][] = [];
    let elements = 0;
    const { graph } = this.parts;
    const held = [...heldBy(graph, 'weights'), ...heldBy(graph, 'averages')];
    for (const [i, [variable, place]] of held.entries()) {
      values.push([place, (await variable.data()) as Float32Array]);
      elements += variable.size;
      if (elements < FED_AT_ONCE && i < held.length - 1) continue;
      await this.assign(values);
      values = [];
      elements = 0;
    }
  }

  async run(batches: readonly StepBatch[], learningRate: number): Promise<StepReport> {
    const { session, graph, names } = this.parts;
    const reports: Float32Array[] = [];
    let gradNorm = Number.NaN;
    for (const [i, batch] of batches.entries()) {
      const feeds = await this.batchFeeds(batch);
      if (i < batches.length - 1) {
        const [report] = await session.run(feeds, [graph.report], graph.add);
        reports.push(report!.data as Float32Array);
        if (!reports[i]!.every(Number.isFinite)) break;
        continue;
      }
      const update = [...feeds, ...this.updateFeeds(learningRate)];
      const [report, norm] = await session.run(update, [graph.report, graph.norm], graph.update);
      reports.push(report!.data as Float32Array);
      gradNorm = (norm!.data as Float32Array)[0]!;
    }
    if (graph.forget.length > 0) await session.run([], [], graph.forget);
    const mean = (at: number) => reports.reduce((sum, report) => sum + report[at]!, 0) / reports.length;
    const result = {
      loss: mean(0),
      parts: Object.fromEntries(names.map((name, i) => [name, mean(i + 1)])),
      gradNorm,
    };
    if (Number.isFinite(result.loss) && Number.isFinite(gradNorm)) this.count++;
    return result;
  }

  async pull(which: 'weights' | 'averages' = 'weights'): Promise<void> {
    const held = heldBy(this.parts.graph, which);
    if (held.length === 0) throw noAverages();
    const reads = held.map(([, { read }]) => read);
    const values = await this.parts.session.run([], reads);
    for (const [i, [variable]] of held.entries()) {
      const value = tf.tensor(values[i]!.data as Float32Array, variable.shape);
      variable.assign(value);
      value.dispose();
    }
  }

  async exportState(): Promise<TrainingState> {
    const { session, graph } = this.parts;
    const reads = graph.slots.flatMap(({ first, second }) => [first.read, second.read]);
    const values = await session.run([], reads);
    const moments = graph.slots.flatMap(({ name, variable: { shape } }, i): MomentTensor[] => [
      { name: `${name}.exp_avg`, shape, data: values[2 * i]!.data as Float32Array },
      { name: `${name}.exp_avg_sq`, shape, data: values[2 * i + 1]!.data as Float32Array },
    ]);
    const state = { step: this.count, moments };
    if (graph.averages.length === 0) return state;
    const found = await session.run(
      [],
      graph.averages.map(({ average }) => average.read),
    );
    const averages = graph.averages.map(({ name, variable: { shape } }, i): MomentTensor => {
      return { name, shape, data: found[i]!.data as Float32Array };
    });
    return { ...state, averages };
  }

  async importState(state: TrainingState): Promise<void> {
    const { slots, averages } = this.parts.graph;
    const given = checkedMoments(
      slots.map(({ name, variable }) => [name, variable]),
      state,
    );
    const means = checkedAverages(
      averages.map(({ name, variable }) => [name, variable]),
      state.averages ?? [],
    );
    const values = slots.flatMap(({ name, first, second }): [GraphVariable, Float32Array][] => [
      [first, given.get(`${name}.exp_avg`)!],
      [second, given.get(`${name}.exp_avg_sq`)!],
    ]);
    await this.assign([
      ...values,
      ...averages.map(({ name, average }) => [average, means.get(name)!] as const),
    ]);
    this.count = state.step;
  }

  async dispose(): Promise<void> {
    await this.parts.session.close();
  }

  private async assign(values: readonly (readonly [GraphVariable, Float32Array])[]): Promise<void> {
    const feeds = values.map(([{ feed, shape }, data]) => ({
      name: feed,
      dtype: 'float32' as const,
      shape,
      data,
    }));
    const targets = values.map(([{ assign }]) => assign);
    await this.parts.session.run(feeds, [], targets);
  }

  private async batchFeeds({ tensors, rng }: StepBatch): Promise<GraphFeed[]> {
    const { session, program, graph, host } = this.parts;
    const answered = host?.answers.flat().length ?? 0;
    const given = tensors.slice(0, program.inputs.length - answered);
    const shapes = given.map(({ shape }) => shape);
    const feeds = given.map((tensor, i) => feedOf(graph.inputs[i]!, tensor));
    const draws = program.draws.map((id, i) => {
      const shape = program.values[id]!.shape.map((dim) => evaluateDim(dim, shapes));
      const data = rng.uniform(shape.reduce((a, b) => a * b, 1));
      return feedOf(graph.inputs[program.inputs.length + i]!, { shape, data });
    });
    const all = [...feeds, ...draws];
    const answer = host?.begin(tensors, rng);
    let next = given.length;
    for (const question of graph.questions) {
      const values = (await session.run(all, question)) as (GraphTensor & HostTensor)[];
      for (const tensor of answer!(values)) all.push(feedOf(graph.inputs[next++]!, tensor));
      for (const { data } of values) graphRuntime().free(data);
    }
    return all;
  }

  private updateFeeds(learningRate: number): GraphFeed[] {
    const { groups, betas, eps } = this.parts;
    const [beta1, beta2] = betas;
    const { rate, epsilon } = correctAdam({
      learningRate,
      beta1,
      beta2,
      epsilon: eps,
      count: this.count + 1,
    });
    const scalar = (name: string, value: number): GraphFeed => ({
      name,
      dtype: 'float32',
      shape: [],
      data: Float32Array.of(value),
    });
    return [
      scalar(UPDATE_FEEDS.epsilon, epsilon),
      ...groups.flatMap(({ weightDecay, lrScale = 1 }, group) => {
        const decay = 1 - learningRate * lrScale * weightDecay;
        return [
          scalar(UPDATE_FEEDS.rate(group), rate * lrScale),
          ...(weightDecay === 0 ? [] : [scalar(UPDATE_FEEDS.decay(group), decay)]),
        ];
      }),
    ];
  }
}

function feedOf(name: string, { shape, data }: HostTensor): GraphFeed {
  return data instanceof Float32Array
    ? { name, shape, dtype: 'float32', data }
    : { name, shape, dtype: 'int32', data };
}

/** The variables of the model whose weights or averages the graph holds, and where. */
function heldBy(
  { slots, buffers, averages }: TrainingGraph,
  which: 'weights' | 'averages',
): (readonly [tf.Variable, GraphVariable])[] {
  if (which === 'averages') return averages.map(({ variable, average }) => [variable, average]);
  return [
    ...slots.map(({ variable, weight }) => [variable, weight] as const),
    ...buffers.map(({ variable, value }) => [variable, value] as const),
  ];
}
