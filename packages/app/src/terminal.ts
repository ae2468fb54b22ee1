import { Presets, SingleBar } from 'cli-progress';

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

/** A terminal that shows nothing and remembers everything, for programs that run an app. */
export interface MemoryTerminal extends Terminal {
  /** What went to standard output. */
  readonly said: string;
  /** Lines for a person. */
  readonly lines: readonly string[];
  /** `label done/total unit, note`, and `label stopped`. */
  readonly progressLines: readonly string[];
}

/** Makes a {@link MemoryTerminal}. */
export function memoryTerminal(): MemoryTerminal {
  let said = '';
  const lines: string[] = [];
  const progressLines: string[] = [];
  return {
    get said() {
      return said;
    },
    lines,
    progressLines,
    out: (text) => {
      said += text;
    },
    log: (line) => void lines.push(line),
    progress: (label, total, unit) => ({
      update: (done, note) =>
        void progressLines.push(`${label} ${done}/${total} ${unit}${note ? `, ${note}` : ''}`),
      stop: () => void progressLines.push(`${label} stopped`),
    }),
  };
}

const PLAIN_INTERVAL = 5_000;

/** Where a terminal writes. */
interface Streams {
  readonly stdout: NodeJS.WriteStream;
  readonly stderr: NodeJS.WriteStream;
}

/** The terminal of this process. */
export function processTerminal({ stdout, stderr }: Streams = process): Terminal {
  let standing: Bar | undefined;
  const write = (stream: NodeJS.WriteStream, text: string) => {
    const bar = stream.isTTY ? standing : undefined;
    bar?.giveWay();
    stream.write(text);
    bar?.draw();
  };
  const log = (line: string) => write(stderr, `${line}\n`);
  return {
    out: (text) => write(stdout, text),
    log,
    progress: (label, total, unit) => {
      if (!stderr.isTTY) return plainLines(label, total, unit, log);
      const bar = createBar(label, total, unit, stderr);
      standing = bar;
      const stop = () => {
        process.off('exit', stop);
        if (standing !== bar) return;
        standing = undefined;
        bar.giveWay();
        log(bar.summary());
      };
      // The bar hides the cursor, and not everybody who ends the process knows of it.
      process.once('exit', stop);
      return { update: bar.update, stop };
    },
  };
}

/** A bar that can leave its line to others and come back below. */
interface Bar {
  update(done: number, note?: string): void;
  draw(): void;
  giveWay(): void;
  summary(): string;
}

function createBar(label: string, total: number, unit: string, stream: NodeJS.WriteStream): Bar {
  const options = { hideCursor: true, barsize: 24, clearOnComplete: true, gracefulExit: false, stream };
  const format = `${label} {bar} {value}/{total} ${unit}{pace}{note}`;
  const line = new SingleBar({ ...options, format }, Presets.shades_classic);
  const pace = createPace(total, unit);
  let state = { done: 0, pace: '', note: '' };
  const draw = () => line.start(total, state.done, state);
  draw();
  return {
    update: (done, note = '') => {
      state = { done, pace: pace(done), note: note && `, ${note}` };
      line.update(done, state);
    },
    draw,
    giveWay: () => line.stop(),
    summary: () => `${label} ${state.done}/${total} ${unit}${state.pace}`,
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
