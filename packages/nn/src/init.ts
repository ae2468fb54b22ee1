import { AsMlpError, type Rng } from '@as-mlp/base';

/** Draws the initial values of one tensor: official (PyTorch) shape in, row-major values in that layout out. */
export type Initializer = (shape: readonly number[], rng: Rng) => Float32Array;

/** Number of inputs and outputs that one element of a weight connects to. */
export interface Fans {
  readonly fanIn: number;
  readonly fanOut: number;
}

const count = (shape: readonly number[]) => shape.reduce((product, extent) => product * extent, 1);

/**
 * Fan-in and fan-out of a weight as PyTorch counts them, from the official shape `[out, in, ...kernel]`:
 * `shape[1] · kernel` and `shape[0] · kernel`. A transposed convolution `[in, out, ...kernel]` is counted by
 * position too, so that its "fan-in" is made of its output channels, as in PyTorch.
 *
 * @throws AsMlpError (usage) for fewer than two dimensions.
 */
export function fans(shape: readonly number[]): Fans {
  const [first, second, ...kernel] = shape;
  if (first === undefined || second === undefined) {
    throw new AsMlpError('usage', {
      what: `fan-in and fan-out of shape [${shape}] are undefined`,
      fix: 'Give the shape of a weight with at least two dimensions',
    });
  }
  return { fanIn: second * count(kernel), fanOut: first * count(kernel) };
}

/** Every element equal to `value`. */
export function constant(value: number): Initializer {
  return (shape) => new Float32Array(count(shape)).fill(value);
}

/** Uniform on [−bound, bound). */
export function uniform(bound: number): Initializer {
  return (shape, rng) => rng.uniform(count(shape)).map((u) => (2 * u - 1) * bound);
}

/** Normal with the given mean (0) and standard deviation (1). */
export function normal({ mean = 0, std = 1 }: { mean?: number; std?: number } = {}): Initializer {
  return (shape, rng) => rng.normal(count(shape)).map((z) => mean + z * std);
}

/** U(±1/√fanIn): PyTorch's default for the bias of a layer, whose fan-in is that of its weight. */
export function uniformFanIn(fanIn: number): Initializer {
  return uniform(1 / Math.sqrt(fanIn));
}

/**
 * PyTorch's default for the weight of a convolution, transposed convolution or linear layer:
 * `kaiming_uniform_(a = √5)`, which is U(±1/√fan_in).
 */
export const kaimingUniformConv: Initializer = (shape, rng) => uniformFanIn(fans(shape).fanIn)(shape, rng);

/** Glorot & Bengio (2010): U(±gain·√(6 / (fan_in + fan_out))), PyTorch's `xavier_uniform_`. */
export function xavierUniform({ gain = 1 }: { gain?: number } = {}): Initializer {
  return (shape, rng) => {
    const { fanIn, fanOut } = fans(shape);
    return uniform(gain * Math.sqrt(6 / (fanIn + fanOut)))(shape, rng);
  };
}

/**
 * He et al. (2015) for layers followed by ReLU: normal with variance 2 / fan, PyTorch's
 * `kaiming_normal_(mode, nonlinearity='relu')`. The heads use `fan_out`.
 */
export function kaimingNormal({ mode = 'fan_out' }: { mode?: 'fan_in' | 'fan_out' } = {}): Initializer {
  return (shape, rng) => {
    const { fanIn, fanOut } = fans(shape);
    return normal({ std: Math.sqrt(2 / (mode === 'fan_in' ? fanIn : fanOut)) })(shape, rng);
  };
}

/**
 * Normal, truncated at the absolute values `min` and `max` (−2 and 2, not multiples of `std`), as timm's and
 * PyTorch's `trunc_normal_`. With the std of 0.02 that the classifier uses the limits are never reached.
 *
 * @throws AsMlpError (usage) when the mean lies more than two standard deviations outside the limits.
 */
export function truncNormal({
  mean = 0,
  std = 1,
  min = -2,
  max = 2,
}: {
  mean?: number;
  std?: number;
  min?: number;
  max?: number;
} = {}): Initializer {
  if (!(min < max) || !(mean >= min - 2 * std) || !(mean <= max + 2 * std)) {
    throw new AsMlpError('usage', {
      what: `a normal distribution of mean ${mean} and std ${std} hardly ever falls between ${min} and ${max}`,
      fix: 'Choose limits around the mean',
    });
  }
  return (shape, rng) => {
    const values = rng.normal(count(shape));
    for (let i = 0; i < values.length; i++) {
      let value = mean + values[i]! * std;
      // Rejection keeps the exact conditional distribution; the check above bounds the expected number of draws.
      while (value < min || value > max) value = mean + rng.normal(1)[0]! * std;
      values[i] = value;
    }
    return values;
  };
}
