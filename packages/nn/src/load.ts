import { AsMlpError } from '@as-mlp/base';
import type { WeightEntry } from './formats/index.ts';
import type { Parameter } from './parameter.ts';

/** What a strict load may overlook, and where the weights come from. */
export interface LoadOptions {
  /** Name of the weights in messages, e.g. the file. */
  readonly source?: string;
  /** Keys of the module that may be absent from the weights; they keep their initial values. */
  readonly allowMissing?: (name: string) => boolean;
  /** Keys of the weights that the module may lack; they are not read. */
  readonly allowUnexpected?: (name: string) => boolean;
}

/** What happened to every key. A strict load returns with `missing` and `unexpected` empty. */
export interface LoadReport {
  readonly loaded: readonly string[];
  readonly missing: readonly string[];
  readonly unexpected: readonly string[];
}

const FLOATS: ReadonlySet<string> = new Set(['float32', 'float16', 'bfloat16', 'float64']);
const LISTED = 8;

function list(title: string, names: readonly string[]): string[] {
  if (names.length === 0) return [];
  const shown = names.slice(0, LISTED).join(', ');
  const more = names.length > LISTED ? ` and ${names.length - LISTED} more` : '';
  return [`${title}: ${shown}${more}`];
}

/** See {@link Module.load}. Every check and every read is done before the first value changes. */
export async function loadWeights(
  targets: Iterable<[string, Parameter]>,
  weights: ReadonlyMap<string, WeightEntry>,
  options: LoadOptions = {},
): Promise<LoadReport> {
  const { source = 'weights', allowMissing = () => false, allowUnexpected = () => false } = options;
  const parameters = new Map(targets);
  const missing = [...parameters.keys()].filter((name) => !weights.has(name));
  const unexpected = [...weights.keys()].filter((name) => !parameters.has(name));
  const faults = [
    ...list(
      'missing',
      missing.filter((name) => !allowMissing(name)),
    ),
    ...list(
      'unexpected',
      unexpected.filter((name) => !allowUnexpected(name)),
    ),
    ...list('wrong shape', shapeFaults(parameters, weights)),
    ...list('not floating point', typeFaults(parameters, weights)),
  ];
  if (faults.length > 0) {
    throw new AsMlpError('weights', {
      where: source,
      what: `the weights do not fit this model (${faults.join('; ')})`,
      fix: 'Use the model that the file was made for, or a file made for this model',
    });
  }

  const loaded = [...parameters.keys()].filter((name) => weights.has(name));
  const values = new Map<string, Float32Array>();
  const notFinite: string[] = [];
  for (const name of loaded) {
    const data = await weights.get(name)!.read();
    if (!allFinite(data)) notFinite.push(name);
    values.set(name, data);
  }
  if (notFinite.length > 0) {
    throw new AsMlpError('weights', {
      where: source,
      what: `the weights hold NaN or infinity (${list('in', notFinite).join('')})`,
      fix: 'The training that wrote this file diverged, or the file is damaged: use an earlier checkpoint',
    });
  }
  for (const [name, data] of values) {
    parameters.get(name)!.assign(data);
    values.delete(name); // the engine holds its own copy now
  }
  return { loaded, missing, unexpected };
}

function shapeFaults(
  parameters: Map<string, Parameter>,
  weights: ReadonlyMap<string, WeightEntry>,
): string[] {
  const faults: string[] = [];
  for (const [name, parameter] of parameters) {
    const shape = weights.get(name)?.shape;
    if (
      shape &&
      !(shape.length === parameter.shape.length && shape.every((n, i) => n === parameter.shape[i]))
    ) {
      faults.push(`${name} is [${shape}], the model needs [${parameter.shape}]`);
    }
  }
  return faults;
}

function typeFaults(parameters: Map<string, Parameter>, weights: ReadonlyMap<string, WeightEntry>): string[] {
  const faults: string[] = [];
  for (const [name, { isCounter }] of parameters) {
    const dtype = weights.get(name)?.dtype;
    const fits = dtype === undefined || FLOATS.has(dtype) || (isCounter && dtype === 'int64');
    if (!fits) faults.push(`${name} is ${dtype}`);
  }
  return faults;
}

function allFinite(data: Float32Array): boolean {
  // x - x is 0 for finite x and NaN otherwise; one sum finds any.
  let sum = 0;
  for (let i = 0; i < data.length; i++) sum += data[i]! - data[i]!;
  return sum === 0;
}
