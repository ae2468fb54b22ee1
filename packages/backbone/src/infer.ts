import { AsMlpError } from '@as-mlp/base';
import type { BackboneOutput } from './as-mlp.ts';
import type { AsMlpConfig } from './config.ts';

/** Anything with an official-layout shape, such as the entries of a weight file. */
export interface Shaped {
  readonly shape: readonly number[];
}

/** What the shapes of a state dict say. The shift size leaves no trace in them. */
export interface InferredArchitecture {
  readonly config: Omit<AsMlpConfig, 'shiftSize'>;
  readonly out: BackboneOutput;
}

/**
 * Reads embedding width, depths, MLP ratio and output kind from the shapes under `prefix` (`backbone.` in detection and
 * segmentation checkpoints). Throws when the keys are not those of an AS-MLP.
 */
export function inferArchitecture(
  tensors: ReadonlyMap<string, Shaped>,
  { prefix = '', source = 'weights' }: { prefix?: string; source?: string } = {},
): InferredArchitecture {
  const shapeOf = (name: string) => tensors.get(prefix + name)?.shape;
  const stem = shapeOf('patch_embed.proj.weight');
  if (stem?.length !== 4) {
    const example = tensors.keys().next().value;
    throw new AsMlpError('weights', {
      where: source,
      what: `these are not the weights of an AS-MLP: ${prefix}patch_embed.proj.weight is ${stem ? `[${stem}]` : 'missing'}${example === undefined ? ' and the file holds no tensors' : `, the first key is ${example}`}`,
      fix: 'Use an official AS-MLP checkpoint or one that this project trained',
    });
  }
  const depths = countBlocks(tensors.keys(), prefix);
  const empty = depths.indexOf(0);
  if (empty >= 0) {
    throw new AsMlpError('weights', {
      where: source,
      what: `stage ${empty} (${prefix}layers.${empty}.*) is missing`,
      fix: 'The file is incomplete: get it again',
    });
  }
  const embedDim = stem[0]!;
  const hidden = shapeOf('layers.0.blocks.0.mlp.fc1.weight')?.[0];
  return {
    config: { embedDim, depths, mlpRatio: hidden ? hidden / embedDim : 4 },
    out: shapeOf('norm0.weight') ? 'pyramid' : 'final',
  };
}

function countBlocks(names: Iterable<string>, prefix: string): [number, number, number, number] {
  const depths: [number, number, number, number] = [0, 0, 0, 0];
  for (const name of names) {
    if (!name.startsWith(prefix)) continue;
    const match = /^layers\.([0-3])\.blocks\.(\d{1,3})\./.exec(name.slice(prefix.length));
    if (!match) continue;
    const stage = Number(match[1]);
    depths[stage] = Math.max(depths[stage]!, Number(match[2]) + 1);
  }
  return depths;
}
