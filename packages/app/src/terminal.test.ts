import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { formatSeconds, processTerminal } from './terminal.ts';

/** A stream that remembers, with ␛ for the escape character; `isTTY` as a real one has it. */
function recorder(isTTY: boolean) {
  let text = '';
  const stream = new Writable({
    write: (chunk: Buffer, _, done) => {
      text += chunk.toString();
      done();
    },
  });
  Object.assign(stream, { isTTY, columns: 100, rows: 20 });
  return { stream: stream as NodeJS.WriteStream, read: () => text.replaceAll('\u001b', '␛') };
}

function open(isTTY: boolean) {
  const stdout = recorder(isTTY);
  const stderr = recorder(isTTY);
  const terminal = processTerminal({ stdout: stdout.stream, stderr: stderr.stream });
  return { terminal, out: stdout.read, log: stderr.read };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

describe('processTerminal', () => {
  it('keeps results and remarks apart', () => {
    const { terminal, out, log } = open(false);
    terminal.out('{}\n');
    terminal.log('a remark');
    expect([out(), log()]).toEqual(['{}\n', 'a remark\n']);
  });

  it('counts in lines every few seconds where nobody watches', () => {
    const { terminal, out, log } = open(false);
    const line = terminal.progress('predict', 100, 'images');
    line.update(1);
    vi.advanceTimersByTime(4_000);
    line.update(9);
    vi.advanceTimersByTime(2_000);
    line.update(13, 'loss 1');
    vi.advanceTimersByTime(2_000);
    line.update(100);
    line.update(100);
    line.stop();
    expect(out()).toBe('');
    expect(log().split('\n')).toEqual([
      'predict 13/100 images, 2.0 images/s, 44 s left, loss 1',
      'predict 100/100 images, 12 images/s',
      '',
    ]);
  });

  it('says no rate that it does not know', () => {
    const { terminal, log } = open(false);
    terminal.progress('predict', 1, 'images').update(1);
    expect(log()).toBe('predict 1/1 images\n');
  });

  it('draws a bar on a terminal that gives way to lines', () => {
    const { terminal, out, log } = open(true);
    const line = terminal.progress('train', 4, 'updates');
    line.update(2, 'epoch 1');
    vi.advanceTimersByTime(1_000);
    expect(log()).toMatch(/train █+░+ 2\/4 updates.*, epoch 1/);

    const before = log().length;
    terminal.log('a remark');
    // Back to the start of the bar's line, which is emptied, and then the bar again.
    expect(log().slice(before)).toMatch(/␛8␛\[1G␛\[2Ka remark\n.*train █+░+ 2\/4 updates, epoch 1/);
    terminal.out('a result\n');
    expect(out()).toBe('a result\n');

    line.stop();
    line.stop();
    // The cursor is back, and a plain line stays.
    expect(log()).toMatch(/␛\[\?25h[^\n]*train 2\/4 updates\n$/);
    expect(vi.getTimerCount()).toBe(0);
  });
});

it('formatSeconds is for people', () => {
  expect([0.4, 59.4, 59.6, 200, 3600, 7500, -1].map(formatSeconds)).toEqual([
    '0 s',
    '59 s',
    '1 min 0 s',
    '3 min 20 s',
    '1 h 00 min',
    '2 h 05 min',
    '0 s',
  ]);
});
