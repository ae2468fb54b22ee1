import { isFixed } from './dims.ts';
import { fuseLinear } from './fuse-linear.ts';
import { dimsOf } from './graph-lowering.ts';
import type { Program, ProgramKernel } from './program.ts';
import { eitherOrder, inputOf, ProgramView, replaceKernels } from './program-view.ts';
import type { ValueId } from './trace.ts';

/**
 * The program with single kernels for what several do together: `AsMlpGelu`, `AsMlpGroupNorm`, `AsMlpShift` and
 * `AsMlpLinear`, with the meaning of the operations of these names in the graph runtime. They are recognised by what they
 * compute, wherever it comes from; a value that is used elsewhere stays.
 */
export function fuse(program: Program): Program {
  return [fuseGelu, fuseGroupNorm, fuseShift, fuseLinear].reduce((fused, pass) => pass(fused), program);
}

/** What a kernel of the program is replaced by, if by anything. */
type Match = (view: ProgramView, kernel: ProgramKernel) => ProgramKernel | undefined;

function replaceMatches(program: Program, match: Match): Program {
  const view = new ProgramView(program);
  const replacements = new Map<ProgramKernel, ProgramKernel>();
  for (const kernel of program.kernels) {
    const replacement = match(view, kernel);
    if (replacement) replacements.set(kernel, replacement);
  }
  return replaceKernels(program, replacements);
}

const isNear = (value: number | undefined, wanted: number) =>
  value !== undefined && Math.fround(value) === Math.fround(wanted);

/** `x/2 + x/2 · erf(x · √½)` as `AsMlpGelu(x)`. */
export function fuseGelu(program: Program): Program {
  return replaceMatches(program, (view, kernel) => {
    if (kernel.name !== 'Add') return undefined;
    for (const [half, product] of eitherOrder(kernel)) {
      const x = scaledBy(view, half, 0.5);
      const factors = eitherOrder(view.producer(product, 'Multiply')).find(([first]) => first === half);
      const erf = view.producer(factors?.[1], 'Erf');
      if (x !== undefined && scaledBy(view, inputOf(erf, 'x'), Math.SQRT1_2) === x) {
        return { name: 'AsMlpGelu', inputs: { x }, attrs: {}, outputs: kernel.outputs };
      }
    }
    return undefined;
  });
}

/** The value that `id` is when divided by `factor`, which it was multiplied by. */
function scaledBy(view: ProgramView, id: ValueId | undefined, factor: number): ValueId | undefined {
  const factors = eitherOrder(view.producer(id, 'Multiply'));
  return factors.find(([, scalar]) => isNear(view.scalar(scalar), factor))?.[0];
}

/**
 * `(x − mean) · (1 / √(variance + ε) · gain) + bias` with mean and variance over all but the first axis as
 * `AsMlpGroupNorm(x, gain, bias)`, with a GELU that follows.
 */
export function fuseGroupNorm(program: Program): Program {
  const normed = replaceMatches(program, (view, kernel) => {
    const add = kernel.name === 'Reshape' ? view.producer(inputOf(kernel, 'x'), 'Add') : kernel;
    const norm = add?.name === 'Add' ? groupNormOf(view, add) : undefined;
    if (!norm) return undefined;
    const x = norm.sources.find((id) => view.isSameShape(view.shape(id), view.shape(kernel.outputs[0]!)));
    if (x === undefined) return undefined;
    const attrs = { epsilon: norm.epsilon, activation: 'none' };
    const inputs = { x, gain: norm.gain, bias: norm.bias };
    return { name: 'AsMlpGroupNorm', inputs, attrs, outputs: kernel.outputs };
  });
  return replaceMatches(normed, (view, kernel) => {
    const norm =
      kernel.name === 'AsMlpGelu' ? view.producer(inputOf(kernel, 'x'), 'AsMlpGroupNorm') : undefined;
    if (norm?.attrs.activation !== 'none' || !view.onlyUser(norm.outputs[0]!)) return undefined;
    return { ...norm, attrs: { ...norm.attrs, activation: 'gelu' }, outputs: kernel.outputs };
  });
}

interface GroupNormParts {
  /** What is normalised, before and after the samples were made rows. */
  readonly sources: readonly ValueId[];
  readonly gain: ValueId;
  readonly bias: ValueId;
  readonly epsilon: number;
}

