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

/** Where a terminal writes. */
interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The terminal of this process. */
export function processTerminal({ stdout, stderr }: Streams = process): Terminal {
  let drawn = 0;
  // A line that comes while a bar stands takes its place; the bar is drawn again below.
  const giveWay = (stream: NodeJS.WriteStream) => {
    if (drawn > 0 && stream.isTTY) stderr.write(CLEAR_LINE);
  };
  const log = (line: string) => {
    giveWay(stderr);
    stderr.write(`${line}\n`);
  };
  return {
    out: (text) => {
      giveWay(stdout);
      stdout.write(text);
    },
    log,
    progress: (label, total, unit) => {
      if (!stderr.isTTY) return plainLines(label, total, unit, log);
      drawn++;
      return bar(label, total, unit, stderr, () => drawn--);
    },
  };
}

const CLEAR_LINE = '\r\u001b[K';

function bar(
  label: string,
  total: number,
  unit: string,
  stream: NodeJS.WriteStream,
  onStop: () => void,
): ProgressLine {
  const format = `${label} {bar} {value}/{total} ${unit}{pace}{note}`;
  const line = new SingleBar({ format, hideCursor: true, barsize: 24, stream, forceRedraw: true });
  const pace = createPace(total, unit);
  line.start(total, 0, { pace: '', note: '' });
  let isRunning = true;
  return {
    update: (done, note = '') => line.update(done, { pace: pace(done), note: note && `, ${note}` }),
    stop: () => {
      line.stop();
      if (isRunning) onStop();
      isRunning = false;
    },
  };
}

function plainLines(label: string, total: number, unit: string, log: (line: string) => void): ProgressLine {
  const pace = createPace(total, unit);
  let last = { time: performance.now(), done: 0 };
  return {
    update: (done, note = '') => {
      const time = performance.now();
      const isEnd = done >= total && last.done < total;
      const timing = pace(done);
      if (time - last.time < PLAIN_INTERVAL && !isEnd) return;
      last = { time, done };
      log(`${label} ${done}/${total} ${unit}${timing}${note && `, ${note}`}`);
    },
    stop: () => undefined,
  };
}

/**
 * `, 3.1 images/s, 28 s left`, as far as it is known; counted from the first update so that start-up does not distort
 * it.
 */
function createPace(total: number, unit: string): (done: number) => string {
  let start: { time: number; done: number } | undefined;
  return (done) => {
    const time = performance.now();
    start ??= { time, done };
    const rate = (1000 * (done - start.done)) / (time - start.time);
    if (!(rate > 0) || !Number.isFinite(rate)) return '';
    const left = done < total ? `, ${formatSeconds((total - done) / rate)} left` : '';
    return `, ${rate < 10 ? rate.toFixed(1) : rate.toFixed(0)} ${unit}/s${left}`;
  };
}

/** `45 s`, `3 min 20 s`, `2 h 05 min`. */
export function formatSeconds(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${String(Math.floor((whole % 3600) / 60)).padStart(2, '0')} min`;
}
