import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { type ByteSource, bytesSource, openWeights, type WeightFile } from '../index.ts';
import { readAll } from '../pack.fixture.ts';
import {
  call,
  checkpoint,
  dict,
  int,
  name,
  PROTO,
  pickle,
  storage,
  tensor,
  text,
  tuple,
} from '../pickle.fixture.ts';
import { floats, torchRecords, type ZipEntry, zip } from '../zip.fixture.ts';

const open = (pkl: Uint8Array, ...more: readonly ZipEntry[]): Promise<WeightFile> =>
  openWeights(bytesSource('x.pth', zip(torchRecords(pkl, ...more))));
const read = async (weights: string, ...more: readonly ZipEntry[]): Promise<number[]> => [
  ...(await readAll(await open(checkpoint(weights), ...more))).get('w')!,
];

describe('weights in a zip container', () => {
  it('are found under model, state_dict, or at the top', async () => {
    const weights = dict(text('w'), tensor());
    for (const pkl of [
      dict(text('model'), weights),
      dict(text('model'), 'N', text('state_dict'), weights),
      dict(text('w'), tensor(), text('epoch'), 'K\x01'),
    ]) {
      const file = await open(pickle(PROTO, pkl, '.'));
      expect([...file.entries.keys()]).toEqual(['w']);
      expect([...(await readAll(file)).get('w')!]).toEqual([1, 2, 3, 4]);
    }
  });

  it('lose the prefix module. when all have it', async () => {
    const both = (first: string, second: string) =>
      pickle(PROTO, dict(text('model'), dict(text(first), tensor(), text(second), tensor())), '.');
    expect([...(await open(both('module.a', 'module.b'))).entries.keys()]).toEqual(['a', 'b']);
    expect([...(await open(both('module.a', 'b'))).entries.keys()]).toEqual(['module.a', 'b']);
  });

  it('may be strided, shared, scalar, empty', async () => {
    expect(await read(tensor({ size: [2, 2], stride: [1, 2] }))).toEqual([1, 3, 2, 4]);
    expect(await read(tensor({ size: [2], stride: [2], offset: 1 }))).toEqual([2, 4]);
    expect(await read(tensor({ size: [], stride: [], offset: 3 }))).toEqual([4]);
    expect(await read(tensor({ size: [0, 7], stride: [7, 1] }))).toEqual([]);
    expect(await read(tensor({ size: [5], stride: [0], offset: 2 }))).toEqual([3, 3, 3, 3, 3]);
    expect(await read(tensor({ size: [1, 4], stride: [99, 1] }))).toEqual([1, 2, 3, 4]);
  });

  it('may be parameters, also with attributes of their own', async () => {
    const hooks = call(name('collections', 'OrderedDict'));
    expect(await read(call(name('torch._utils', '_rebuild_parameter'), tensor(), '\x88', hooks))).toEqual([
      1, 2, 3, 4,
    ]);
    const inner = tuple(storage({}), int(0), tuple(int(2)), tuple(int(1)));
    const rebuilt = call(
      name('torch._tensor', '_rebuild_from_type_v2'),
      name('torch._utils', '_rebuild_tensor'),
      name('torch', 'Tensor'),
      inner,
      dict(text('tag'), 'N'),
    );
    expect(await read(rebuilt)).toEqual([1, 2]);
  });

  it('may be of types that only newer PyTorch has, and are listed', async () => {
    const typed = call(
      name('torch._utils', '_rebuild_tensor_v3'),
      storage({ storage: 'UntypedStorage', elements: 16 }),
      int(2),
      tuple(int(6)),
      tuple(int(1)),
      '\x89',
      call(name('collections', 'OrderedDict')),
      name('torch', 'uint16'),
    );
    const { entries } = await open(checkpoint(typed));
    expect(entries.get('w')).toMatchObject({ dtype: 'uint16', shape: [6] });
    await expect(entries.get('w')!.read()).rejects.toThrow('x.pth, w: is uint16, not floating point');
  });

  it('stand beside counters of other types', async () => {
    const counter = tensor({ key: '1', elements: 1, size: [], stride: [], storage: 'LongStorage' });
    const weights = dict(text('w'), tensor(), text('bn.num_batches_tracked'), counter);
    const pkl = pickle(PROTO, dict(text('model'), weights), '.');
    const { entries } = await open(pkl, { name: 'archive/data/1', data: new Uint8Array(8) });
    expect(entries.get('bn.num_batches_tracked')).toMatchObject({ dtype: 'int64', shape: [] });
    expect([...(await entries.get('w')!.read())]).toEqual([1, 2, 3, 4]);
  });

  it('are read one by one: a view of a large storage takes its own bytes, after one check of them all', async () => {
    const bytes = zip(torchRecords(checkpoint(tensor({ size: [1], offset: 3 }))));
    const source = bytesSource('x.pth', bytes);
    const reads: number[] = [];
    const counting: ByteSource = {
      ...source,
      read: (offset, length) => {
        reads.push(length);
        return source.read(offset, length);
      },
    };
    const entry = (await openWeights(counting)).entries.get('w')!;
    reads.length = 0;
    expect([...(await entry.read())]).toEqual([4]);
    expect(reads.slice(-2)).toEqual([16, 4]);
    reads.length = 0;
    await entry.read();
    expect(reads).toEqual([4]);
  });

  it('are swapped when the file says that they are big-endian', async () => {
    const data = floats(1, 2, 3, 4);
    new DataView(data.buffer).setFloat32(0, 9, false);
    const records = (order: string): ZipEntry[] => [
      { name: 'a/data.pkl', data: checkpoint(tensor({ size: [1] })) },
      { name: 'a/data/0', data },
      { name: 'a/byteorder', data: new TextEncoder().encode(order) },
    ];
    const file = await openWeights(bytesSource('x.pth', zip(records('big'))));
    expect([...(await readAll(file)).get('w')!]).toEqual([9]);
    await expect(openWeights(bytesSource('x.pth', zip(records('middle'))))).rejects.toThrow('byteorder');
  });

  it('may be compressed', async () => {
    const records = torchRecords(checkpoint(tensor())).map((record) => ({ ...record, deflate: true }));
    const file = await openWeights(bytesSource('x.pth', zip(records)));
    expect([...(await readAll(file)).get('w')!]).toEqual([1, 2, 3, 4]);
  });
});

