import { appendFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { describeIoError } from '@as-mlp/base/node';
import { ProtobufWriter } from '@as-mlp/engine';
import { crc32c } from './crc32c.ts';
import type { LogRecord } from './log.ts';
import { recordFields } from './record-fields.ts';

/** Scalars for TensorBoard. */
export interface EventFile {
  /** `events.out.tfevents.<seconds>.<host>.<process>.<number>`, so that the files of a run sort by age. */
  readonly path: string;
  /** Writes every number of a record: those in an object as `<object>/<name>`, the others as `train/<name>`. */
  add(record: LogRecord): Promise<void>;
}

/** Fields of the messages of tensorflow/core/util/event.proto and framework/summary.proto. */
const EVENT = { wallTime: 1, step: 2, fileVersion: 3, summary: 5, sessionLog: 7 } as const;
const SUMMARY = { value: 1 } as const;
const VALUE = { tag: 1, simpleValue: 2 } as const;
const SESSION_LOG = { status: 1 } as const;
const START = 1;

let opened = 0;

/**
 * A new event file in `folder`.
 *
 * @param before records that a run goes on from. Viewers drop what older files hold from the last of their steps on, and those of
 *   that step are written again: so they show what the log holds. Undefined for a new run.
 */
export async function openEventFile(
  folder: string,
  before: readonly LogRecord[] | undefined,
): Promise<EventFile> {
  const seconds = String(Math.floor(Date.now() / 1000)).padStart(10, '0');
  const number = String(opened++).padStart(3, '0');
  const name = `events.out.tfevents.${seconds}.${hostname()}.${process.pid}.${number}`;
  const path = join(folder, name);
  const write = (event: ProtobufWriter) =>
    appendFile(path, frame(event.finish())).catch((error: unknown) => {
      throw describeIoError(error, path);
    });
  const add = async (record: LogRecord) => {
    const scalars = scalarsOf(record);
    if (scalars.length === 0) return;
    const event = eventAt(Date.parse(record.time), record.step);
    await write(
      event.message(EVENT.summary, (summary) => {
        for (const [tag, value] of scalars) {
          summary.message(SUMMARY.value, (one) => one.bytes(VALUE.tag, tag).float(VALUE.simpleValue, value));
        }
      }),
    );
  };

  await write(eventAt(Date.now(), 0).bytes(EVENT.fileVersion, 'brain.Event:2'));
  if (before) {
    const last = before.reduce((most, { step }) => Math.max(most, step), 0);
    const start = eventAt(Date.now(), last);
    await write(start.message(EVENT.sessionLog, (log) => log.integer(SESSION_LOG.status, START)));
    for (const record of before) if (record.step === last) await add(record);
  }
  return { path, add };
}

function scalarsOf(record: LogRecord): (readonly [tag: string, value: number])[] {
  if (record.type !== 'step' && record.type !== 'evaluation') return [];
  return recordFields(record).flatMap(([path, value]) => {
    const isScalar = typeof value === 'number' && path[0] !== 'step';
    return isScalar ? [[path.length === 1 ? `train/${path[0]}` : path.join('/'), value] as const] : [];
  });
}

function eventAt(milliseconds: number, step: number): ProtobufWriter {
  return new ProtobufWriter().double(EVENT.wallTime, milliseconds / 1000).integer(EVENT.step, step);
}

/** A record of a TFRecord file: length and its checksum, content and its checksum. */
function frame(content: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(content.length + 16);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, BigInt(content.length), true);
  view.setUint32(8, maskedCrc(bytes.subarray(0, 8)), true);
  bytes.set(content, 12);
  view.setUint32(12 + content.length, maskedCrc(content), true);
  return bytes;
}

/** Masked so that checksums of data that holds checksums stay good ones (tensorflow/core/lib/hash/crc32c.h). */
function maskedCrc(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}
