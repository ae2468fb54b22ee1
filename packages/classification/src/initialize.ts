import type { LoadReport } from '@as-mlp/nn';
import { loadForClasses, withWeights } from '@as-mlp/train';
import type { ClassificationModel } from './model.ts';

/**
 * Starts a model from the weights of another training. A head with another number of classes is left as it was
 * initialised; everything else must fit.
 *
 * @throws AsMlpError when the file cannot be read or does not fit.
 */
export async function initializeFrom(model: ClassificationModel, path: string): Promise<LoadReport> {
  const isClassWise = (name: string) => name === 'head.weight' || name === 'head.bias';
  return await withWeights(path, ({ entries }) =>
    loadForClasses(model, entries, { source: path, isClassWise }),
  );
}
