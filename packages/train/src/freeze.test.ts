import { describe, expect, it } from 'vitest';
import { freezeModules } from './freeze.ts';
import { TinyModel } from './tiny-task.fixture.ts';

const trainable = (model: TinyModel) =>
  [...model.namedParameters()].filter(([, parameter]) => parameter.trainable).map(([name]) => name);

describe('freezeModules', () => {
  it.each([
    ['hidden', ['norm.weight', 'norm.bias', 'head.weight', 'head.bias']],
    ['hidden.', ['norm.weight', 'norm.bias', 'head.weight', 'head.bias']],
    ['hidden.weight', ['hidden.bias', 'norm.weight', 'norm.bias', 'head.weight', 'head.bias']],
    ['h*', ['norm.weight', 'norm.bias']],
    ['*.bias', ['hidden.weight', 'norm.weight', 'head.weight']],
    ['**weight', ['hidden.bias', 'norm.bias', 'head.bias']],
  ])('freezes what %s names', (pattern, left) => {
    const model = new TinyModel();
    const before = trainable(model);
    const [frozen] = freezeModules(model, [pattern]);
    expect(trainable(model)).toEqual(left);
    expect(frozen).toEqual({ pattern, parameters: before.filter((name) => !left.includes(name)) });
    model.dispose();
  });

  it.each([
    ['hiden', 'freeze: no parameter is called "hiden" or lies below it. Did you mean "hidden".'],
    ['hid', 'no parameter is called "hid"'],
    ['backbone.layers.0', 'The modules at the top are hidden, norm, head.'],
    ['**', 'nothing is left to train'],
  ])('refuses %s and changes nothing', (pattern, message) => {
    const model = new TinyModel();
    expect(() => freezeModules(model, ['head.bias', pattern])).toThrow(message);
    expect(trainable(model)).toHaveLength(6);
    model.dispose();
  });
});
