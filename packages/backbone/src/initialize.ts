import type { LoadReport, WeightEntry } from '@as-mlp/nn';
import type { Backbone } from './as-mlp.ts';

const PREFIX = 'backbone.';
/** What only one of the two has: a classifier's last norm and head, and the norms of the pyramid. */
const OF_CLASSIFIERS = /^(norm|head)\./;
const OF_PYRAMIDS = /^norm[0-3]\./;

/**
 * Starts the backbone of a pyramid from the weights of another training: of a classification checkpoint, or of any network
 * that keeps its backbone under `backbone.`; the rest of the file is not used.
 *
 * @param source name of the file, for messages.
 * @throws AsMlpError when the weights do not fit.
 */
export async function initializeBackbone(
  backbone: Backbone,
  entries: ReadonlyMap<string, WeightEntry>,
  source: string,
): Promise<LoadReport> {
  const below = [...entries].flatMap(([name, entry]) =>
    name.startsWith(PREFIX) ? [[name.slice(PREFIX.length), entry] as const] : [],
  );
  return await backbone.load(below.length > 0 ? new Map(below) : entries, {
    source,
    allowMissing: (name) => below.length === 0 && OF_PYRAMIDS.test(name),
    allowUnexpected: (name) => below.length === 0 && OF_CLASSIFIERS.test(name),
  });
}
