import { AsMlpError } from '@as-mlp/base';
import { describe, expect, it } from 'vitest';
import { bytesSource, openWeights } from '../index.ts';
import { readAll } from '../pack.fixture.ts';
import { call, dict, int, name, PROTO, pickle, tensor, text, tuple, u32, u64 } from '../pickle.fixture.ts';
import { floats, join } from '../zip.fixture.ts';

const MAGIC = `${PROTO}\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.`;
const SYSTEM = `${PROTO}${dict(text('protocol_version'), int(1001), text('little_endian'), '\x88')}.`;
const WEIGHTS = dict(text('model'), dict(text('w'), tensor({ view: 'N' })), text('epoch'), int(7));

/** Parts of a file that may lie. */
interface Parts {
  magic?: string;
  protocol?: string;
  system?: string;
  object?: string;
  keys?: string;
  /** Storages as they stand in the file: announced elements, then bytes. */
  storages?: [elements: number | bigint, bytes: Uint8Array][];
  after?: Uint8Array;
}

function legacy(parts: Parts = {}): Uint8Array {
  const { magic = MAGIC, protocol = `${PROTO}${int(1001)}.`, system = SYSTEM } = parts;
  const { object = `${PROTO}${WEIGHTS}.`, keys = `${PROTO}](${text('0')}e.` } = parts;
  const { storages = [[4, floats(1, 2, 3, 4)]], after = new Uint8Array(0) } = parts;
  const data = storages.flatMap(([elements, bytes]) => [pickle(u64(elements)), bytes]);
  return join([pickle(magic, protocol, system, object, keys), ...data, after]);
}

const open = (parts?: Parts) => openWeights(bytesSource('x.pth', legacy(parts)));

describe('the container before zip', () => {
  it('gives weights and metadata', async () => {
    const file = await open();
    expect([...(await readAll(file)).get('w')!]).toEqual([1, 2, 3, 4]);
    expect(file.metadata.epoch).toBe(7);
  });

  it('may hold views of storages', async () => {
    const view = tensor({ view: tuple(text('v'), int(1), int(2)), size: [2] });
    const file = await open({ object: `${PROTO}${dict(text('w'), view)}.` });
    expect([...(await readAll(file)).get('w')!]).toEqual([2, 3]);
    const beyond = tensor({ view: tuple(text('v'), int(1), int(2)), size: [3] });
    await expect(open({ object: `${PROTO}${dict(text('w'), beyond)}.` })).rejects.toThrow(
      'of a storage of 2',
    );
  });

  it('may name the source of a module, which is not looked at', async () => {
    const module = `${tuple(text('module'), name('models', 'Net'), text('/x.py'), text('class Net: ...'))}Q`;
    const object = `${PROTO}${dict(text('w'), tensor({ view: 'N' }), text('net'), module)}.`;
    expect((await open({ object })).metadata.net).toBe('models.Net');
  });

  it('may be of protocol 1', async () => {
    const file = await open({ magic: 'L119547037146038801333356L\n.', protocol: 'M\xe9\x03.' });
    expect([...file.entries.keys()]).toEqual(['w']);
  });

  it('reads a pickle that is longer than the first look', async () => {
    const long = dict(text('w'), tensor({ view: 'N' }), text('note'), text('x'.repeat(2_000_000)));
    const file = await open({ object: `${PROTO}${long}.` });
    expect([...(await readAll(file)).get('w')!]).toEqual([1, 2, 3, 4]);
  });

  it.each<[string, Parts, string]>([
    ['another magic number', { magic: `${PROTO}${int(5)}.` }, 'is a pickle, but no PyTorch checkpoint'],
    [
      'a magic number that is a call',
      { magic: `${PROTO}${call(name('os', 'system'), text('x'))}.` },
      'os.system',
    ],
    ['another protocol', { protocol: `${PROTO}${int(1002)}.` }, 'of the unknown protocol 1002'],
    ['a system that is none', { system: `${PROTO}N.` }, 'describes its system by a None'],
    ['a system that is a call', { system: `${PROTO}${call(name('os', 'system'), text('x'))}.` }, 'os.system'],
    [
      'an object that is a call',
      { object: `${PROTO}${call(name('os', 'system'), text('x'))}.` },
      'os.system',
    ],
    ['keys that are a call', { keys: `${PROTO}${call(name('os', 'system'), text('x'))}.` }, 'os.system'],
    ['keys that are no list', { keys: `${PROTO}N.` }, 'has no list of storages'],
    ['a storage listed twice', { keys: `${PROTO}](${text('0')}${text('0')}e.` }, 'unknown or listed twice'],
    ['a storage that nothing uses', { keys: `${PROTO}](${text('1')}e.` }, 'unknown or listed twice'],
    ['a number among the keys', { keys: `${PROTO}](${int(0)}e.` }, 'unknown or listed twice'],
    ['a storage that is not listed', { keys: `${PROTO}].`, storages: [] }, 'does not hold storage "0"'],
    ['fewer elements than the object says', { storages: [[3, floats(1, 2, 3)]] }, 'says 3 elements where'],
    ['2^60 elements', { storages: [[2n ** 60n, floats(1)]] }, 'elements where a storage has 4'],
    ['a negative count', { storages: [[-4, floats(1, 2, 3, 4)]] }, 'says -4 elements'],
    ['a storage that is cut off', { storages: [[4, floats(1, 2, 3)]] }, 'ends inside storage "0"'],
    ['bytes behind the last storage', { after: new Uint8Array(3) }, 'has 3 bytes after its last storage'],
    [
      'a storage larger than the file',
      { object: `${PROTO}${dict(text('w'), tensor({ view: 'N', elements: 10 ** 9 }))}.` },
      'has 4000000000 bytes, more than the file',
    ],
    [
      'a storage of two sizes',
      {
        object: `${PROTO}${dict(text('w'), tensor({ view: 'N' }), text('v'), tensor({ view: 'N', elements: 5 }))}.`,
      },
      'gives storage "0" two sizes',
    ],
    ['text of 4 GiB', { object: `${PROTO}X${u32(0xfffffff0)}` }, 'ends in the middle of a pickle'],
  ])('is refused for %s', async (_, parts, message) => {
    await expect(open(parts)).rejects.toThrow(AsMlpError);
    await expect(open(parts)).rejects.toThrow(message);
  });

  it('that is cut off anywhere is refused', async () => {
    const bytes = legacy();
    for (let length = 0; length < bytes.length; length++) {
      const cut = openWeights(bytesSource('x.pth', bytes.slice(0, length)));
      await expect(cut, `${length} bytes`).rejects.toThrow(AsMlpError);
    }
  });
});
