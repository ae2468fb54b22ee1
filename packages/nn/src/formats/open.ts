import { damaged, quote, unsupported } from './errors.ts';
import { openSafetensors } from './safetensors/read.ts';
import { type ByteSource, readBytes } from './source.ts';
import { openTorchLegacy } from './torch/legacy-file.ts';
import { torchWeights } from './torch/state-dict.ts';
import { openTorchZip } from './torch/zip-file.ts';
import type { WeightFile } from './weight-file.ts';

const LOOK = 512;

/**
 * Opens a weight file: `.safetensors`, or a `.pth` that `torch.save` wrote (the zip container and the one before
 * it). The format is told from the content, not from the name. Reads the file's directory and names only;
 * tensors are read one by one through their entries.
 *
 * The file may be hostile: nothing in it is run, and no more memory is taken than its size justifies.
 * The weights are looked for under `state_dict`, `model`, or at the top, and a `module.` before every name is taken
 * off.
 *
 * @throws AsMlpError `weights` naming the file, the key or record, what is wrong and what to do.
 */
export async function openWeights(source: ByteSource): Promise<WeightFile> {
  const { name, size } = source;
  if (size === 0) throw damaged(name, 'is empty');
  const start = await readBytes(source, 0, Math.min(size, LOOK));
  if (isZip(start)) return torchWeights(name, size, await openTorchZip(source));
  // A safetensors file begins with its header's length; the header begins with a brace.
  if (start[8] === 0x7b) return openSafetensors(source);
  if (isPickle(start)) return torchWeights(name, size, await openTorchLegacy(source));
  throw unknownFormat(name, start);
}

function isZip(bytes: Uint8Array): boolean {
  return startsWith(bytes, 'PK\x03\x04') || startsWith(bytes, 'PK\x05\x06');
}

/** Pickles of protocol 2 and later begin with their protocol; before, PyTorch's begin with its magic number. */
function isPickle(bytes: Uint8Array): boolean {
  return (bytes[0] === 0x80 && bytes[1]! <= 5) || startsWith(bytes, 'L119547037146038801333356');
}

function startsWith(bytes: Uint8Array, text: string): boolean {
  return (
    bytes.length >= text.length && [...text].every((character, i) => bytes[i] === character.charCodeAt(0))
  );
}

function unknownFormat(where: string, start: Uint8Array): Error {
  const again = 'Download the file again and check its size';
  const text = new TextDecoder('latin1').decode(start);
  if (/^\s*<(!doctype|html|\?xml)/i.test(text)) {
    return unsupported(where, 'is a web page, not a weight file', again);
  }
  if (text.startsWith('version https://git-lfs')) {
    return unsupported(
      where,
      'is a pointer to a large file, not the file itself',
      'Fetch it with `git lfs pull`',
    );
  }
  if (text.startsWith('\x1f\x8b')) return unsupported(where, 'is compressed by gzip', 'Unpack it first');
  if (text.slice(257, 262) === 'ustar') {
    return unsupported(
      where,
      'is a tar archive',
      'Unpack it; a checkpoint from before PyTorch 0.1.10 must be saved again',
    );
  }
  const what = `is neither a .pth nor a .safetensors file: it begins with ${quote(text.slice(0, 16))}`;
  return unsupported(where, what, again);
}