describe('a hostile zip container', () => {
  const two40 = 2 ** 40;

  it.each<[string, string]>([
    ['that is too short', tensor({ elements: 1000 })],
    ['that is too long', tensor({ elements: 3, size: [3] })],
    ['that is not there', tensor({ key: '7' })],
    ['outside the archive', tensor({ key: '../../../etc/passwd' })],
    ['of a negative length', tensor({ elements: -4 })],
    ['of 2^62 elements', tensor({ elements: 2n ** 62n })],
    ['of another type than exists', tensor({ storage: 'EvilStorage' })],
    ['of fewer bytes an element', tensor({ storage: 'HalfStorage' })],
    ['viewed beyond its end', tensor({ view: tuple(text('v'), int(3), int(2)) })],
    ['viewed from before its start', tensor({ view: tuple(text('v'), int(-1), int(2)) })],
  ])('is refused for a storage %s', async (_, weights) => {
    await expect(read(weights)).rejects.toThrow(AsMlpError);
    await expect(read(weights)).rejects.toThrow(/x\.pth, data\.pkl, near "w"/);
  });

  it.each<[string, string]>([
    ['an offset beyond the end', tensor({ offset: 1 })],
    ['a negative offset', tensor({ offset: -1 })],
    ['an offset of 2^63', tensor({ offset: 2n ** 63n })],
    ['a stride beyond the end', tensor({ size: [2], stride: [4] })],
    ['a negative stride', tensor({ size: [2], stride: [-1], offset: 3 })],
    ['a negative extent', tensor({ size: [-1] })],
    ['extents that multiply past 2^64', tensor({ size: [2 ** 33, 2 ** 33], stride: [0, 0] })],
    ['strides that multiply past 2^64', tensor({ size: [2 ** 33], stride: [2 ** 40] })],
    ['2^40 elements from one', tensor({ size: [two40], stride: [0] })],
    ['an extent of 2^70', tensor({ size: [2n ** 65n], stride: [0] })],
    ['fewer strides than extents', tensor({ size: [2, 2], stride: [1] })],
    ['more axes than PyTorch has', tensor({ size: new Array(65).fill(1), stride: new Array(65).fill(1) })],
  ])('is refused for a tensor with %s', async (_, weights) => {
    await expect(read(weights)).rejects.toThrow(AsMlpError);
  });

  it.each<[string, string]>([
    ['a string', `${text('storage')}Q`],
    ['None', 'NQ'],
    ['an empty tuple', ')Q'],
    ['a list of the right parts', `]${'K\x01a'.repeat(5)}Q`],
    ['a tuple of four', `${tuple(text('storage'), name('torch', 'FloatStorage'), text('0'), text('cpu'))}Q`],
    ['a tuple of seven', storage({ view: 'NN' })],
    [
      'another kind',
      `${tuple(text('file'), name('torch', 'FloatStorage'), text('0'), text('cpu'), int(4))}Q`,
    ],
    [
      'a number for a key',
      `${tuple(text('storage'), name('torch', 'FloatStorage'), int(0), text('cpu'), int(4))}Q`,
    ],
    ['text for a type', `${tuple(text('storage'), text('FloatStorage'), text('0'), text('cpu'), int(4))}Q`],
    [
      'text for a length',
      `${tuple(text('storage'), name('torch', 'FloatStorage'), text('0'), text('cpu'), text('4'))}Q`,
    ],
    ['protocol 0', 'Pstorage\n'],
  ])('is refused for a persistent id that is %s', async (_, id) => {
    await expect(open(checkpoint(tensor(), text('x'), id))).rejects.toThrow(AsMlpError);
  });

  it('is refused for a storage of two types', async () => {
    const other = tensor({ storage: 'IntStorage' });
    await expect(open(checkpoint(tensor(), text('other'), other))).rejects.toThrow('as float32 and as int32');
  });

  it.each<[string, string]>([
    ['called', call(name('os', 'system'), text('x'))],
    ['only named', name('os', 'system')],
    ['called by INST', `(${text('x')}ios\nsystem\n`],
    ['called by OBJ', `(${name('os', 'system')}${text('x')}o`],
    ['made by NEWOBJ', `${name('subprocess', 'Popen')}(${text('x')}t\x81`],
    ['made by NEWOBJ_EX', `${name('subprocess', 'Popen')})${dict(text('args'), text('x'))}\x92`],
    ['made through copyreg', call(name('copyreg', '__newobj__'), name('subprocess', 'Popen'), text('x'))],
    [
      'set as an attribute',
      `${name('yacs.config', 'CfgNode')})\x81${dict(text('__setstate__'), name('os', 'system'))}b`,
    ],
    ['a factory of a defaultdict', call(name('collections', 'defaultdict'), name('os', 'system'))],
    ['in a partial', call(name('functools', 'partial'), name('os', 'system'), text('x'))],
    ['a key', dict(call(name('os', 'system'), text('x')), 'N')],
    [
      'found by getattr',
      call(name('builtins', 'getattr'), call(name('builtins', '__import__'), text('os')), text('system')),
    ],
    ['behind dots', `${text('torch')}${text('serialization.os.system')}\x93`],
    [
      'a type of a tensor',
      call(
        name('torch._tensor', '_rebuild_from_type_v2'),
        name('os', 'system'),
        name('torch', 'Tensor'),
        tuple(text('x')),
        'N',
      ),
    ],
    ['a function of another package', call(name('evil.mod', 'make'))],
    ['dropped again', `${call(name('os', 'system'), text('x'))}0N`],
    ['in the memo only', `${name('os', 'system')}q\x050N`],
  ])('is refused for program code that is %s', async (_, value) => {
    const refused = open(checkpoint(tensor(), text('config'), value));
    await expect(refused).rejects.toThrow(/program code, not data; nothing of it was run|unknown way/);
  });

  it('is refused for a chain of constructors that make constructors', async () => {
    const newObject = name('copyreg', '__newobj__');
    const nested = `${newObject}q\x00(${'h\x00'.repeat(10_000)}tR`;
    await expect(open(checkpoint(tensor(), text('x'), nested))).rejects.toThrow(AsMlpError);
  });

  it.each<[string, string]>([
    ['dictionaries', `${dict(...Array.from({ length: 2000 }, (_, i) => `${int(i)}N`))}q\x00`],
    ['sets', `(${'N'.repeat(20_000)}lq\x00`],
    ['bytes', `${text('x'.repeat(100_000))}q\x00`],
  ])('is refused for one large value that many small calls copy: %s', async (kind, value) => {
    const callees: Record<string, string> = {
      dictionaries: `${name('collections', 'OrderedDict')}q\x01(h\x00tR`,
      sets: `${name('builtins', 'set')}q\x01(h\x00tR`,
      bytes: `${name('_codecs', 'encode')}q\x01(h\x00${text('latin1')}tR`,
    };
    const copies = callees[kind]!.repeat(5000);
    await expect(open(checkpoint(tensor(), text('x'), `(${value}${copies}t`))).rejects.toThrow(
      'describes more objects than a checkpoint has',
    );
  });

  it('is refused for one long shape that many tensors name', async () => {
    const shape = `(${'K\x01'.repeat(200_000)}tq\x00`;
    const many = `${name('torch', 'Size')}(h\x00tR`.repeat(1000);
    await expect(open(checkpoint(tensor(), text('x'), `(${shape}${many}t`))).rejects.toThrow(
      'of 200000 axes',
    );
  });

  it('is refused for tensors that together take far more than the file holds', async () => {
    const repeated = dict(
      ...Array.from({ length: 40 }, (_, i) => text(`w${i}`) + tensor({ size: [50_000], stride: [0] })),
    );
    await expect(open(pickle(PROTO, dict(text('model'), repeated), '.'))).rejects.toThrow('far more memory');
  });

  it.each<[string, Uint8Array, string]>([
    ['no dictionary', pickle(PROTO, ']N.', '.'), 'values left over'],
    ['a list', pickle(PROTO, ']', '.'), 'is a list of 0, not a dictionary of named tensors'],
    ['a tensor', pickle(PROTO, tensor(), '.'), 'is a tensor, not a dictionary'],
    [
      'a whole module',
      pickle(PROTO, name('models.asmlp', 'AsMlp'), ')\x81}b.'),
      'class models.asmlp.AsMlp, not its weights',
    ],
    ['weights that are a list', pickle(PROTO, dict(text('model'), ']'), '.'), 'x.pth, model: is a list'],
    ['no tensors', pickle(PROTO, dict(text('model'), dict(text('a'), 'N')), '.'), 'its names are "a"'],
    ['nothing', pickle(PROTO, dict(), '.'), 'holds no tensors'],
    [
      'a number for a name',
      pickle(PROTO, dict(text('model'), dict(text('w'), tensor(), int(1), tensor())), '.'),
      'has a int for a name',
    ],
    ['bytes after the pickle', pickle(PROTO, dict(text('w'), tensor()), '.N.'), 'goes on after its end'],
  ])('is refused when it holds %s', async (_, pkl, message) => {
    await expect(open(pkl)).rejects.toThrow(message);
  });

  it('does not print control characters', async () => {
    const weights = dict(text('\x1b[2Jw'), tensor({ size: [two40], stride: [0] }));
    const error: AsMlpError = await open(pickle(PROTO, dict(text('model'), weights), '.')).catch(
      (thrown) => thrown,
    );
    expect(error.message).toContain('\\u001b[2Jw');
    expect(error.message).not.toContain('\x1b');
  });
});
