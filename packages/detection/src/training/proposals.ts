import { chooseProposals, type RpnLevel } from '../predict/proposals.ts';
import type { ImageExtent } from './rpn-targets.ts';

/** Official largest overlap of two proposals of one level. */
const OVERLAP = 0.7;

/**
 * The `[N, 4]` proposals of each image, best first, without gradients.
 *
 * @param levels what the proposal network says of each level of all images, one after the other.
 */
export function trainingProposals(
  levels: readonly RpnLevel[],
  extents: readonly ImageExtent[],
  options: { readonly perLevel: number; readonly limit: number },
): Float32Array[] {
  return extents.map(({ image: clip }, image) => {
    const part = (values: Float32Array) => {
      const length = values.length / extents.length;
      return values.subarray(image * length, (image + 1) * length);
    };
    const own = levels.map((level) => ({
      ...level,
      logits: part(level.logits),
      deltas: part(level.deltas),
    }));
    return chooseProposals(own, clip, { ...options, threshold: OVERLAP }).boxes;
  });
}
