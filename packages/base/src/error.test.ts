import { describe, expect, it } from 'vitest';
import { AsMlpError, nearest } from './error.ts';

describe('AsMlpError', () => {
  it('reads where, what, what to do', () => {
    const error = new AsMlpError('weights', { where: 'a.pth', what: 'is empty', fix: 'Download it again' });
    expect(error.message).toBe('a.pth: is empty. Download it again.');
    expect(error.kind).toBe('weights');
  });
});

describe('nearest', () => {
  it('finds the intended name and gives up on strangers', () => {
    expect(nearest('as-mlp-tny', ['as-mlp-tiny', 'as-mlp-base'])).toBe('as-mlp-tiny');
    expect(nearest('resnet50', ['as-mlp-tiny'])).toBeUndefined();
  });
});
