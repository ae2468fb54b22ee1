import { AsMlpError } from '@as-mlp/base';
import type { Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';

/** Where a number was first not finite. */
export interface Anomaly {
  /** Dotted name of the innermost module; empty for the model itself. */
  readonly layer: string;
  /**
   * Forward: what went into the module, or came out of it. Backward: the gradient that came to its output, from what follows it,
   * or that it gave to its input.
   */
  readonly place: 'input' | 'output' | 'gradient of output' | 'gradient of input';
  /** Values that are NaN or infinite, and all values. */
  readonly faults: number;
  readonly size: number;
}

/** The error of an update in which a layer gave something that is not finite. */
export class AnomalyError extends AsMlpError {
  readonly anomaly: Anomaly;

  constructor(where: string, anomaly: Anomaly) {
    super('input', {
      where,
      what: `${describeAnomaly(anomaly)}; the weights were left as they were`,
      fix: 'Look at what this layer was given, or lower the learning rate',
    });
    this.anomaly = anomaly;
  }
}

/** One sentence about an anomaly, without a full stop. */
export function describeAnomaly({ layer, place, faults, size }: Anomaly): string {
  const name = layer === '' ? 'the model' : `layer "${layer}"`;
  const words = {
    input: `what goes into ${name}`,
    output: `what comes out of ${name}`,
    'gradient of output': `the gradient that comes back to the output of ${name}`,
    'gradient of input': `the gradient that comes back through ${name}`,
  };
  return `${words[place]} is where numbers first were not finite (${faults} of ${size})`;
}

/**
 * Looks at everything that goes through the `forward` of every module below `model`, and at the gradients that come back,
 * and calls `found` for each that is not finite; the first call names where it began. Waits for a number from the device
 * at each of them. Only for operations that run by themselves, not for what is recorded.
 *
 * @returns what ends it.
 */
export function watchModules(model: Module, found: (anomaly: Anomaly) => void): () => void {
  const undo: (() => void)[] = [];
  for (const [layer, module] of model.namedModules()) {
    const forward: unknown = Reflect.get(module, 'forward');
    if (typeof forward !== 'function') continue;
    const look = (place: Anomaly['place'], tensor: tf.Tensor) => {
      const faults = countFaults(tensor);
      if (faults > 0) found({ layer, place, faults, size: tensor.size });
    };
    const watched = (...args: unknown[]): unknown => {
      const inputs = args.map((value) => onTensors(value, (x) => probe(x, 'input', look)));
      const outputs: unknown = Reflect.apply(forward, module, inputs);
      return onTensors(outputs, (y) => probe(y, 'output', look));
    };
    Reflect.set(module, 'forward', watched);
    undo.push(() => void Reflect.deleteProperty(module, 'forward'));
  }
  return () => {
    for (const one of undo) one();
  };
}

/** The same tensor, looked at now and again when its gradient comes. */
function probe(
  tensor: tf.Tensor,
  place: 'input' | 'output',
  look: (place: Anomaly['place'], tensor: tf.Tensor) => void,
): tf.Tensor {
  if (tensor.dtype !== 'float32') return tensor;
  look(place, tensor);
  const identity = tf.customGrad((x) => ({
    value: tf.clone(x as tf.Tensor),
    gradFunc: (dy: tf.Tensor) => {
      look(`gradient of ${place}`, dy);
      return tf.clone(dy);
    },
  }));
  return identity(tensor);
}

/** `change` applied to a tensor, or to those in a list; everything else as it is. */
function onTensors(value: unknown, change: (tensor: tf.Tensor) => tf.Tensor): unknown {
  // Parameters are looked at by what uses them; an identity in between would cost their gradient.
  if (value instanceof tf.Variable) return value;
  if (value instanceof tf.Tensor) return change(value);
  return Array.isArray(value) ? value.map((one) => onTensors(one, change)) : value;
}

function countFaults(tensor: tf.Tensor): number {
  return tf.tidy(() => tf.sum(tf.logicalNot(tf.isFinite(tensor))).dataSync()[0]!);
}
