import { SingleBar } from 'cli-progress';

/** Where an app speaks. Results go to `out`, everything else to `log`. */
export interface Terminal {
  /** Results: standard output. */
  out(text: string): void;
  /** One line for a person: standard error. */
  log(line: string): void;
  /** A bar on a terminal, a line every few seconds elsewhere. */
  progress(label: string, total: number, unit: string): ProgressLine;
}

/** A running count. */
export interface ProgressLine {
  /** `note` is shown behind the count. */
  update(done: number, note?: string): void;
  stop(): void;
}

const PLAIN_INTERVAL = 5_000;

/** The terminal of this process. */
export function processTerminal(): Terminal {
  const log = (line: string) => void process.stderr.write(`${line}\n`);
  return {
    out: (text) => void process.stdout.write(text),
    log,
    progress: (label, total, unit) =>
      process.stderr.isTTY ? bar(label, total, unit) : plainLines(label, total, unit, log),
  };
}

function bar(label: string, total: number, unit: string): ProgressLine {
  const format = `${label} {bar} {value}/{total} ${unit}, {rate} ${unit}/s, {left} left{note}`;
  const line = new SingleBar({ format, hideCursor: true, barsize: 24, stream: process.stderr });
  const timing = createTiming(total);
  line.start(total, 0, { rate: '–', left: '–', note: '' });
  return {
    update: (done, note = '') => line.update(done, { ...timing(done), note: note && `, ${note}` }),
    stop: () => line.stop(),
  };
}

function plainLines(label: string, total: number, unit: string, log: (line: string) => void): ProgressLine {
  const timing = createTiming(total);
  let last = performance.now();
  return {
    update: (done, note) => {
      const now = performance.now();
      if (now - last < PLAIN_INTERVAL && done < total) return;
      last = now;
      const { rate, left } = timing(done);
      log(`${label} ${done}/${total} ${unit}, ${rate} ${unit}/s, ${left} left${note ? `, ${note}` : ''}`);
    },
    stop: () => undefined,
  };
}

/** Rate and time left, counted from the first update so that start-up does not distort them. */
function createTiming(total: number): (done: number) => { rate: string; left: string } {
  let start: { time: number; done: number } | undefined;
  return (done) => {
    const time = performance.now();
    start ??= { time, done };
    const seconds = (time - start.time) / 1000;
    const rate = (done - start.done) / seconds;
    if (!(rate > 0) || !Number.isFinite(rate)) return { rate: '–', left: '–' };
    return {
      rate: rate < 10 ? rate.toFixed(1) : rate.toFixed(0),
      left: formatSeconds((total - done) / rate),
    };
  };
}

/** `45 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}