function groupNormOf(view: ProgramView, add: ProgramKernel): GroupNormParts | undefined {
  for (const [product, bias] of eitherOrder(add)) {
    for (const [rows, slope] of eitherOrder(view.producer(product, 'Multiply'))) {
      const centred = inputOf(view.producer(rows, 'Reshape'), 'x');
      const expanded = view.producer(slope, 'ExpandDims');
      if (centred === undefined || expanded?.attrs.dim !== 1) continue;
      for (const [scale, gainRow] of eitherOrder(view.producer(inputOf(expanded, 'input'), 'Multiply'))) {
        const gain = inputOf(view.producer(gainRow, 'Reshape'), 'x');
        const flat = centredSource(view, centred);
        const epsilon = epsilonOf(view, scale, centred);
        const channels = view.shape(rows)[2];
        const isVector = (id: ValueId) =>
          channels !== undefined && view.isSameShape(view.shape(id), [channels]);
        if (gain === undefined || flat === undefined || epsilon === undefined) continue;
        if (!isVector(gain) || !isVector(bias)) continue;
        const source = inputOf(view.producer(flat, 'Reshape'), 'x');
        return { sources: source === undefined ? [flat] : [source, flat], gain, bias, epsilon };
      }
    }
  }
  return undefined;
}

/** x of `centred = x − mean(x, 1)`, both `[B, N]`. */
function centredSource(view: ProgramView, centred: ValueId): ValueId | undefined {
  const sub = view.producer(centred, 'Sub');
  const x = inputOf(sub, 'a');
  const mean = view.producer(inputOf(sub, 'b'), 'Mean');
  const isMean = mean && inputOf(mean, 'x') === x && mean.attrs.keepDims === true;
  if (!isMean || x === undefined || view.shape(x).length !== 2) return undefined;
  const axes = dimsOf(mean.attrs.axis ?? mean.attrs.reductionIndices);
  return axes.length === 1 && axes[0] === 1 ? x : undefined;
}

/** ε of `scale = 1 / √(|row|² / N + ε)` for each row of `centred`, `[B, N]`. */
function epsilonOf(view: ProgramView, scale: ValueId, centred: ValueId): number | undefined {
  const sum = view.producer(inputOf(view.producer(scale, 'Rsqrt'), 'x'), 'Add');
  for (const [variance, epsilon] of eitherOrder(sum)) {
    const division = view.producer(variance, 'RealDiv');
    const squares = view.producer(
      inputOf(view.producer(inputOf(division, 'a'), 'Reshape'), 'x'),
      'BatchMatMul',
    );
    const [a, b] = [inputOf(squares, 'a'), inputOf(squares, 'b')];
    const isSquare =
      a !== undefined && a === b && squares?.attrs.transposeB === true && !squares.attrs.transposeA;
    if (!isSquare || inputOf(view.producer(a, 'Reshape'), 'x') !== centred) continue;
    const [samples, size] = view.shape(centred);
    const isRow = view.isSameShape(view.shape(a), [samples!, 1, size!]);
    if (isRow && isSize(view, inputOf(division, 'b'), size!)) return view.scalar(epsilon);
  }
  return undefined;
}

function isSize(
  view: ProgramView,
  id: ValueId | undefined,
  size: ReturnType<ProgramView['shape']>[number],
): boolean {
  const constant = id === undefined ? undefined : view.constant(id);
  if (constant?.kind === 'size') return !constant.inverse && view.isSame(constant.dim, size);
  return isFixed(size) && view.scalar(id) === size;
}

/** A depthwise convolution along one axis whose kernels hold a single 1 as `AsMlpShift`. */
export function fuseShift(program: Program): Program {
  return replaceMatches(program, (view, kernel) => {
    if (kernel.name !== 'DepthwiseConv2dNative' || kernel.attrs.pad !== 'same') return undefined;
    const isOne = (key: string) => dimsOf(kernel.attrs[key] ?? 1).every((size) => size === 1);
    const [x, filter] = [inputOf(kernel, 'x'), inputOf(kernel, 'filter')];
    const constant = filter === undefined ? undefined : view.constant(filter);
    if (!isOne('strides') || !isOne('dilations') || x === undefined || constant?.kind !== 'data')
      return undefined;
    const [height, width, channels, multiplier] = view.shape(filter!) as number[];
    const length = height === 1 ? width! : height!;
    if ((height !== 1 && width !== 1) || multiplier !== 1 || length % 2 === 0) return undefined;
    const groups = shiftGroups(constant.data, length, channels!);
    if (!groups) return undefined;
    const attrs = { axis: height === 1 ? 2 : 1, ...groups };
    return { name: 'AsMlpShift', inputs: { x }, attrs, outputs: kernel.outputs };
  });
}

/** Neighbouring channels that move alike, from taps `[length, channels]`. */
function shiftGroups(
  taps: ArrayLike<number>,
  length: number,
  channels: number,
): { ends: number[]; displacements: number[] } | undefined {
  const ends: number[] = [];
  const displacements: number[] = [];
  for (let channel = 0; channel < channels; channel++) {
    const column = Array.from({ length }, (_, tap) => taps[tap * channels + channel]);
    const tap = column.indexOf(1);
    if (tap < 0 || column.some((value, i) => value !== (i === tap ? 1 : 0))) return undefined;
    const displacement = (length - 1) / 2 - tap;
    if (displacements.at(-1) === displacement) ends[ends.length - 1] = channel + 1;
    else {
      ends.push(channel + 1);
      displacements.push(displacement);
    }
  }
  return { ends, displacements };
}
