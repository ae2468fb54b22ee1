import { chooseProposals } from '../predict/proposals.ts';
import type { RpnAnswers } from './rpn-losses.ts';
import type { ImageExtent, LevelGrid } from './rpn-targets.ts';

/** Official largest overlap of two proposals of one level. */
const OVERLAP = 0.7;

/** The `[N, 4]` proposals of each image, best first, without gradients. */
export function trainingProposals(
  { logits, deltas }: RpnAnswers,
  levels: readonly LevelGrid[],
  extents: readonly ImageExtent[],
  options: { readonly perLevel: number; readonly limit: number },
): Float32Array[] {
  const scores = logits.dataSync<'float32'>();
  const moves = deltas.dataSync<'float32'>();
  const perImage = logits.shape[1];
  const perCell = perImage / levels.reduce((sum, { height, width }) => sum + height * width, 0);
  return extents.map(({ image: clip }, image) => {
    let from = image * perImage;
    const answers = levels.map((level) => {
      const to = from + level.height * level.width * perCell;
      const part = { ...level, logits: scores.subarray(from, to), deltas: moves.subarray(4 * from, 4 * to) };
      from = to;
      return part;
    });
    return chooseProposals(answers, clip, { ...options, threshold: OVERLAP }).boxes;
  });
}
