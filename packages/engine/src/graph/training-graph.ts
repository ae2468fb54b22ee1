import { type AdamWGroup, type AveragesOptions, CLIP_EPSILON, type Precision } from '@as-mlp/nn';
import type * as tf from '@tensorflow/tfjs-core';
import type { GraphNode } from '../graph-def.ts';
import { castTraining } from './cast-training.ts';
import { GraphLowering } from './graph-lowering.ts';
import { lowerInto } from './lower.ts';
import type { Program, ProgramConstant } from './program.ts';
import { recomputeCheap } from './recompute.ts';
import { fuseForRuntime } from './runtime-kernels.ts';

/** Constants of the update. */
export interface UpdateOptions {
  readonly groups: readonly AdamWGroup[];
  readonly betas: readonly [number, number];
  readonly clipNorm: number | undefined;
  readonly accumulate: number;
  readonly averages: AveragesOptions | undefined;
  /** Questions of the loss to the host: how many values each has. */
  readonly questions: readonly number[];
  /** Whether operations of the graph runtime may stand for several of TensorFlow's. */
  readonly fused: boolean;
  /** In what products are computed; `bf16` only where `fused`. */
  readonly precision: Precision;
}

/** A variable of the graph: how it is set and read. */
export interface GraphVariable {
  readonly shape: readonly number[];
  /** Fed with the value that the target `assign` stores. */
  readonly feed: string;
  readonly assign: string;
  /** Target that stores zeros. */
  readonly clear: string;
  readonly read: string;
}

/** A parameter with its moments. */
export interface GraphSlot {
  readonly name: string;
  readonly variable: tf.Variable;
  readonly weight: GraphVariable;
  readonly first: GraphVariable;
  readonly second: GraphVariable;
}

/** A variable that the step reads without training it: frozen, or assigned by the forward pass as a running mean is. */
export interface GraphBuffer {
  readonly variable: tf.Variable;
  readonly value: GraphVariable;
}

/** The moving average of a variable of the model. */
export interface GraphAverage {
  readonly name: string;
  readonly variable: tf.Variable;
  readonly average: GraphVariable;
}

/** A training step as nodes, and the names by which it is run. */
export interface TrainingGraph {
  readonly nodes: readonly GraphNode[];
  readonly inputs: readonly string[];
  /** The loss and its parts, a vector. */
  readonly report: string;
  /** Norm of all gradients together. */
  readonly norm: string;
  /** The values of each question to the host. */
  readonly questions: readonly (readonly string[])[];
  /** Targets of the run that updates. */
  readonly update: readonly string[];
  /** Targets of the runs before it, whose gradients are added up; and of what forgets them. */
  readonly add: readonly string[];
  readonly forget: readonly string[];
  readonly slots: readonly GraphSlot[];
  readonly buffers: readonly GraphBuffer[];
  readonly averages: readonly GraphAverage[];
}

/** Feeds of every update beside the batch; `rate` and `decay` once for each group. */
export const UPDATE_FEEDS = {
  rate: (group: number) => `rate_${group}`,
  decay: (group: number) => `decay_${group}`,
  epsilon: 'epsilon',
} as const;

const FLOAT = { T: { type: 'float32' } } as const;
const VARIABLE = { dtype: { type: 'float32' } } as const;

/**
 * Continues a recorded step – outputs: the report, then the gradient of each parameter in the order of the groups, then what
 * it asks the host, then what it assigns – with clipping, AdamW and moving averages. Whatever is not finite stops the update before a variable has
 * changed.
 */
export function lowerTraining(program: Program, options: UpdateOptions): TrainingGraph {
  return new TrainingLowering(program, options).lowerStep();
}

function forRuntime(program: Program, precision: Precision): Program {
  const fused = fuseForRuntime(program);
  return recomputeCheap(precision === 'bf16' ? castTraining(fused) : fused);
}

class TrainingLowering extends GraphLowering {
  override readonly variablesChange = true;
  private readonly options: UpdateOptions;
  private readonly handles = new Map<tf.Variable, string>();
  private readonly inputNames: readonly string[];

  constructor(program: Program, options: UpdateOptions) {
    const inputs = [...program.inputs, ...program.draws].map((_, i) => `input_${i}`);
    super(options.fused ? forRuntime(program, options.precision) : program);
    this.inputNames = inputs;
    this.options = options;
  }

