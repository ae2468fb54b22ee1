import { AsMlpError } from '@as-mlp/base';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { dict, int, name, PROTO, pickle, text, tuple, u32, u64 } from '../pickle.fixture.ts';
import type { PickleHost } from './machine.ts';
import { runPickle } from './run.ts';
import { type PickleValue, PyDict, PyGlobal, PyObject, PySet, PyTuple } from './values.ts';

/** Lets every name be and makes inert objects, so that only the machine is under test. */
const host: PickleHost = {
  where: 'x.pth, data.pkl',
  findGlobal: (_, module, qualifiedName) => new PyGlobal(module, qualifiedName),
  make: (_, callee, args) => new PyObject(callee, args),
  persistentLoad: (_, id) => id,
};

const run = (...parts: readonly string[]): PickleValue | undefined =>
  runPickle(pickle(...parts, '.'), host)?.value;

describe('runPickle', () => {
  it.each<[string, string, PickleValue]>([
    ['None', 'N', null],
    ['booleans', '\x88', true],
    ['booleans of protocol 0', 'I00\n', false],
    ['one byte', 'K\xff', 255],
    ['two bytes', 'M\x00\x01', 256],
    ['four bytes, signed', 'J\xff\xff\xff\xff', -1],
    ['integers of protocol 0', 'I-12\n', -12],
    ['a long of protocol 1', 'L9007199254740993L\n', 9007199254740993n],
    ['an empty long', '\x8a\x00', 0],
    ['a short long', '\x8a\x02\x00\x80', -32768],
    ['a long', `\x8b${u32(8)}${u64(2n ** 56n)}`, 72057594037927936n],
    ['floats', 'G\x3f\xf8\x00\x00\x00\x00\x00\x00', 1.5],
    ['floats of protocol 0', 'F-1.5e3\n', -1500],
    ['infinity of protocol 0', 'F-inf\n', Number.NEGATIVE_INFINITY],
    ['text', 'X\x02\x00\x00\x00\xc3\xbc', 'ü'],
    ['short text', '\x8c\x01a', 'a'],
    ['long text', `\x8d${u64(1)}a`, 'a'],
    ['text of protocol 0', 'Va\\u00fc\\U0001f600\n', 'aü😀'],
    ['strings of Python 2', 'U\x02ab', 'ab'],
    ['strings of Python 2 that are no UTF-8', 'T\x02\x00\x00\x00\x80\xff', '\x80ÿ'],
    ['quoted strings of protocol 0', "S'a\\x41\\n'\n", 'aA\n'],
    ['bytes', 'C\x02\x00\xff', Uint8Array.of(0, 255)],
    ['a bytearray', `\x96${u64(1)}\x07`, Uint8Array.of(7)],
    ['an empty tuple', ')', new PyTuple([])],
    ['a tuple of two', 'NN\x86', new PyTuple([null, null])],
    ['a list', ']K\x01a(K\x02K\x03e', [1, 2, 3]],
    ['a list of protocol 0', '(K\x01K\x02l', [1, 2]],
    ['a set', '\x8f(K\x01K\x02\x90', new PySet([1, 2])],
    ['a frozenset', '(K\x01\x91', new PySet([1])],
    ['DUP', 'K\x01K\x022\x87', new PyTuple([1, 2, 2])],
    ['POP', 'K\x01K\x020', 1],
    ['POP of a mark', 'K\x01(0', 1],
    ['POP_MARK', 'K\x01(K\x02K\x031', 1],
    ['PUT and GET', 'K\x07p9\n0g9\n', 7],
    ['BINPUT and BINGET', 'K\x07q\x090h\x09', 7],
    ['LONG_BINPUT and LONG_BINGET', `K\x07r${u32(0xffffffff)}0j${u32(0xffffffff)}`, 7],
    ['MEMOIZE', 'K\x07\x940h\x00', 7],
    ['a frame', `\x80\x04\x95${u64(1)}N`, null],
    ['PERSID', 'Pabc\n', 'abc'],
  ])('reads %s', (_, instructions, expected) => {
    expect(run(instructions)).toEqual(expected);
  });

  it('keeps dictionaries in order, and keys that name parts of objects as any others', () => {
    const value = run(
      PROTO,
      dict(text('b'), 'K\x01', text('__proto__'), 'K\x02', int(3), 'N', tuple('N'), 'N'),
    );
    expect(value).toBeInstanceOf(PyDict);
    expect([...(value as PyDict).map.keys()]).toEqual(['b', '__proto__', 3, new PyTuple([null])]);
    expect(Object.getPrototypeOf(value)).toBe(PyDict.prototype);
  });

  it('keeps instances as data: arguments, items, attributes', () => {
    const state = dict(text('frozen'), '\x88');
    const value = run(
      PROTO,
      name('yacs.config', 'CfgNode'),
      ')\x81',
      `(${text('A')}K\x05u`,
      'K\x09a',
      state,
      'b',
    );
    const expected = new PyObject(new PyGlobal('yacs.config', 'CfgNode'), []);
    expected.map = new Map([['A', 5]]);
    expected.list = [9];
    expected.state = run(state);
    expect(value).toEqual(expected);
  });

  it('passes keyword arguments on, from NEWOBJ_EX too', () => {
    const value = run(name('a', 'B'), '(K\x01t', dict(text('k'), 'K\x02'), '\x92') as PyObject;
    expect(value.args).toEqual([1, run(dict(text('k'), 'K\x02'))]);
  });

  it('makes the same of INST, OBJ, REDUCE and NEWOBJ', () => {
    const expected = new PyObject(new PyGlobal('a', 'B'), [1]);
    expect(run('(K\x01ia\nB\n')).toEqual(expected);
    expect(run('(', name('a', 'B'), 'K\x01o')).toEqual(expected);
    expect(run(name('a', 'B'), 'K\x01\x85R')).toEqual(expected);
    expect(run(name('a', 'B'), 'K\x01\x85\x81')).toEqual(expected);
    expect(run('\x8c\x01a\x8c\x01B\x93', 'K\x01\x85R')).toEqual(expected);
  });

  it('lets values refer to themselves', () => {
    const list = run(']q\x00h\x00a') as PickleValue[];
    expect(list[0]).toBe(list);
  });

  it('is as deep as the file, not as the call stack', () => {
    expect(run(')', '\x85'.repeat(300_000))).toBeInstanceOf(PyTuple);
    expect(run(']'.repeat(200_000), 'a'.repeat(199_999))).toHaveLength(1);
  });

  it('tells the end of the pickle', () => {
    expect(runPickle(pickle('N.N.'), host)).toEqual({ value: null, length: 2 });
  });

  it.each([
    ['without STOP', pickle('N')],
    ['of nothing', pickle('')],
    ['with text longer than the file', pickle(`X${u32(0xfffffff0)}abc.`)],
    ['with text of 2^62 bytes', pickle(`\x8d${u64(2n ** 62n)}abc.`)],
    ['with bytes of 2^64 - 1', pickle(`\x8e${u64(2n ** 64n - 1n)}abc.`)],
    ['with a frame of 2^60 bytes', pickle(`\x80\x04\x95${u64(2n ** 60n)}}.`)],
    ['with a line without an end', pickle('cos')],
  ])('says that a pickle %s is not all there', (_, bytes) => {
    expect(runPickle(bytes, host)).toBeUndefined();
  });

  it.each<[string, string]>([
    ['an unknown byte', '\xff'],
    ['an extension', '\x82\x01'],
    ['an out-of-band buffer', '\x97'],
    ['protocol 6', '\x80\x06N'],
    ['an empty stack', '\x87'],
    ['values below a mark', 'N(\x85'],
    ['a mark that is not there', 't'],
    ['values left over', 'NN'],
    ['marks left over', '((0N'],
    ['a memo that was never stored', `j${u32(0x7fffffff)}`],
    ['a memo with a negative index', 'Np-1\n'],
    ['a key without a value', '}(Nu'],
    ['a list as a key', '}]Ns'],
    ['a dictionary as a key', '}}Ns'],
    ['an item of None', 'NNNs'],
    ['an addition to a tuple', ')Na'],
    ['an addition to a list as if it were a set', '](N\x90'],
    ['a call of text', `${text('os')})R`],
    ['a call of what a call returned', `${name('a', 'B')})R)R`],
    ['a call without arguments', `${name('a', 'B')}NR`],
    ['an instance of a number', 'K\x01)\x81'],
    ['an instance of nothing', '(o'],
    ['keyword arguments that are none', `${name('a', 'B')})N\x92`],
    ['attributes of a class', `${name('a', 'B')}}b`],
    ['attributes of None', 'N}b'],
    ['attributes of a tuple', ')}b'],
    ['a name that is no text', 'NN\x93'],
    ['a negative length', 'T\xff\xff\xff\xff'],
    ['a negative length of a long', '\x8b\xfb\xff\xff\xff'],
    ['a long of a megabyte', `\x8b${u32(2 ** 20)}`],
    ['an integer of a thousand digits', `I${'9'.repeat(1000)}\n`],
    ['a long of half a million digits', `L${'9'.repeat(500_000)}L\n`],
    ['an integer with a letter', 'I12a\n'],
    ['a float that is none', 'F0x1p3\n'],
    ['text that is no UTF-8', `X${u32(1)}\xff`],
    ['a code point beyond Unicode', 'V\\U00110000\n'],
    ['a string without quotes', 'Sabc\n'],
    ['a string with an unknown escape', "S'\\q'\n"],
    ['a name of a thousand letters', name('a'.repeat(1000), 'b')],
  ])('refuses %s', (_, instructions) => {
    const refused = () => run(instructions);
    expect(refused).toThrow(AsMlpError);
    expect(refused).toThrow('x.pth, data.pkl');
  });

  it.each<[string, string]>([
    ['dictionaries', '}'.repeat(2 ** 20)],
    ['lists', ']'.repeat(2 ** 22)],
    ['empty tuples', ')'.repeat(2 ** 22)],
    ['marks', '('.repeat(2 ** 23)],
    ['values on the stack', 'N'.repeat(2 ** 23)],
    ['memo entries', `N${'\x94'.repeat(2 ** 22)}`],
    ['copies of a text', `${text('x'.repeat(1000))}${'2'.repeat(2 ** 22)}`],
  ])('stops at too many %s', (_, instructions) => {
    expect(() => run(instructions)).toThrow('describes more objects than a checkpoint has');
  });

  it('never fails in another way, whatever the bytes', () => {
    const instructions = [
      ...'(.012FGIJKLMNPQRSTUVXabcdeghijlopqrstu}])',
      ...'\x80\x81\x85\x86\x87\x88\x8a\x8c\x8f\x90\x91\x92\x93\x94\x95',
    ];
    const byte = fc.oneof(
      fc.constantFrom(...instructions).map((character) => character.charCodeAt(0)),
      fc.nat(255),
      fc.constantFrom(0, 1, 10),
    );
    fc.assert(
      fc.property(fc.array(byte, { maxLength: 60 }), (bytes) => {
        try {
          runPickle(Uint8Array.from(bytes), host);
        } catch (error) {
          expect(error).toBeInstanceOf(AsMlpError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});
