import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32c } from './crc32c.ts';

/** What a viewer reads of an event. */
export interface ReadEvent {
  readonly wallTime: number;
  readonly step: number;
  readonly fileVersion: string | undefined;
  readonly isStart: boolean;
  readonly scalars: Readonly<Record<string, number>>;
}

/** The event files of a run, oldest first. */
export function eventFiles(folder: string): string[] {
  const names = readdirSync(folder).filter((name) => name.startsWith('events.out.tfevents.'));
  return names.sort().map((name) => join(folder, name));
}

/** Reads an event file and checks its checksums. */
export function readEvents(path: string): ReadEvent[] {
  const bytes = new Uint8Array(readFileSync(path));
  const view = new DataView(bytes.buffer);
  const events: ReadEvent[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = Number(view.getBigUint64(at, true));
    const content = bytes.subarray(at + 12, at + 12 + length);
    check(bytes.subarray(at, at + 8), view.getUint32(at + 8, true));
    check(content, view.getUint32(at + 12 + length, true));
    events.push(readEvent(content));
    at += 16 + length;
  }
  return events;
}

/** Steps and values of a tag as a viewer shows them: an event that says START drops what is older from its step on. */
export function shownScalars(folder: string, tag: string): [step: number, value: number][] {
  let shown: [number, number][] = [];
  for (const event of eventFiles(folder).flatMap(readEvents)) {
    if (event.isStart) shown = shown.filter(([step]) => step < event.step);
    const value = event.scalars[tag];
    if (value !== undefined) shown.push([event.step, value]);
  }
  return shown;
}

function check(content: Uint8Array, stored: number): void {
  const unmasked = (stored - 0xa282ead8) >>> 0;
  const crc = ((unmasked >>> 17) | (unmasked << 15)) >>> 0;
  if (crc !== crc32c(content)) throw new Error('the checksum is wrong');
}

function readEvent(bytes: Uint8Array): ReadEvent {
  const { 1: wallTime, 2: step, 3: version, 5: summary, 7: log } = readMessage(bytes);
  const values = summary ? allOf(summary[0] as Uint8Array) : [];
  return {
    wallTime: wallTime![0] as number,
    step: step![0] as number,
    fileVersion: version && new TextDecoder().decode(version[0] as Uint8Array),
    isStart: log !== undefined && readMessage(log[0] as Uint8Array)[1]?.[0] === 1,
    scalars: Object.fromEntries(values),
  };
}

function allOf(summary: Uint8Array): [string, number][] {
  return (readMessage(summary)[1] ?? []).map((value) => {
    const { 1: tag, 2: number } = readMessage(value as Uint8Array);
    return [new TextDecoder().decode(tag![0] as Uint8Array), number![0] as number];
  });
}

/** The values of a protocol buffer by their field's number. */
function readMessage(bytes: Uint8Array): Record<number, (number | Uint8Array)[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const fields: Record<number, (number | Uint8Array)[]> = {};
  let at = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  const take = (length: number) => {
    at += length;
    return at - length;
  };
  while (at < bytes.length) {
    const key = varint();
    const value = [
      varint,
      () => view.getFloat64(take(8), true),
      () => {
        const length = varint();
        const from = take(length);
        return bytes.subarray(from, from + length);
      },
      undefined,
      undefined,
      () => view.getFloat32(take(4), true),
    ][key & 7]!();
    fields[key >> 3] = [...(fields[key >> 3] ?? []), value];
  }
  return fields;
}
