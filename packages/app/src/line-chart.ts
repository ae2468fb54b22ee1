import { formatNumber, svgText } from './html.ts';
import { linearScale, logScale } from './ticks.ts';

/** A line of a chart. */
export interface ChartLine {
  readonly name: string;
  /** Ascending in x. */
  readonly points: readonly (readonly [x: number, y: number])[];
}

/** A chart of lines over numbers. */
export interface LineChart {
  readonly title: string;
  readonly x: string;
  readonly y: string;
  readonly lines: readonly ChartLine[];
  /** Places on the x axis that stand out, each with a word. */
  readonly marks?: readonly { readonly x: number; readonly label: string }[];
  /** Equal steps stand for equal factors. */
  readonly logX?: boolean;
}

const SIZE = { width: 640, height: 320 } as const;
const MARGIN = { left: 72, right: 20, top: 34, bottom: 48 } as const;
const COLOURS = ['#8c959f', '#0969da', '#d1570a', '#1a7f37'] as const;
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .grid { stroke: #8c959f; stroke-opacity: .3 }
  polyline { fill: none; stroke-width: 2; stroke-linejoin: round }
  .mark { stroke: #d1570a; stroke-dasharray: 4 3 }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } }
`;

/** Lines over numbers as SVG with axes, on a clear background for light and dark pages. Points that are not finite are left out. */
export function lineChart({ title, x, y, lines, marks = [], logX = false }: LineChart): string {
  const { width, height } = SIZE;
  const all = lines.flatMap(({ points }) => points).filter((point) => point.every(Number.isFinite));
  const [x0, x1] = range(all.map(([value]) => value));
  const across = logX ? logScale(x0, x1) : linearScale(x0, x1, { nice: false });
  const up = linearScale(...range(all.map(([, value]) => value)));
  const left = (value: number) => MARGIN.left + across.place(value) * (width - MARGIN.left - MARGIN.right);
  const top = (value: number) =>
    height - MARGIN.bottom - up.place(value) * (height - MARGIN.top - MARGIN.bottom);
  const parts = [
    svgText(MARGIN.left, 18, title, 'start', 'title'),
    svgText((MARGIN.left + width - MARGIN.right) / 2, height - 10, x, 'middle'),
    `<g transform="translate(14 ${height / 2}) rotate(-90)">${svgText(0, 0, y, 'middle')}</g>`,
    ...up.ticks.map((value) => {
      const line = `<path class="grid" d="M${MARGIN.left} ${top(value).toFixed(1)}H${width - MARGIN.right}"/>`;
      return line + svgText(MARGIN.left - 6, top(value) + 4, formatNumber(value), 'end');
    }),
    ...across.ticks.map((value) =>
      svgText(left(value), height - MARGIN.bottom + 18, formatNumber(value), 'middle'),
    ),
    ...lines.map(({ points }, i) => {
      const kept = points.filter((point) => point.every(Number.isFinite));
      const list = kept.map(([px, py]) => `${left(px).toFixed(1)},${top(py).toFixed(1)}`).join(' ');
      return `<polyline stroke="${COLOURS[i % COLOURS.length]}" points="${list}"/>`;
    }),
    ...lines.map(({ name }, i) => {
      const at = width - MARGIN.right - 110 * (lines.length - i);
      return lines.length < 2
        ? ''
        : `<path d="M${at} 14h18" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="2"/>${svgText(at + 24, 18, name, 'start')}`;
    }),
    ...marks.map(({ x: at, label }, i) => {
      const path = `<path class="mark" d="M${left(at).toFixed(1)} ${MARGIN.top}V${height - MARGIN.bottom}"/>`;
      return path + svgText(left(at) + 4, MARGIN.top + 12 + 14 * i, label, 'start');
    }),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<style>${STYLE}</style>\n${parts.filter(Boolean).join('\n')}\n</svg>\n`
  );
}

/** Values as a row of bars, `▁` the least and `█` the greatest. */
export function sparkline(values: readonly number[]): string {
  const [least, greatest] = range(values);
  return values.map((value) => '▁▂▃▄▅▆▇█'[Math.round((7 * (value - least)) / (greatest - least))]).join('');
}

/** Least and greatest; never the same. */
function range(values: readonly number[]): [number, number] {
  const least = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const greatest = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (!(least <= greatest)) return [1, 2];
  return least === greatest ? [least, least + (Math.abs(least) || 1)] : [least, greatest];
}
