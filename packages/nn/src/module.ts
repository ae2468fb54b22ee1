import type { Rng } from '@as-mlp/base';
import type { WeightEntry } from './formats/index.ts';
import { type LoadOptions, type LoadReport, loadWeights } from './load.ts';
import { Parameter } from './parameter.ts';

/** A tensor on its way to a file: official name, shape and layout. */
export interface StateTensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/**
 * A node of the model tree. Children and parameters are registered under the official names, in the official
 * order, so that the dotted paths are the keys of the published checkpoints.
 */
export abstract class Module {
  private readonly members = new Map<string, Module | Parameter>();

  /** Register a child or parameter under its official name. The empty name adds no path segment. */
  protected add<T extends Module | Parameter>(name: string, member: T): T {
    if (this.members.has(name)) throw new Error(`two members named "${name}"`);
    this.members.set(name, member);
    return member;
  }

  /** All parameters and buffers with their dotted official names, in official order. */
  *namedTensors(prefix = ''): Generator<[name: string, parameter: Parameter]> {
    for (const [name, member] of this.members) {
      const path = prefix + name;
      if (member instanceof Parameter) yield [path, member];
      else yield* member.namedTensors(name === '' ? prefix : `${path}.`);
    }
  }

  /** All modules with their dotted names, this one first; its name is empty unless `prefix` gives one. */
  *namedModules(prefix = ''): Generator<[name: string, module: Module]> {
    yield [prefix, this];
    for (const [name, member] of this.members) {
      if (member instanceof Module) yield* member.namedModules([prefix, name].filter(Boolean).join('.'));
    }
  }

  /** The parameters without the buffers. */
  *namedParameters(): Generator<[name: string, parameter: Parameter]> {
    for (const entry of this.namedTensors()) if (!entry[1].isBuffer) yield entry;
  }

  /** Number of trainable and frozen scalars; buffers do not count. */
  parameterCount(): number {
    let count = 0;
    for (const [, parameter] of this.namedParameters()) count += parameter.size;
    return count;
  }

  /** Draw initial values; each parameter from the stream named by its path, so that order does not matter. */
  initialize(rng: Rng): this {
    for (const [name, parameter] of this.namedTensors()) parameter.initialize(rng.fork(name));
    return this;
  }

  /** Zeros everywhere, which are not drawn: for what asks how a network computes, and not what. */
  initializeZeros(): this {
    for (const [, parameter] of this.namedTensors()) parameter.initialize('zeros');
    return this;
  }

  /**
   * Take values from weights with the official names. Strict: missing, unexpected, mis-shaped, mis-typed and
   * non-finite tensors are listed in one error and nothing changes, unless `options` names what to ignore.
   */
  load(weights: ReadonlyMap<string, WeightEntry>, options?: LoadOptions): Promise<LoadReport> {
    return loadWeights(this.namedTensors(), weights, options);
  }

  /** Every tensor in the official layout, in official order. */
  async stateDict(): Promise<StateTensor[]> {
    const tensors: StateTensor[] = [];
    for (const [name, parameter] of this.namedTensors()) {
      tensors.push({ name, shape: parameter.shape, data: await parameter.read() });
    }
    return tensors;
  }

  /** Exclude every parameter below this module from training. */
  freeze(): this {
    for (const [, parameter] of this.namedParameters()) parameter.trainable = false;
    return this;
  }

  /** Free all tensors below this module. */
  dispose(): void {
    for (const [, parameter] of this.namedTensors()) parameter.dispose();
  }
}

/** Modules under the names 0, 1, 2, …, as PyTorch's ModuleList. */
export class ModuleList<T extends Module> extends Module {
  readonly items: readonly T[];

  constructor(items: readonly T[]) {
    super();
    this.items = items.map((item, index) => this.add(String(index), item));
  }
}
