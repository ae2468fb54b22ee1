import { AsMlpError } from '@as-mlp/base';
import type { Rgb } from '@as-mlp/data';

/**
 * Labels for a network of `count` classes: those that its file or caller names, else `class 0`, `class 1`, ….
 *
 * @throws AsMlpError `weights` when there is not one name a class.
 */
export function labelsFor(count: number, named?: readonly string[], source = 'weights'): readonly string[] {
  if (!named) return Array.from({ length: count }, (_, index) => `class ${index}`);
  return onePerClass('class names', count, named, source);
}

/**
 * A colour for each class: those of its file or caller, else colours that are told apart easily.
 *
 * @throws AsMlpError `weights` when there is not one colour a class.
 */
export function paletteFor(count: number, named?: readonly Rgb[], source = 'weights'): readonly Rgb[] {
  return named
    ? onePerClass('colours', count, named, source)
    : Array.from({ length: count }, (_, i) => colour(i));
}

function onePerClass<T>(what: string, count: number, list: readonly T[], source: string): readonly T[] {
  if (list.length === count) return list;
  throw new AsMlpError('weights', {
    where: source,
    what: `${list.length} ${what} for a network of ${count} classes`,
    fix: 'Use a list with one for each class',
  });
}

/** Hues a golden section apart, in three degrees of brightness. */
function colour(index: number): Rgb {
  const hue = (index * 0.618034) % 1;
  const light = [230, 160, 255][index % 3]!;
  const channel = (shift: number) => {
    const part = Math.abs(((hue + shift) % 1) * 6 - 3) - 1;
    return Math.round(light * (0.25 + 0.75 * Math.min(1, Math.max(0, part))));
  };
  return [channel(0), channel(2 / 3), channel(1 / 3)];
}
