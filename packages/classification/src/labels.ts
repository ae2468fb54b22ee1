import { AsMlpError } from '@as-mlp/base';
import imagenet from './imagenet-1k.json' with { type: 'json' };

/** A class as ImageNet names it: the WordNet synset of its folder, and words for people. */
export interface Synset {
  readonly synset: string;
  readonly name: string;
}

/** The 1000 classes of ILSVRC-2012 in the order of the official outputs. */
export const IMAGENET_1K: readonly Synset[] = (imagenet as [string, string][]).map(([synset, name]) => ({
  synset,
  name,
}));

/** Whether every one of these folder names is an ILSVRC-2012 synset. */
export function areSynsets(names: readonly string[]): boolean {
  const known = new Set(IMAGENET_1K.map(({ synset }) => synset));
  return names.length > 0 && names.every((name) => known.has(name));
}

/**
 * Labels for a model of `count` classes: those that its file names, else the ImageNet names for 1000 classes, else
 * `class 0`, `class 1`, ….
 */
export function labelsFor(count: number, named?: readonly string[], source = 'weights'): readonly string[] {
  if (named) {
    if (named.length === count) return named;
    throw new AsMlpError('weights', {
      where: source,
      what: `${named.length} class names for a model of ${count} classes`,
      fix: 'Use a list with one name a class',
    });
  }
  if (count === IMAGENET_1K.length) return IMAGENET_1K.map(({ name }) => name);
  return Array.from({ length: count }, (_, index) => `class ${index}`);
}