  lowerStep(): TrainingGraph {
    const outputs = this.program.outputs.map((_, i) => `output_${i}`);
    lowerInto(this, { inputs: this.inputNames, outputs });
    const params = this.options.groups.flatMap(({ params }, group) =>
      [...params].map(([name, variable]) => ({ name, variable, group })),
    );
    const gradients = params.map((_, i) => this.value(this.program.outputs[i + 1]!));
    const { totals, add, forget } = this.accumulated(gradients, params);
    const report = this.finite(this.value(this.program.outputs[0]!));
    const halves = totals.map((gradient) => this.node('L2Loss', [gradient], FLOAT));
    const sum = this.node('AddN', halves, { N: { int: halves.length }, ...FLOAT });
    const norm = this.node('Sqrt', [this.node('Mul', [sum, this.scalar(2)], FLOAT)], FLOAT);
    const may = this.node('LogicalAnd', [report, this.node('IsFinite', [norm], FLOAT)]);
    const scale = this.clipScale(norm);
    /** The node that gives a variable its new value. */
    const changes = new Map<tf.Variable, string>();
    const slots = params.map(({ name, variable, group }, i): GraphSlot => {
      const gradient = scale ? this.node('Mul', [totals[i]!, scale], FLOAT) : totals[i]!;
      const [weight, first, second] = ['weight', 'first', 'second'].map((kind) => {
        const handle =
          kind === 'weight' ? this.handle(variable) : this.variable(`${kind}_${i}`, variable.shape);
        return { handle, ...this.access(`${kind}_${i}`, handle, variable.shape) };
      });
      const handles = [weight!, first!, second!].map(({ handle }) => handle);
      changes.set(variable, this.adam(handles, gradient, group, may));
      return { name, variable, weight: weight!, first: first!, second: second! };
    });
    const afterGradients = outputs.slice(1 + params.length);
    const questions = this.options.questions.map((count) => afterGradients.splice(0, count));
    const firstAssigned = outputs.length - afterGradients.length;
    for (const [i, variable] of this.program.assigned.entries()) {
      const value = this.value(this.program.outputs[firstAssigned + i]!);
      const assign = (condition: string) => {
        const given = this.gated(value, condition);
        return this.node('AssignVariableOp', [this.handle(variable), given], VARIABLE);
      };
      changes.set(variable, assign(may));
      if (this.options.accumulate > 1) add.push(assign(report));
    }
    const { averages, moves } = this.averages(changes, may);
    const update = [...changes.values(), ...moves];
    const trained = new Set(params.map(({ variable }) => variable));
    const others = [...this.handles].filter(([variable]) => !trained.has(variable));
    const buffers = others.map(([variable, handle], i): GraphBuffer => {
      return { variable, value: this.access(`buffer_${i}`, handle, variable.shape) };
    });
    return {
      nodes: this.nodes,
      inputs: this.inputNames,
      report: 'output_0',
      norm,
      questions,
      update,
      add,
      forget,
      slots,
      buffers,
      averages,
    };
  }

  /** Variables stay variables. */
  protected override lowerConstant(constant: ProgramConstant): string {
    if (constant.kind !== 'variable') return super.lowerConstant(constant);
    const value = this.node('ReadVariableOp', [this.handle(constant.variable)], VARIABLE);
    const { shape } = this.program.values[constant.id]!;
    if (shape.join() === constant.variable.shape.join()) return value;
    // A fused operation takes the weights of a convolution as a matrix.
    return this.node('Reshape', [value, this.ints(shape)], { ...FLOAT, Tshape: { type: 'int32' } });
  }

  private handle(variable: tf.Variable): string {
    const known = this.handles.get(variable);
    if (known) return known;
    const made = this.variable(`variable_${this.handles.size}`, variable.shape);
    this.handles.set(variable, made);
    return made;
  }

  private variable(name: string, shape: readonly number[]): string {
    return this.node('VarHandleOp', [], { ...VARIABLE, shape: { shape }, shared_name: { string: name } });
  }

  private access(name: string, handle: string, shape: readonly number[]): GraphVariable {
    const feed = this.feed(`${name}_value`, shape);
    const assign = this.node('AssignVariableOp', [handle, feed], VARIABLE);
    return {
      shape,
      feed,
      assign,
      clear: this.clear(handle, shape),
      read: this.node('ReadVariableOp', [handle], VARIABLE),
    };
  }

  private clear(handle: string, shape: readonly number[]): string {
    const zeros = this.node('Fill', [this.ints(shape), this.scalar(0)], {
      ...FLOAT,
      index_type: { type: 'int32' },
    });
    return this.node('AssignVariableOp', [handle, zeros], VARIABLE);
  }

