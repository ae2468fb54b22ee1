import type { LabelMap, RgbImage } from './image.ts';
import { sharp } from './sharp.ts';

/** `image` as the bytes of a PNG file; decoding it gives the same pixels. */
export async function encodePng(image: RgbImage): Promise<Uint8Array> {
  return await raw(image).png().toBuffer();
}

/** `image` as the bytes of a JPEG file, `quality` from 1 to 100 (90 unless given), colour at full resolution. */
export async function encodeJpeg(image: RgbImage, { quality = 90 } = {}): Promise<Uint8Array> {
  return await raw(image).jpeg({ quality, chromaSubsampling: '4:4:4' }).toBuffer();
}

function raw({ data, height, width }: RgbImage) {
  return sharp(data, { raw: { height, width, channels: 3 } });
}

/** A label map as the bytes of a grey PNG file, of 8 or 16 bits as its array. */
export async function encodeLabels({ data, height, width }: LabelMap): Promise<Uint8Array> {
  const isWide = data instanceof Uint16Array;
  return await sharp(data, { raw: { height, width, channels: 1 } })
    .toColourspace(isWide ? 'grey16' : 'b-w')
    .png()
    .toBuffer();
}
