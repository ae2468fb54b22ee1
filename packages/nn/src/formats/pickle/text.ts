const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
/** Characters that are made at once; a call takes only so many arguments. */
const STEP = 4096;

/** One character a byte. The platform's decoder of this name reads Windows-1252, which differs from 0x80 to 0x9f. */
export function decodeLatin1(bytes: Uint8Array): string {
  let text = '';
  for (let at = 0; at < bytes.length; at += STEP)
    text += String.fromCharCode(...bytes.subarray(at, at + STEP));
  return text;
}

/** Text of a Python 3 string; undefined when the bytes are no UTF-8. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}

/** Text of a Python 2 string, which is bytes without a known encoding. */
export function decodeBytes(bytes: Uint8Array): string {
  return decodeUtf8(bytes) ?? decodeLatin1(bytes);
}

/** `\\uXXXX` and `\\UXXXXXXXX` escapes of protocol 0; everything else is Latin-1. */
export function decodeRawUnicode(bytes: Uint8Array): string | undefined {
  const text = decodeLatin1(bytes);
  let valid = true;
  const decoded = text.replace(/\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g, (_, short, long) => {
    const code = Number.parseInt(short ?? long, 16);
    valid &&= code <= 0x10ffff;
    return valid ? String.fromCodePoint(code) : '';
  });
  return valid ? decoded : undefined;
}

const SIMPLE_ESCAPES: Readonly<Record<string, string>> = {
  '\\': '\\',
  "'": "'",
  '"': '"',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** A quoted string literal of protocol 0; undefined when it is none. */
export function decodeQuoted(bytes: Uint8Array): string | undefined {
  const text = decodeLatin1(bytes).trimEnd();
  const quote = text[0];
  if (text.length < 2 || (quote !== "'" && quote !== '"') || text.at(-1) !== quote) return undefined;
  let valid = true;
  const decoded = text.slice(1, -1).replace(/\\(x[0-9a-fA-F]{2}|[\s\S])/g, (_, code: string) => {
    if (code.length === 3) return String.fromCharCode(Number.parseInt(code.slice(1), 16));
    const character = Object.hasOwn(SIMPLE_ESCAPES, code) ? SIMPLE_ESCAPES[code] : undefined;
    valid &&= character !== undefined;
    return character ?? '';
  });
  return valid ? decoded : undefined;
}

/** Digits enough for every number that a checkpoint holds, few enough to be converted at once. */
const MOST_DIGITS = 400;

/** A decimal integer of protocol 0, as a number where that is exact; undefined when it is none. */
export function parseInteger(text: string): number | bigint | undefined {
  if (text.length > MOST_DIGITS || !/^[+-]?\d+$/.test(text)) return undefined;
  return text.length < 16 ? Number(text) : narrow(BigInt(text.replace('+', '')));
}

/** A Python float literal of protocol 0; undefined when it is none. */
export function parseFloatLiteral(text: string): number | undefined {
  if (text === 'nan') return Number.NaN;
  const infinity = /^([+-]?)inf$/.exec(text);
  if (infinity) return infinity[1] === '-' ? Number.NEGATIVE_INFINITY : Number.POSITIVE_INFINITY;
  if (text.length > MOST_DIGITS || !/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)) return undefined;
  return Number(text);
}

/** A little-endian two's-complement integer of any length. */
export function decodeLong(bytes: Uint8Array): number | bigint {
  if (bytes.length === 0) return 0;
  let hex = '';
  for (let i = bytes.length - 1; i >= 0; i--) hex += bytes[i]!.toString(16).padStart(2, '0');
  return narrow(BigInt.asIntN(bytes.length * 8, BigInt(`0x${hex}`)));
}

function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}
