import { AsMlpError } from '@as-mlp/base';

/** The file formats that are read. */
export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif';

/** How many bytes {@link sniffFormat} looks at. */
export const SNIFF_BYTES = 16;

const READ = 'JPEG, PNG, WebP, GIF, TIFF and AVIF';

/**
 * The format of a file by its first bytes, whatever its name says. Only these formats ever reach the decoder, which
 * would also take documents and drawings. Throws AsMlpError('image') for anything else.
 */
export function sniffFormat(bytes: Uint8Array, where: string): ImageFormat {
  const text = String.fromCharCode(...bytes.subarray(0, SNIFF_BYTES));
  if (text.startsWith('\xff\xd8\xff')) return 'jpeg';
  if (text.startsWith('\x89PNG\r\n\x1a\n')) return 'png';
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return 'webp';
  if (text.startsWith('GIF87a') || text.startsWith('GIF89a')) return 'gif';
  if (text.startsWith('II*\0') || text.startsWith('MM\0*')) return 'tiff';
  if (text.startsWith('ftyp', 4)) {
    const brand = text.slice(8, 12);
    if (brand === 'avif' || brand === 'mif1') return 'avif';
    if (brand === 'avis') {
      throw new AsMlpError('image', {
        where,
        what: 'it is an animated AVIF with several frames',
        fix: 'Save the frame you mean as an image of its own',
      });
    }
  }
  throw new AsMlpError('image', {
    where,
    what: `it is not an image: it starts with ${describe(text.slice(0, 8))}`,
    fix: `Give a file of one of these formats: ${READ}`,
  });
}

function describe(text: string): string {
  const shown = /^[\x20-\x7e\t\r\n]+$/.test(text)
    ? JSON.stringify(text)
    : [...text].map((c) => c.charCodeAt(0).toString(16).padStart(2, '0')).join(' ');
  return shown;
}