  /** The gradients of one batch, or their mean over several runs. */
  private accumulated(
    gradients: readonly string[],
    params: readonly { readonly variable: tf.Variable }[],
  ): { totals: readonly string[]; add: string[]; forget: string[] } {
    const { accumulate } = this.options;
    if (accumulate === 1) return { totals: gradients, add: [], forget: [] };
    const share = this.scalar(1 / accumulate);
    const add: string[] = [];
    const forget: string[] = [];
    const totals = gradients.map((gradient, i) => {
      const { shape } = params[i]!.variable;
      const handle = this.variable(`sum_${i}`, shape);
      const part = this.node('Mul', [gradient, share], FLOAT);
      add.push(this.node('AssignAddVariableOp', [handle, part], VARIABLE));
      forget.push(this.clear(handle, shape));
      return this.node('AddV2', [part, this.node('ReadVariableOp', [handle], VARIABLE)], FLOAT);
    });
    return { totals, add, forget };
  }

  /** The averages, and the nodes that move them, after `changes`, towards the variables; only if `may` is true. */
  private averages(
    changes: ReadonlyMap<tf.Variable, string>,
    may: string,
  ): { averages: GraphAverage[]; moves: string[] } {
    const moves: string[] = [];
    if (!this.options.averages) return { averages: [], moves };
    const { decay, variables } = this.options.averages;
    const share = this.gated(this.scalar(1 - decay), may);
    const averages = [...variables].map(([name, variable], i) => {
      const handle = this.variable(`average_${i}`, variable.shape);
      const change = changes.get(variable);
      const after = change === undefined ? [] : [`^${change}`];
      const value = this.node('ReadVariableOp', [this.handle(variable), ...after], VARIABLE);
      const average = this.node('ReadVariableOp', [handle], VARIABLE);
      const gap = this.node('Sub', [value, average], FLOAT);
      const move = this.node('Mul', [gap, share], FLOAT);
      moves.push(this.node('AssignAddVariableOp', [handle, move], VARIABLE));
      return { name, variable, average: this.access(`average_${i}`, handle, variable.shape) };
    });
    return { averages, moves };
  }

  /** Whether all of a vector are numbers. */
  private finite(vector: string): string {
    const sum = this.node('Sum', [vector, this.ints([0])], { ...FLOAT, Tidx: { type: 'int32' } });
    return this.node('IsFinite', [sum], FLOAT);
  }

  /** `value` if `condition` is true; otherwise nothing that depends on it runs. */
  private gated(value: string, condition: string): string {
    return `${this.node('Switch', [value, condition], FLOAT)}:1`;
  }

  private clipScale(norm: string): string | undefined {
    const { clipNorm } = this.options;
    if (clipNorm === undefined) return undefined;
    const divisor = this.node('AddV2', [norm, this.scalar(CLIP_EPSILON)], FLOAT);
    const ratio = this.node('RealDiv', [this.scalar(clipNorm), divisor], FLOAT);
    return this.node('Minimum', [this.scalar(1), ratio], FLOAT);
  }

  /** Weight decay, then `ResourceApplyAdam`, both only if `may` is true. */
  private adam(handles: readonly string[], gradient: string, group: number, may: string): string {
    const [weight] = handles;
    const gated = (value: string) => this.gated(value, may);
    const [beta1, beta2] = this.options.betas;
    const rate = this.once(UPDATE_FEEDS.rate(group), () => this.feed(UPDATE_FEEDS.rate(group), []));
    const epsilon = this.once(UPDATE_FEEDS.epsilon, () => this.feed(UPDATE_FEEDS.epsilon, []));
    const before: string[] = [];
    if (this.options.groups[group]!.weightDecay !== 0) {
      const decay = this.once(UPDATE_FEEDS.decay(group), () => this.feed(UPDATE_FEEDS.decay(group), []));
      const value = this.node('ReadVariableOp', [weight!, `^${may}`], VARIABLE);
      const decayed = this.node('Mul', [value, gated(decay)], FLOAT);
      before.push(`^${this.node('AssignVariableOp', [weight!, decayed], VARIABLE)}`);
    }
    // Powers of 0 switch off the op's own correction, which it would compute in float32.
    const off = this.scalar(0);
    const inputs = [...handles, off, off, gated(rate), this.scalar(beta1), this.scalar(beta2), epsilon];
    return this.node('ResourceApplyAdam', [...inputs, gated(gradient), ...before], {
      ...FLOAT,
      use_locking: { bool: false },
    });
  }
}
