import { AsMlpError } from '@as-mlp/base';

/** What an image file may ask for. Everything is checked from the header, before pixels are decoded. */
export interface ImageLimits {
  /** Largest file, in bytes. */
  readonly bytes: number;
  /** Most pixels, height × width. */
  readonly pixels: number;
  /** Longest side, in pixels. */
  readonly side: number;
  /** Most frames of an animation or pages of a document; where more than 1 are allowed the first is taken. */
  readonly frames: number;
  /** Most channels, alpha included. */
  readonly channels: number;
}

/** 256 MiB, 100 megapixels (300 MB decoded), 32,768 pixels a side, one frame, 5 channels (CMYK and alpha). */
export const DEFAULT_LIMITS: ImageLimits = {
  bytes: 256 * 1024 * 1024,
  pixels: 100_000_000,
  side: 32_768,
  frames: 1,
  channels: 5,
};

/** What a header says of an image. */
export interface ImageHeader {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly frames: number;
}

/** Throws AsMlpError('image') when `header` asks for more than `limits`. `where` names the file. */
export function checkHeader(header: ImageHeader, limits: ImageLimits, where: string): void {
  const { height, width, frames, channels } = header;
  const shape = `${width}×${height} pixels (width × height)`;
  const refuse = (what: string, fix: string) => {
    throw new AsMlpError('image', { where, what, fix });
  };
  if (!(height >= 1 && width >= 1)) refuse(`it declares ${shape}`, 'Use an image that has pixels');
  if (frames > limits.frames) {
    refuse(
      `it has ${frames} frames, and an image has ${limits.frames}`,
      'Save the frame you mean as an image of its own',
    );
  }
  if (Math.max(height, width) > limits.side) {
    refuse(
      `it declares ${shape}, longer than the limit of ${limits.side} a side`,
      'Make it smaller, or raise the limit',
    );
  }
  if (height * width > limits.pixels) {
    refuse(
      `it declares ${shape}, more than the limit of ${limits.pixels} in all`,
      'Make it smaller, or raise the limit',
    );
  }
  if (channels > limits.channels) {
    refuse(`it has ${channels} channels, more than the limit of ${limits.channels}`, 'Save it as RGB');
  }
}

/** Throws AsMlpError('image') for an empty file or one above the limit. */
export function checkByteCount(bytes: number, limits: ImageLimits, where: string): void {
  if (bytes === 0) {
    throw new AsMlpError('image', { where, what: 'the file is empty', fix: 'Save or download it again' });
  }
  if (bytes > limits.bytes) {
    throw new AsMlpError('image', {
      where,
      what: `the file has ${bytes} bytes, more than the limit of ${limits.bytes}`,
      fix: 'Make it smaller, or raise the limit',
    });
  }
}
