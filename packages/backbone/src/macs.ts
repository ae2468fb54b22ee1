import type { AsMlpConfig } from './config.ts';

/**
 * Multiply-accumulates of the stem, stages and merges for one image, tallied as the official code does (it calls them
 * FLOPs): products of every convolution and linear layer, and one per element for each norm and shift branch.
 */
export function backboneMacs(config: AsMlpConfig, image: { height: number; width: number }): number {
  const { embedDim, depths, mlpRatio = 4 } = config;
  let height = Math.ceil(image.height / 4);
  let width = Math.ceil(image.width / 4);
  let macs = height * width * embedDim * (3 * 4 * 4 + 1);
  for (const [stage, depth] of depths.entries()) {
    const channels = embedDim * 2 ** stage;
    const cells = height * width;
    const norms = 2 * cells * channels;
    const shift = cells * channels * (4 * channels + 3);
    const mlp = 2 * cells * channels * Math.floor(channels * mlpRatio);
    macs += depth * (norms + shift + mlp);
    if (stage === depths.length - 1) break;
    height = Math.ceil(height / 2);
    width = Math.ceil(width / 2);
    macs += cells * channels + height * width * 8 * channels * channels;
  }
  return macs;
}
