import { AsMlpError } from '@as-mlp/base';
import type { ImageFacts } from './check-data.ts';
import type { LoadSample } from './sample.ts';

/** Images of which some are as they should not be. */
export function factsOfProbes(): LoadSample<ImageFacts> {
  return (index) => {
    if (index === 3) throw new AsMlpError('image', { where: '3.png', what: 'it is damaged' });
    const labels = [[0, 0, 1], [], [1], [], [7], [-1]][index]!;
    const faults = index === 2 ? ['it is odd'] : [];
    return { tensors: {}, meta: { name: `${index}.png`, height: 10 + index, width: 20, labels, faults } };
  };
}
