import { AsMlpError, type Rng } from '@as-mlp/base';
import * as tf from '@tensorflow/tfjs-core';
import { engineShape, type Layout, toEngineLayout, toOfficialLayout } from './formats/layout.ts';

/** What a parameter is, before it has values. */
export interface ParameterSpec {
  /** Shape in the official (PyTorch) layout, e.g. `[out, in, kh, kw]`. */
  readonly shape: readonly number[];
  /** How the official layout maps onto the engine's. */
  readonly layout: Layout;
  /** Initial values in the official layout. */
  readonly init: (shape: readonly number[], rng: Rng) => Float32Array;
  /** A buffer is stored with the weights but never trained (running statistics). */
  readonly buffer?: boolean;
  /** A buffer that counts; official files hold it as int64. */
  readonly counter?: boolean;
}

/**
 * One named tensor of a module. Values live in the engine's layout (NHWC convolutions); names, shapes and
 * files speak the official layout. Memory is taken when the value is first used or assigned.
 */
export class Parameter {
  readonly shape: readonly number[];
  readonly layout: Layout;
  readonly isBuffer: boolean;
  readonly isCounter: boolean;
  private readonly init: ParameterSpec['init'];
  private variable: tf.Variable | undefined;
  private initial: Rng | 'zeros' | undefined;
  private isTrainable: boolean;
  private disposed = false;

  constructor(spec: ParameterSpec) {
    this.shape = spec.shape;
    this.layout = spec.layout;
    this.init = spec.init;
    this.isCounter = spec.counter ?? false;
    this.isBuffer = this.isCounter || (spec.buffer ?? false);
    this.isTrainable = !this.isBuffer;
  }

  /** Number of scalars. */
  get size(): number {
    return this.shape.reduce((product, extent) => product * extent, 1);
  }

  get trainable(): boolean {
    return this.isTrainable;
  }

  set trainable(trainable: boolean) {
    this.isTrainable = trainable && !this.isBuffer;
    if (this.variable) this.variable.trainable = this.isTrainable;
  }

  /** The values in engine layout. Throws when neither initialised nor loaded, or after `dispose`. */
  get value(): tf.Variable {
    if (this.variable) return this.variable;
    if (this.disposed || !this.initial) {
      throw new AsMlpError('input', {
        what: this.disposed ? 'this module was disposed' : 'this module has no values yet',
        fix: 'Call initialize(rng) or load(weights) on the module first',
      });
    }
    if (this.initial === 'zeros') {
      const zeros = tf.zeros(engineShape(this.layout, this.shape));
      this.variable = tf.variable(zeros, this.isTrainable);
      zeros.dispose();
      return this.variable;
    }
    this.assign(this.init(this.shape, this.initial));
    return this.variable!;
  }

  /** Draw the initial values from `rng` when they are first used, or take zeros. Drops current values. */
  initialize(initial: Rng | 'zeros'): void {
    this.release();
    this.initial = initial;
  }

  /** Replace the values. `data` is in the official layout, row-major. */
  assign(data: Float32Array): void {
    if (data.length !== this.size) {
      throw new AsMlpError('input', {
        what: `a parameter of shape [${this.shape}] was given ${data.length} values`,
        fix: `Give ${this.size} values in the official layout`,
      });
    }
    const values = toEngineLayout(this.layout, data, this.shape);
    const initial = tf.tensor(values, engineShape(this.layout, this.shape), 'float32');
    this.release();
    this.variable = tf.variable(initial, this.isTrainable);
    initial.dispose();
    // The native engine copies JavaScript values at their first use; use them now so that they can be freed.
    if (this.size > 0) tf.tidy(() => void tf.slice(tf.reshape(this.variable!, [-1]), 0, 1));
  }

  /** The values in the official layout. */
  async read(): Promise<Float32Array> {
    const data = (await this.value.data()) as Float32Array;
    return toOfficialLayout(this.layout, data, this.shape);
  }

  /** Free the memory. The parameter cannot be used afterwards unless initialised or assigned again. */
  dispose(): void {
    this.release();
    this.initial = undefined;
    this.disposed = true;
  }

  private release(): void {
    this.variable?.dispose();
    this.variable = undefined;
    this.disposed = false;
  }
}
