import { damaged, quote, unsupported } from '../errors.ts';
import { runPickle } from '../pickle/run.ts';
import type { ByteSource } from '../source.ts';
import { readDirectory, type ZipRecord } from '../zip/directory.ts';
import { RecordBytes } from '../zip/record.ts';
import { torchHost } from './host.ts';
import type { TorchFile } from './state-dict.ts';

/** Some hundred times the pickle of a large checkpoint. */
export const LARGEST_PICKLE = 16 * 2 ** 20;
/** PyTorch writes six records beside the storages. */
const MOST_OTHERS = 1000;
const LONGEST_BYTE_ORDER = 16;

/**
 * Opens the container that PyTorch writes since 1.6: a zip file with one folder that holds `data.pkl` and
 * one record for each storage.
 */
export async function openTorchZip(source: ByteSource): Promise<TorchFile> {
  const directory = await readDirectory(source);
  const prefix = folderOf(source.name, directory);
  const records = new Map<string, RecordBytes>();
  const open = (name: string): RecordBytes | undefined => {
    const known = records.get(name);
    const record = directory.get(`${prefix}/${name}`);
    if (known || !record) return known;
    const opened = new RecordBytes(source, record);
    records.set(name, opened);
    return opened;
  };
  // A record that only looks absent because its name was altered would be a silent loss.
  const others = [...directory.keys()]
    .map((name) => name.slice(prefix.length + 1))
    .filter((name) => !name.startsWith('data/'));
  if (others.length > MOST_OTHERS) {
    throw unsupported(source.name, `has ${others.length} records that are no storages`, 'Check the file');
  }
  for (const name of others) await open(name)?.locate();

  const bigEndian = await isBigEndian(source.name, open('byteorder'));
  const pickle = open('data.pkl')!;
  const pickleName = `${source.name}, data.pkl`;
  if (pickle.size > LARGEST_PICKLE) {
    const fix = 'Save only the weights: torch.save(model.state_dict(), path)';
    throw unsupported(pickleName, `has ${pickle.size} bytes, too many for a checkpoint`, fix);
  }
  const bytes = await pickle.read();
  const host = torchHost(pickleName, {
    storage(spot, key, elements, unit) {
      const size = elements * unit;
      const bytes = open(`data/${key}`);
      if (!bytes)
        throw damaged(spot.where, `refers to the record ${quote(`data/${key}`)}, which is not there`);
      if (bytes.size !== size) {
        throw damaged(
          spot.where,
          `says that the record data/${key} has ${size} bytes, but it has ${bytes.size}`,
        );
      }
      return bytes;
    },
  });
  const result = runPickle(bytes, host);
  if (!result) throw damaged(pickleName, 'ends in the middle');
  if (result.length !== bytes.length) throw damaged(pickleName, 'goes on after its end');
  return { root: result.value, bigEndian };
}

/** The one folder that all records lie in. */
function folderOf(where: string, directory: ReadonlyMap<string, ZipRecord>): string {
  const [first = ''] = directory.keys();
  const prefix = first.split('/', 1)[0]!;
  const stranger = [...directory.keys()].find((name) => !name.startsWith(`${prefix}/`));
  if (stranger !== undefined) {
    throw damaged(where, `holds more than one archive: ${quote(first)} and ${quote(stranger)}`);
  }
  if (directory.has(`${prefix}/constants.pkl`)) {
    const fix = 'Save its weights instead: torch.save(torch.jit.load(path).state_dict(), other)';
    throw unsupported(where, 'is a TorchScript program, not a checkpoint', fix);
  }
  if (!directory.has(`${prefix}/data.pkl`)) {
    throw unsupported(
      where,
      'is a zip file, but no PyTorch checkpoint: it has no data.pkl',
      'Check the file',
    );
  }
  return prefix;
}

/** Files from before PyTorch 2.1 do not say; they are little-endian. */
async function isBigEndian(where: string, record: RecordBytes | undefined): Promise<boolean> {
  if (!record) return false;
  const order = record.size <= LONGEST_BYTE_ORDER ? new TextDecoder().decode(await record.read()) : '';
  if (order === 'little' || order === 'big') return order === 'big';
  throw damaged(where, 'has a byteorder record that says neither little nor big');
}
