import { AsMlpError } from '@as-mlp/base';
import type { AsMlpConfig } from './config.ts';

/** What weight files say of a backbone that its tensors do not show; every field may be absent. */
export interface BackboneMetadata {
  readonly shiftSize?: AsMlpConfig['shiftSize'] | undefined;
  readonly ablations: Pick<AsMlpConfig, 'shiftPadding' | 'shiftDilation' | 'shiftConnection'>;
}

/** The fields of a safetensors file that describe a backbone; all values are strings, as the format demands. */
export function encodeBackbone(config: AsMlpConfig): Record<string, string> {
  const { embedDim, depths, shiftSize, shiftPadding, shiftDilation, shiftConnection } = config;
  return {
    embed_dim: String(embedDim),
    depths: depths.join(','),
    shift_size: typeof shiftSize === 'number' ? String(shiftSize) : shiftSize.join(','),
    ...(shiftPadding ? { shift_padding: shiftPadding } : {}),
    ...(shiftDilation ? { shift_dilation: String(shiftDilation) } : {}),
    ...(shiftConnection ? { shift_connection: shiftConnection } : {}),
  };
}

/** Reads what {@link encodeBackbone} wrote. */
export function decodeBackbone(fields: MetadataFields): BackboneMetadata {
  const shift = fields.numbers('shift_size', [1, 2]);
  const dilation = fields.numbers('shift_dilation', [1])?.[0];
  const [padding, connection] = [fields.text('shift_padding'), fields.text('shift_connection')];
  return {
    shiftSize: shift?.length === 2 ? [shift[0]!, shift[1]!] : shift?.[0],
    ablations: {
      ...(padding ? { shiftPadding: padding as 'zero' } : {}),
      ...(dilation === undefined ? {} : { shiftDilation: dilation }),
      ...(connection ? { shiftConnection: connection as 'parallel' } : {}),
    },
  };
}

/**
 * The shift size of a network: what its file says, else what is asked for, else 5, with a note that it is assumed.
 *
 * @throws AsMlpError (usage) when the two name different ones.
 */
export function chooseShiftSize(
  said: AsMlpConfig['shiftSize'] | undefined,
  asked: AsMlpConfig['shiftSize'] | undefined,
  source: string,
): { readonly shiftSize: AsMlpConfig['shiftSize']; readonly notes: readonly string[] } {
  if (said !== undefined && asked !== undefined && String(said) !== String(asked)) {
    throw new AsMlpError('usage', {
      where: source,
      what: `shift size ${asked} was asked for, but the file was made with ${said}`,
      fix: 'Leave the shift size out',
    });
  }
  const known = said ?? asked;
  if (known !== undefined) return { shiftSize: known, notes: [] };
  const note = 'shift size 5 assumed: the file does not name one (--shift-size sets it)';
  return { shiftSize: 5, notes: [note] };
}

/** How pixels become what a network sees: minus `mean`, by `std`, of red, green and blue. */
export interface Normalisation {
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** The fields of a file that say how pixels are normalised. */
export function encodeNormalisation({ mean, std }: Normalisation): Record<string, string> {
  return { mean: mean.join(','), std: std.join(',') };
}

/** Reads what {@link encodeNormalisation} wrote, as far as it is there. */
export function decodeNormalisation(fields: MetadataFields): Partial<Normalisation> {
  const [mean, std] = ['mean', 'std'].map((key) => fields.numbers(key, [3])) as (
    | Normalisation['mean']
    | undefined
  )[];
  return { ...(mean ? { mean } : {}), ...(std ? { std } : {}) };
}

/** The text fields of a file's metadata. Malformed values are errors that name the field. */
export interface MetadataFields {
  text(key: string): string | undefined;
  /** Numbers separated by commas, as many as one of `counts` says. */
  numbers(key: string, counts: readonly number[]): number[] | undefined;
  /** JSON that `check` knows. */
  json<T>(key: string, check: (value: unknown) => value is T, what: string): T | undefined;
}

/** Fields of `metadata`; `source` names the file in errors (AsMlpError `weights`). */
export function metadataFields(metadata: Readonly<Record<string, unknown>>, source: string): MetadataFields {
  const malformed = (key: string, fix: string) =>
    new AsMlpError('weights', { where: source, what: `the metadata field ${key} is malformed`, fix });
  const text = (key: string) => {
    const value = metadata[key];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    text,
    numbers: (key, counts) => {
      const value = text(key);
      if (value === undefined) return undefined;
      const list = value.split(',').map(Number);
      if (list.every(Number.isFinite) && counts.includes(list.length)) return list;
      throw malformed(key, `It should be ${counts.join(' or ')} numbers separated by commas`);
    },
    json: (key, check, what) => {
      const value = text(key);
      if (value === undefined) return undefined;
      try {
        const parsed: unknown = JSON.parse(value);
        if (check(parsed)) return parsed;
      } catch {
        // reported below
      }
      throw malformed(key, `It should be a JSON list of ${what}`);
    },
  };
}

/** What the `meta` of an mmdetection or mmsegmentation checkpoint says. */
export interface OfficialMeta {
  readonly classes?: readonly string[];
  /** Red, green and blue of each class. */
  readonly palette?: readonly (readonly [number, number, number])[];
  readonly shiftSize?: number;
}

/** Reads `CLASSES`, `PALETTE`, and `shift_size` in the text of the config, which is a Python file. */
export function officialMeta(meta: unknown): OfficialMeta {
  if (typeof meta !== 'object' || meta === null) return {};
  const { CLASSES, PALETTE, config } = meta as Partial<Record<string, unknown>>;
  const shift = typeof config === 'string' ? /\bshift_size['"]?\s*[=:]\s*(\d+)/.exec(config)?.[1] : undefined;
  return {
    ...(isNames(CLASSES) ? { classes: CLASSES } : {}),
    ...(isPalette(PALETTE) ? { palette: PALETTE } : {}),
    ...(shift === undefined ? {} : { shiftSize: Number(shift) }),
  };
}

/** Whether a value is a list of strings. */
export const isNames = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((name) => typeof name === 'string');

/** Whether a value is a list of colours, each three whole numbers from 0 to 255. */
export const isPalette = (value: unknown): value is [number, number, number][] =>
  Array.isArray(value) &&
  value.every(
    (colour) =>
      Array.isArray(colour) &&
      colour.length === 3 &&
      colour.every((part) => Number.isInteger(part) && part >= 0 && part <= 255),
  );
