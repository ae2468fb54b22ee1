import { AsMlpError } from '@as-mlp/base';
import { synonyms } from '../ade20k.ts';
import { labelsFor } from '../names.ts';

/**
 * Whether the classes of a network are those of a data set: their numbers decide, and their names tell of a mistake. Names that are
 * synonyms (`building` and `building, edifice`) agree, and so does a network whose classes nobody named.
 *
 * @returns what is worth telling before an evaluation: names that differ.
 * @throws AsMlpError (input) for another number of classes, and for the same names in another order.
 */
export function compareClasses(
  network: readonly string[],
  data: readonly string[],
  where = 'the data set',
): string[] {
  const fault = (what: string, fix: string) => new AsMlpError('input', { where, what, fix });
  if (data.length !== network.length) {
    throw fault(
      `it has ${data.length} classes, and the network ${network.length}`,
      'Evaluate on the classes that the network was trained for',
    );
  }
  const unnamed = isUnnamed(network);
  const different = network.flatMap((name, i) => (unnamed || agree(name, data[i]!) ? [] : [i]));
  if (different.length === 0) return [];
  if ([...network].sort().join('\n') === [...data].sort().join('\n')) {
    const i = different[0]!;
    throw fault(
      `its classes stand in another order than the network's: class ${i} is ${data[i]}, and ${network[i]} there`,
      'List the classes in the order of the numbers in the label maps, and use label maps of the same numbers',
    );
  }
  const shown = different
    .slice(0, 3)
    .map((i) => `${i} is ${network[i]} in the weights, ${data[i]} in the data`);
  const more = different.length > shown.length ? ', …' : '';
  return [
    `${different.length} of ${network.length} classes are named otherwise: ${shown.join('; ')}${more}. ` +
      'Their numbers are compared, not their names',
  ];
}

/** Whether two lists name the same classes in the same order; a class may have synonyms in either. */
export function areSameClasses(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((name, i) => agree(name, b[i]!));
}

/** Whether these stand for names that nobody gave: `class 0`, `class 1`, …. */
export function isUnnamed(labels: readonly string[]): boolean {
  return labelsFor(labels.length).every((name, i) => name === labels[i]);
}

function agree(a: string, b: string): boolean {
  const known = synonyms(b);
  return synonyms(a).some((name) => known.includes(name));
}
