import { AsMlpError } from '@as-mlp/base';
import type { DeviceChoice, EngineChoice } from '@as-mlp/engine';
import type { Precision } from '@as-mlp/nn';
import { type Command, InvalidArgumentError, Option } from 'commander';

/** Options that every verb which computes has. */
export interface EngineFlags {
  readonly engine?: EngineChoice;
  readonly device?: DeviceChoice;
  readonly threads?: number;
  readonly eager?: boolean;
  readonly precision?: Precision;
}

/** Adds `--engine`, `--device`, `--threads` and `--eager`. */
export function addEngineOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--engine <name>', 'what computes; fails where it is not there').choices([
        'auto',
        'native',
        'onnx',
        'wasm',
        'cpu',
      ]),
    )
    .addOption(new Option('--device <name>', 'gpu fails where there is none').choices(['auto', 'cpu', 'gpu']))
    .option('--threads <n>', 'threads of one operation', wholeNumber(1))
    .option('--eager', 'run every operation by itself instead of compiling the network');
}

/** Adds what {@link addEngineOptions} adds, and `--precision`, for verbs that run a network. */
export function addComputeOptions(command: Command): Command {
  return addEngineOptions(command).addOption(
    new Option(
      '--precision <name>',
      'bf16 multiplies in bfloat16 where the processor has instructions for that (native engine)',
    ).choices(['float32', 'bf16']),
  );
}

/** Parses a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^-?\d+$/.test(text.trim()) && Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`Give a whole number, ${least} or more.`);
  };
}

/** Parses a positive number. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && Number.isFinite(value) && value > 0) return value;
  throw new InvalidArgumentError('Give a number above 0.');
}

/** Parses `0.5,1,1.5`. */
export function positiveNumbers(text: string): number[] {
  return text.split(',').map(positiveNumber);
}

/** Parses `1,8,32`. */
export function wholeNumbers(text: string): number[] {
  return text.split(',').map(wholeNumber(1));
}

/** Parses `224` or `480,640` (height, width). */
export function imageSize(text: string): { height: number; width: number } {
  const sides = wholeNumbers(text);
  if (sides.length > 2) throw new InvalidArgumentError('Give one side, or height,width.');
  return { height: sides[0]!, width: sides[1] ?? sides[0]! };
}

/** Parses a number from 0 to 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 1) return value;
  throw new InvalidArgumentError('Give a number from 0 to 1.');
}

/** Parses `1333,800`: the longer and the shorter side. */
export function sides(text: string): readonly [long: number, short: number] {
  const [long, short, ...more] = wholeNumbers(text);
  if (long !== undefined && short !== undefined && more.length === 0 && long >= short) return [long, short];
  throw new InvalidArgumentError('Give the longer and the shorter side, as in 1333,800.');
}

/** An option with one of a few values. */
export function choice(flags: string, description: string, values: readonly string[]): Option {
  return new Option(flags, description).choices(values);
}

/** Options that choose the settings of a training on whole images, beside the name of a recipe. */
export interface DenseRecipeFlags {
  readonly data: string;
  readonly model?: string;
  readonly finetune?: string;
  /** Longer and shorter side, in pixels. */
  readonly scale?: readonly [long: number, short: number];
}

/** Adds `--recipe`, one of `recipes`, which `what` describes, `--finetune` and `--scale`. */
export function addDenseRecipeOptions(command: Command, recipes: readonly string[], what: string): Command {
  return command
    .addOption(choice('--recipe <name>', `settings to start from: ${what}`, recipes))
    .option(
      '--finetune <file>',
      'as --weights, with the network of that file and the recipe for small data sets',
    )
    .option(
      '--scale <long,short>',
      'images are resized to fit into this, in pixels, in training and evaluation',
      sides,
    );
}

/** Collects a repeatable option. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

/**
 * Applies `path=value` settings to a plain object, e.g. `schedule.warmupEpochs=5`. Values are JSON where they parse as
 * such (numbers, true, null, lists), else text.
 */
export function applySettings(
  values: Record<string, unknown>,
  settings: readonly string[],
): Record<string, unknown> {
  const result = structuredClone(values);
  for (const setting of settings) {
    const at = setting.indexOf('=');
    const path = setting.slice(0, at).split('.');
    if (at <= 0 || path.some((key) => key === '' || key === '__proto__')) {
      throw new AsMlpError('usage', {
        where: `--set ${setting}`,
        what: 'this is no setting',
        fix: 'Write path=value',
      });
    }
    let node = result;
    for (const key of path.slice(0, -1)) {
      const next = Object.hasOwn(node, key) ? node[key] : undefined;
      node[key] = typeof next === 'object' && next !== null && !Array.isArray(next) ? next : {};
      node = node[key] as Record<string, unknown>;
    }
    node[path.at(-1)!] = parseValue(setting.slice(at + 1));
  }
  return result;
}

function parseValue(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}
