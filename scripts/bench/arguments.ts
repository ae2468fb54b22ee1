import { parseArgs } from 'node:util';
import { AsMlpError, nearest } from '@as-mlp/base';

/** The parts of the bench, in the order in which they run. */
export const SECTIONS = ['inference', 'training', 'start', 'pipeline', 'scaling'] as const;

export type Section = (typeof SECTIONS)[number];

/** What the bench was asked for. */
export interface BenchOptions {
  readonly model: string;
  /** Side of the square images, in pixels. */
  readonly side: number;
  readonly batches: readonly number[];
  /** Counted turns of every contestant. */
  readonly rounds: number;
  /** A turn repeats its work until this many milliseconds are over. */
  readonly turnMs: number;
  readonly sections: readonly Section[];
  readonly peers: boolean;
  /** Seconds that a turn may wait for other programs to become quiet. */
  readonly patience: number;
  readonly out: string;
  /** A document whose tables and chart are replaced. */
  readonly document: string | undefined;
  readonly help: boolean;
}

export const USAGE = `npm run bench [-- options]: measures this project, and with --peers others beside it.

  --rounds <n>      counted turns of every contestant, 5 unless given
  --batch <n,…>     batch sizes of the forward pass, 1,8 unless given
  --model <name>    the architecture, as-mlp-tiny unless given
  --size <side>     side of the images in pixels, 224 unless given
  --only <part,…>   ${SECTIONS.join(', ')}; what an earlier run left of the others is kept
  --scaling         also time against batch and image side, which takes minutes
  --peers           PyTorch, ONNX Runtime and Pillow too, in a Python environment made once per user
  --patience <s>    seconds that a turn waits for other programs to become quiet, 0 unless given
  --quick           a smoke run: as-mlp-nano at 32², one short round
  --out <folder>    where bench.json, bench.md and bench.svg go, bench/ unless given
  --document <file> replace the tables and the chart of this document too (docs/performance.md)
`;

const QUICK = { model: 'as-mlp-nano', size: '32', rounds: '1', batch: '2' };
const FULL = { model: 'as-mlp-tiny', size: '224', rounds: '5', batch: '1,8' };

/**
 * Reads the words after `npm run bench --`.
 *
 * @throws AsMlpError `usage` for an unknown option or a value that cannot be.
 */
export function parseOptions(args: readonly string[]): BenchOptions {
  const { values } = parse(args);
  const { model, size, rounds, batch } = { ...(values.quick ? QUICK : FULL), ...values };
  return {
    model,
    side: wholeNumber('--size', size, 1),
    batches: batch.split(',').map((text) => wholeNumber('--batch', text, 1)),
    rounds: wholeNumber('--rounds', rounds, 1),
    turnMs: values.quick ? 1 : 600,
    sections:
      values.only?.split(',').map(section) ?? SECTIONS.filter((name) => name !== 'scaling' || values.scaling),
    peers: values.peers ?? false,
    patience: wholeNumber('--patience', values.patience ?? '0', 0),
    out: values.out ?? 'bench',
    document: values.document,
    help: values.help ?? false,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        model: { type: 'string' },
        size: { type: 'string' },
        rounds: { type: 'string' },
        batch: { type: 'string' },
        only: { type: 'string' },
        patience: { type: 'string' },
        out: { type: 'string' },
        document: { type: 'string' },
        scaling: { type: 'boolean' },
        peers: { type: 'boolean' },
        quick: { type: 'boolean' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    const what = error instanceof Error ? error.message.split('. ')[0]! : String(error);
    throw new AsMlpError('usage', { where: 'bench', what, fix: '--help shows what there is' });
  }
}

function wholeNumber(where: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text.trim()) && value >= least) return value;
  const fix = `Give a whole number, ${least} or more`;
  throw new AsMlpError('usage', { where, what: `${JSON.stringify(text)} does not do`, fix });
}

function section(text: string): Section {
  const known = SECTIONS.find((name) => name === text);
  if (known) return known;
  const near = nearest(text, SECTIONS);
  throw new AsMlpError('usage', {
    where: '--only',
    what: `there is no part ${JSON.stringify(text)}`,
    fix: `${near ? `Did you mean ${near}? ` : ''}Use ${SECTIONS.join(', ')}`,
  });
}
