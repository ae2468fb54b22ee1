import type { LoadReport } from '@as-mlp/nn';
import { withWeights } from '@as-mlp/train';
import type { ClassificationModel } from './model.ts';

/**
 * Starts a model from the weights of another training. A head with another number of classes is left as it was
 * initialised; everything else must fit.
 *
 * @throws AsMlpError when the file cannot be read or does not fit.
 */
export async function initializeFrom(model: ClassificationModel, path: string): Promise<LoadReport> {
  return await withWeights(path, async ({ entries }) => {
    const hasSameClasses = entries.get('head.weight')?.shape[0] === model.config.numClasses;
    const isHead = (name: string) => name === 'head.weight' || name === 'head.bias';
    const used = hasSameClasses ? entries : new Map([...entries].filter(([name]) => !isHead(name)));
    return await model.load(used, { source: path, allowMissing: (name) => !hasSameClasses && isHead(name) });
  });
}
