import { escapeHtml, formatNumber, svgText } from '../html.ts';
import { linearScale, logScale, type Scale } from '../ticks.ts';

/** A line through points; values that are not finite leave a gap. */
export interface Series {
  readonly name: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
}

/** A diagram. */
export interface Plot {
  readonly title: string;
  readonly x: string;
  readonly series: readonly Series[];
  /** Whether each value gets a dot with its numbers as tooltip. */
  readonly dots?: boolean;
  /** A point that stands out, e.g. the best one. */
  readonly mark?: { readonly x: number; readonly y: number; readonly label: string } | undefined;
  /** Both axes from 0 to 1. */
  readonly unit?: boolean;
  /** Whether values that differ much may be shown in powers of ten. */
  readonly log?: boolean;
  /** Whether x counts, so that there are numbers at whole values only. */
  readonly whole?: boolean;
}

const WIDTH = 400;
const HEIGHT = 220;
const MARGIN = { top: 10, right: 12, bottom: 38, left: 58 } as const;
/** Values are shown in powers of ten where the greatest is more than this times the least. */
const LOG_RATIO = 30;

/** A diagram as a figure: its colours are those of the page. Nothing where there is no value. */
export function plotFigure(plot: Plot): string {
  const { title, series } = plot;
  const points = series.flatMap(({ x, y }) => finitePoints(x, y));
  if (points.length === 0) return '';
  const legend =
    series.length > 1
      ? `<ul class="legend">${series.map(({ name }, i) => `<li class="s${i % 4}">${escapeHtml(name)}</li>`).join('')}</ul>`
      : '';
  return (
    `<figure class="plot"><figcaption>${escapeHtml(title)}</figcaption>\n` +
    `${svg(plot, points)}${legend}</figure>`
  );
}

type Point = readonly [x: number, y: number];

function finitePoints(x: ArrayLike<number>, y: ArrayLike<number>): Point[] {
  return Array.from(y, (value, i): Point => [x[i]!, value]).filter(([, value]) => Number.isFinite(value));
}

function svg(plot: Plot, points: readonly Point[]): string {
  const { title, series, x: label, unit, dots, mark, log = false, whole = false } = plot;
  const [xs, ys] = [points.map(([x]) => x), points.map(([, y]) => y)];
  const [across, up] = unit ? [linearScale(0, 1), linearScale(0, 1)] : [xScale(xs, whole), yScale(ys, log)];
  const px = (x: number) => MARGIN.left + across.place(x) * (WIDTH - MARGIN.left - MARGIN.right);
  const py = (y: number) => HEIGHT - MARGIN.bottom - up.place(y) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const at = ([x, y]: Point) => `${px(x).toFixed(1)} ${py(y).toFixed(1)}`;
  const [left, right, bottom] = [MARGIN.left, WIDTH - MARGIN.right, HEIGHT - MARGIN.bottom];
  const last = ys.at(-1)!;
  const words = `${title}: from ${formatNumber(ys[0])} to ${formatNumber(last)}`;
  const parts = [
    ...up.ticks.map(
      (tick) =>
        `<path class="grid" d="M${left} ${py(tick).toFixed(1)}H${right}"/>` +
        svgText(left - 6, py(tick) + 4, formatNumber(tick), 'end'),
    ),
    ...across.ticks.map((tick) => svgText(px(tick), bottom + 15, formatNumber(tick), 'middle')),
    svgText((left + right) / 2, HEIGHT - 6, label, 'middle'),
    `<path class="axis" d="M${left} ${bottom}H${right}"/>`,
    ...series.map(({ x, y }, i) => `<path class="line s${i % 4}" d="${linePath(x, y, at)}"/>`),
    ...(dots
      ? points.map(
          ([x, y]) =>
            `<circle class="dot" cx="${px(x).toFixed(1)}" cy="${py(y).toFixed(1)}" r="2.5">` +
            `<title>${escapeHtml(label)} ${formatNumber(x)}: ${formatNumber(y)}</title></circle>`,
        )
      : []),
    mark
      ? `<circle class="mark" cx="${px(mark.x).toFixed(1)}" cy="${py(mark.y).toFixed(1)}" r="5">` +
        `<title>${escapeHtml(mark.label)}</title></circle>`
      : '',
  ];
  return (
    `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(words)}">\n` +
    `${parts.join('\n')}\n</svg>\n`
  );
}

function xScale(xs: readonly number[], whole: boolean): Scale {
  return linearScale(Math.min(...xs), Math.max(...xs), { nice: false, leastStep: whole ? 1 : 0 });
}

function yScale(ys: readonly number[], log: boolean): Scale {
  const [low, high] = [Math.min(...ys), Math.max(...ys)];
  return log && low > 0 && high / low > LOG_RATIO ? logScale(low, high) : linearScale(low, high);
}

function linePath(x: ArrayLike<number>, y: ArrayLike<number>, at: (point: Point) => string): string {
  let pen = 'M';
  return Array.from(y, (value, i) => {
    const command = Number.isFinite(value) ? `${pen}${at([x[i]!, value])}` : '';
    pen = command ? 'L' : 'M';
    return command;
  }).join('');
}
