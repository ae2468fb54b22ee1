import { expect, it } from 'vitest';
import { compareClasses } from './class-names.ts';

it('takes synonyms and classes without names for the same', () => {
  expect(compareClasses(['building', 'TV'], ['building, edifice', 'television;tv'])).toEqual([]);
  expect(compareClasses(['class 0', 'class 1'], ['cat', 'dog'])).toEqual([]);
});

it('tells of names that differ', () => {
  expect(compareClasses(['cat', 'dog', 'cow'], ['cat', 'wolf', 'cow'])).toEqual([
    '1 of 3 classes are named otherwise: 1 is dog in the weights, wolf in the data. Their numbers are compared, not their names',
  ]);
  const [many] = compareClasses(['a', 'b', 'c', 'd'], ['e', 'f', 'g', 'h']);
  expect(many).toContain('4 of 4');
  expect(many).toContain('2 is c in the weights, g in the data, …');
});

it('refuses another number of classes, and another order', () => {
  expect(() => compareClasses(['a'], ['a', 'b'], 'root')).toThrow(
    'root: it has 2 classes, and the network 1. Evaluate on the classes that the network was trained for.',
  );
  expect(() => compareClasses(['a', 'b', 'c'], ['a', 'c', 'b'])).toThrow('class 1 is c, and b there');
});
