import { existsSync } from 'node:fs';
import { countMacs } from '@as-mlp/engine';
import type { MacCounts, TensorFunction } from '@as-mlp/nn';
import type { Command } from 'commander';
import type { Verb } from './cli.ts';
import { imageSize } from './options.ts';
import { writeJson } from './outputs.ts';
import { formatTable } from './table.ts';

/** A function of a model, for counting. */
export interface ModelPart {
  /** It is followed, not computed, so its values do not matter. */
  readonly forward: TensorFunction;
  /** Of its inputs, for one image. */
  readonly shapes: readonly (readonly number[])[];
}

/** Facts about a model, and what it computes. */
export interface ModelInfo {
  readonly name: string;
  readonly params: number;
  /** What one image of `size` goes through; usually one function. */
  readonly parts: readonly ModelPart[];
  /** Multiply-accumulates from what was counted in all parts together. */
  tallyMacs(counts: MacCounts): number;
  readonly size: { readonly height: number; readonly width: number };
  readonly features: readonly { readonly name: string; readonly channels: number; readonly stride: number }[];
  /** Anything else worth showing, e.g. what a weight file says. */
  readonly facts: Readonly<Record<string, string | number>>;
}

/** Options of `info`. */
export interface InfoFlags {
  readonly size?: { height: number; width: number };
  readonly json?: string;
}

/** What a task brings to `info`. */
export interface InfoTask {
  addOptions?(command: Command): void;
  /** `target` is a model name or a weight file. */
  describe(target: string, flags: InfoFlags): Promise<ModelInfo>;
}

/** `info MODEL|FILE`: parameters, multiply-accumulates, features, and what a file says. Opens no engine. */
export function infoVerb(task: InfoTask): Verb {
  return (program, { terminal }) => {
    const command = program
      .command('info')
      .description('describe a model, or the model in a weight file')
      .argument('<model or file>')
      .option('--size <side|height,width>', 'image size for the multiply-accumulates', imageSize)
      .option('--json <file>', 'write the facts as JSON; - is standard output');
    task.addOptions?.(command);
    command.action(async (target: string, flags: InfoFlags) => {
      const info = await task.describe(target, flags);
      const { params, features, name, size, facts } = info;
      const macs = info.tallyMacs(countParts(info.parts));
      if (flags.json !== undefined) {
        await writeJson(flags.json, { name, params, macs, size, features, ...facts }, terminal);
        if (flags.json === '-') return;
      }
      const rows = [
        ['parameters', params.toLocaleString('en')],
        [`multiply-accumulates (${size.height}×${size.width})`, `${(macs / 1e9).toFixed(3)} G`],
        ...Object.entries(facts).map(([key, value]) => [key, String(value)]),
      ];
      const width = Math.max(...rows.map(([key]) => key!.length));
      terminal.out(
        `${name}\n${rows.map(([key, value]) => `  ${key!.padEnd(width)}  ${value}\n`).join('')}\n`,
      );
      const cells = features.map((feature) => [
        feature.name,
        String(feature.channels),
        String(feature.stride),
      ]);
      terminal.out(formatTable(['feature', 'channels', 'stride'], cells));
    });
  };
}

/** Whether `target` means a weight file rather than one of the networks that `names` lists, or a misspelt one. */
export function isWeightFile(target: string, names: readonly string[]): boolean {
  return !names.includes(target) && (existsSync(target) || /[./\\]/.test(target));
}

/** The shift size as a fact, which a file may not name. */
export function shiftFact(shiftSize: number | readonly number[] | string, isAssumed: boolean): string {
  return isAssumed ? `${shiftSize} (assumed: the file does not name it)` : String(shiftSize);
}

function countParts(parts: readonly ModelPart[]): MacCounts {
  const sum = { products: 0, norms: 0, shifts: 0 };
  for (const { forward, shapes } of parts) {
    const { products, norms, shifts } = countMacs(forward, shapes);
    sum.products += products;
    sum.norms += norms;
    sum.shifts += shifts;
  }
  return sum;
}
