import { describe, expect, it } from 'vitest';
import { bytesSource, openWeights } from '../index.ts';
import { call, checkpoint, dict, int, name, tensor, text, tuple } from '../pickle.fixture.ts';
import { torchRecords, zip } from '../zip.fixture.ts';

/** The metadata of a checkpoint with `value` under `x`. */
async function metadataOf(value: string): Promise<unknown> {
  const pkl = checkpoint(tensor(), text('x'), value);
  const { metadata } = await openWeights(bytesSource('x.pth', zip(torchRecords(pkl))));
  return metadata.x;
}
const object = (module: string, qualifiedName: string): string => `${name(module, qualifiedName)})\x81`;

describe('metadata of a checkpoint', () => {
  it.each<[string, string, unknown]>([
    ['numbers', int(299), 299],
    ['text', text('imagenet'), 'imagenet'],
    ['tuples', tuple(text('wall'), text('sky')), ['wall', 'sky']],
    ['sets', call(name('__builtin__', 'set'), `]${int(1)}a`), [1]],
    ['large integers', '\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00\x01', '18446744073709551616'],
    ['classes', name('torch', 'float16'), 'torch.float16'],
    ['keys that are numbers', dict(int(1), text('a'), tuple(), text('b')), { 1: 'a' }],
    [
      'ordered dictionaries',
      call(name('collections', 'OrderedDict'), `]${tuple(text('a'), int(1))}a`),
      { a: 1 },
    ],
    [
      'attributes',
      `${object('argparse', 'Namespace')}${dict(text('lr'), int(1), text('__x'), 'N')}b`,
      { lr: 1 },
    ],
    [
      'empty configurations',
      `${object('yacs.config', 'CfgNode')}${dict(text('__immutable__'), '\x88')}b`,
      {},
    ],
    [
      'items rather than attributes',
      `${object('yacs.config', 'CfgNode')}(${text('A')}NuN}b`.replace('N}b', `${dict(text('_b'), 'N')}b`),
      { A: null },
    ],
    ['items of lists', `${object('a', 'List')}K\x01a`, [1]],
    ['arguments', call(name('datetime', 'timedelta'), int(3), int(0)), [3, 0]],
    [
      'states that are tuples',
      `${object('mmcv', 'Config')}${tuple(dict(text('a'), int(1)), text('cfg.py'))}b`,
      [{ a: 1 }, 'cfg.py'],
    ],
    ['tensors beside other things', dict(text('t'), tensor(), text('a'), int(1)), { a: 1 }],
    ['tensors', tensor(), undefined],
    ['bytes', 'C\x01a', undefined],
    ['instances that are only bytes', call(name('datetime', 'datetime'), 'C\x01a'), undefined],
  ])('keeps %s', async (_, value, expected) => {
    expect(await metadataOf(value)).toEqual(expected);
  });

  it.each<[string, string, string, unknown]>([
    ['f8', 'C\x08\x00\x00\x00\x00\x00\x00\xf8\x3f', '<', 1.5],
    ['f4', 'C\x04\x00\x00\xc0\x3f', '<', 1.5],
    ['i8', 'C\x08\xfe\xff\xff\xff\xff\xff\xff\xff', '<', -2],
    ['i4', 'C\x04\x05\x00\x00\x00', '<', 5],
    ['b1', 'C\x01\x01', '|', true],
    ['f8', 'C\x04\x00\x00\x00\x00', '<', undefined],
    ['f8', 'C\x08\x3f\xf8\x00\x00\x00\x00\x00\x00', '>', undefined],
    ['O', 'C\x08\x00\x00\x00\x00\x00\x00\xf8\x3f', '|', undefined],
  ])('reads NumPy scalars of type %s', async (kind, bytes, order, expected) => {
    const dtype = `${call(name('numpy', 'dtype'), text(kind), '\x89', '\x88')}${tuple(int(3), text(order))}b`;
    expect(await metadataOf(call(name('numpy._core.multiarray', 'scalar'), dtype, bytes))).toBe(expected);
  });

  it('leaves out what trainers need to go on', async () => {
    const pkl = checkpoint(tensor(), text('optimizer'), dict(text('lr'), int(1)), text('epoch'), int(2));
    const { metadata } = await openWeights(bytesSource('x.pth', zip(torchRecords(pkl))));
    expect(Object.keys(metadata)).toEqual(['epoch']);
  });

  it.each<[string, string]>([
    ['refer to themselves', `]q\x00h\x00a`],
    ['refer to themselves through a dictionary', `}q\x00(${text('a')}h\x00u`],
    ['are nested without end', `${']'.repeat(1000)}${'a'.repeat(999)}`],
    ['double sixty times', `${text('ha')}q\x00${Array.from({ length: 60 }, () => '2\x86').join('')}`],
    ['repeat one long text', `(${text('y'.repeat(100_000))}q\x00${'h\x00'.repeat(10_000)}l`],
    [
      'repeat one large dictionary of tuples',
      `(${dict(...Array.from({ length: 5000 }, () => ')N'))}q\x00${'h\x00'.repeat(5000)}l`,
    ],
  ])('leaves out values that %s', async (_, value) => {
    const pkl = checkpoint(tensor(), text('x'), value, text('epoch'), int(2));
    const { metadata } = await openWeights(bytesSource('x.pth', zip(torchRecords(pkl))));
    expect(Object.keys(metadata)).toEqual(['epoch']);
  });

  it('has no prototype to pollute', async () => {
    const evil = dict(text('polluted'), int(1));
    const pkl = checkpoint(
      tensor(),
      text('__proto__'),
      evil,
      text('config'),
      dict(text('__proto__'), evil, text('constructor'), evil),
    );
    const { metadata } = await openWeights(bytesSource('x.pth', zip(torchRecords(pkl))));
    expect(Object.getPrototypeOf(metadata)).toBeNull();
    expect(Object.keys(metadata)).toEqual(['config']);
    expect(JSON.stringify(metadata)).toBe('{"config":{"constructor":{"polluted":1}}}');
    expect(Object.assign({}, metadata.config)).not.toHaveProperty('polluted');
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
