import { createRng } from '@as-mlp/base';
import { Linear, Module } from '@as-mlp/nn';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Anomaly, describeAnomaly, watchModules } from './anomaly.ts';
import { gradientNorms } from './step.ts';

/** Two layers with something between, and something at the end. */
class Probe extends Module {
  readonly inner = this.add('inner', new Inner());
  readonly out = this.add('out', new Linear({ inFeatures: 2, outFeatures: 1 }));

  forward(x: tf.Tensor2D, between: (y: tf.Tensor) => tf.Tensor): tf.Tensor[] {
    const [y] = this.inner.forward(x);
    return [this.out.forward(between(y!))];
  }
}

class Inner extends Module {
  readonly first = this.add('first', new Linear({ inFeatures: 2, outFeatures: 2 }));

  forward(x: tf.Tensor): tf.Tensor[] {
    return [tf.relu(this.first.forward(x))];
  }
}

/** All anomalies of one pass, in order. */
function anomalies(options: {
  weights?: (model: Probe) => void;
  x?: number;
  between?: (y: tf.Tensor) => tf.Tensor;
  end?: (y: tf.Tensor) => tf.Tensor;
}): string[] {
  const { x = 1, between = (y) => y, end = (y) => tf.sum(y) } = options;
  const model = new Probe().initialize(createRng(1));
  onTestFinished(() => model.dispose());
  for (const [, parameter] of model.namedParameters()) parameter.value;
  options.weights?.(model);
  const found: Anomaly[] = [];
  const before = tf.memory().numTensors;
  const undo = watchModules(model, (anomaly) => void found.push(anomaly));
  gradientNorms(model, [
    () => ({ total: end(model.forward(tf.tensor2d([[x, 1]]), between)[0]!) as tf.Scalar }),
  ]);
  undo();
  expect(tf.memory().numTensors).toBe(before);
  expect(Object.hasOwn(model.out, 'forward')).toBe(false);
  return found.map(({ layer, place, faults, size }) => `${layer}: ${place}, ${faults}/${size}`);
}

describe('watchModules', () => {
  it('finds nothing where all is well, and changes nothing', () => {
    expect(anomalies({})).toEqual([]);
  });

  it.each<[string, Parameters<typeof anomalies>[0], string]>([
    ['the input', { x: Number.NaN }, ': input, 1/2'],
    [
      'the weights of a layer',
      { weights: ({ inner }) => inner.first.weight.assign(Float32Array.of(1, Number.NaN, 0, 1)) },
      'inner.first: output, 1/2',
    ],
    ['what lies between two layers', { between: (y) => tf.div(y, 0) }, 'out: input, 2/2'],
    // d√x/dx at 0 is infinite.
    ['the gradient of the loss', { end: (y) => tf.sum(tf.sqrt(tf.mul(y, 0))) }, ': gradient of output, 1/1'],
    [
      'a gradient between two layers',
      { between: (y) => tf.add(tf.sqrt(tf.relu(tf.mul(y, 0))), y) },
      'inner: gradient of output, 2/2',
    ],
    [
      'the gradient of a layer',
      {
        weights: ({ out }) => out.weight.assign(Float32Array.of(1e30, 1e30)),
        end: (y) => tf.mul(tf.sum(y), 1e20),
      },
      'out: gradient of input, 2/2',
    ],
  ])('finds %s', (_, options, expected) => {
    const [first] = anomalies(options);
    expect(first).toBe(expected);
  });

  it('is put into words', () => {
    const anomaly = { layer: 'head', place: 'gradient of input', faults: 1, size: 8 } as const;
    expect(describeAnomaly(anomaly)).toBe(
      'the gradient that comes back through layer "head" is where numbers first were not finite (1 of 8)',
    );
    expect(describeAnomaly({ ...anomaly, layer: '', place: 'output' })).toContain('comes out of the model');
  });
});
