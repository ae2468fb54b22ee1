/** What kind of thing went wrong; the command line maps it to an exit code and tests can match on it. */
export type ErrorKind = 'usage' | 'input' | 'image' | 'weights' | 'engine' | 'io' | 'cancelled';

/** The three sentences every failure owes a person. */
export interface ErrorText {
  /** What was wrong, without a final full stop. */
  readonly what: string;
  /** Where: a file, a key, an option. */
  readonly where?: string | undefined;
  /** What to do next, without a final full stop. */
  readonly fix?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The one error type that this project throws on purpose.
 * Its message reads `<where>: <what>. <fix>.` and is meant to be printed as it is.
 */
export class AsMlpError extends Error {
  readonly kind: ErrorKind;
  readonly what: string;
  readonly where: string | undefined;
  readonly fix: string | undefined;

  constructor(kind: ErrorKind, text: ErrorText) {
    const where = text.where ? `${text.where}: ` : '';
    const fix = text.fix ? ` ${text.fix}.` : '';
    super(`${where}${text.what}.${fix}`, text.cause === undefined ? undefined : { cause: text.cause });
    this.name = 'AsMlpError';
    this.kind = kind;
    this.what = text.what;
    this.where = text.where;
    this.fix = text.fix;
  }
}

/** The name among `known` nearest to `name` (edit distance), or undefined when nothing is near. */
export function nearest(name: string, known: Iterable<string>): string | undefined {
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.ceil(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(name, candidate);
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitute = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(substitute, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
