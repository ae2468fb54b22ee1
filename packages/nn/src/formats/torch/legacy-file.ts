import { damaged, quote, unsupported } from '../errors.ts';
import type { PickleHost, Spot } from '../pickle/machine.ts';
import { runPickle } from '../pickle/run.ts';
import { type PickleValue, PyDict, typeName } from '../pickle/values.ts';
import { type ByteSource, readBytes } from '../source.ts';
import type { StorageBytes } from '../tensor.ts';
import { torchHost } from './host.ts';
import type { TorchFile } from './state-dict.ts';
import { LARGEST_PICKLE } from './zip-file.ts';

const MAGIC = 0x1950a86a20f9469cfc6cn;
const PROTOCOL = 1001;
const FIRST_LOOK = 256 * 1024;

/**
 * Opens the container that PyTorch wrote before 1.6: pickles of a magic number, the protocol, the system
 * and the object, then the storages' keys, and for each the count of elements and the elements.
 * Numbers and elements are little-endian on every machine. It has no checksums.
 */
export async function openTorchLegacy(source: ByteSource): Promise<TorchFile> {
  const where = source.name;
  const pickles = new PickleSequence(source);
  const none = torchHost(where, {
    storage: () => {
      throw damaged(where, 'has a storage before its object');
    },
  });
  if ((await pickles.next(() => none)) !== MAGIC) {
    throw unsupported(where, 'is a pickle, but no PyTorch checkpoint', 'Save the weights with torch.save');
  }
  const protocol = await pickles.next(() => none);
  if (protocol !== PROTOCOL) throw damaged(where, `is of the unknown protocol ${String(protocol)}`);
  const system = await pickles.next(() => none);
  if (!(system instanceof PyDict)) throw damaged(where, `describes its system by a ${typeName(system)}`);

  let storages = new Map<string, LegacyStorage>();
  const root = await pickles.next(() => {
    storages = new Map();
    return torchHost(where, {
      storage: (spot, key, elements, unit) => shelve(storages, source, spot, key, elements, unit),
    });
  });
  const keys = await pickles.next(() => none);
  const end = await placeStorages(source, keys, storages, pickles.position);
  if (end !== source.size) throw damaged(where, `has ${source.size - end} bytes after its last storage`);
  return { root, bigEndian: false };
}

/** Reads pickles one after the other, looking further into the file only as far as they need. */
class PickleSequence {
  position = 0;
  private readonly source: ByteSource;

  constructor(source: ByteSource) {
    this.source = source;
  }

  /** `host` is asked anew for every attempt, because an attempt may stop in the middle. */
  async next(host: () => PickleHost): Promise<PickleValue> {
    const rest = this.source.size - this.position;
    for (let length = Math.min(FIRST_LOOK, rest); ; length = Math.min(length * 4, rest, LARGEST_PICKLE)) {
      const result = runPickle(await readBytes(this.source, this.position, length), host());
      if (result) {
        this.position += result.length;
        return result.value;
      }
      if (length === rest) throw damaged(this.source.name, 'ends in the middle of a pickle');
      if (length === LARGEST_PICKLE) {
        const fix = 'Save only the weights: torch.save(model.state_dict(), path)';
        throw unsupported(this.source.name, `has a pickle of more than ${LARGEST_PICKLE} bytes`, fix);
      }
    }
  }
}

/** A storage whose place is known once the pickles before it are read. */
class LegacyStorage implements StorageBytes {
  readonly seekable = true;
  readonly size: number;
  readonly elements: number;
  start: number | undefined;
  private readonly source: ByteSource;

  constructor(source: ByteSource, elements: number, unit: number) {
    this.source = source;
    this.elements = elements;
    this.size = elements * unit;
  }

  read(offset: number, length: number): Promise<Uint8Array> {
    return readBytes(this.source, this.start! + offset, length);
  }
}

function shelve(
  storages: Map<string, LegacyStorage>,
  source: ByteSource,
  spot: Spot,
  key: string,
  elements: number,
  unit: number,
): LegacyStorage {
  const name = `storage ${quote(key)}`;
  const storage = storages.get(key) ?? new LegacyStorage(source, elements, unit);
  if (storage.elements !== elements) throw damaged(spot.where, `gives ${name} two sizes`);
  if (storage.size > source.size) {
    throw damaged(spot.where, `says that ${name} has ${storage.size} bytes, more than the file`);
  }
  storages.set(key, storage);
  return storage;
}

/** Finds every storage behind the pickles; where the last one ends. */
async function placeStorages(
  source: ByteSource,
  keys: PickleValue,
  storages: ReadonlyMap<string, LegacyStorage>,
  start: number,
): Promise<number> {
  const where = source.name;
  if (!Array.isArray(keys)) throw damaged(where, 'has no list of storages');
  let at = start;
  for (const key of keys) {
    const storage = typeof key === 'string' ? storages.get(key) : undefined;
    if (!storage || storage.start !== undefined)
      throw damaged(where, 'lists a storage that is unknown or listed twice');
    const header = await readBytes(source, at, 8);
    const elements = Number(new DataView(header.buffer, header.byteOffset, 8).getBigInt64(0, true));
    if (elements !== storage.elements) {
      throw damaged(where, `says ${elements} elements where a storage has ${storage.elements}`);
    }
    storage.start = at + 8;
    at += 8 + storage.size;
    if (at > source.size)
      throw damaged(where, `ends inside storage ${quote(String(key))}: the download stopped early`);
  }
  const missing = [...storages].find(([, storage]) => storage.start === undefined);
  if (missing) throw damaged(where, `does not hold storage ${quote(missing[0])}`);
  return at;
}
