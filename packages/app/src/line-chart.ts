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
  const place = logX ? Math.log10 : (value: number) => value;
  const all = lines.flatMap(({ points }) => points).filter((point) => point.every(Number.isFinite));
  const [x0, x1] = range(all.map(([value]) => place(value)));
  const [y0, y1] = range(all.map(([, value]) => value));
  const left = (value: number) =>
    MARGIN.left + ((place(value) - x0) / (x1 - x0)) * (width - MARGIN.left - MARGIN.right);
  const top = (value: number) =>
    height - MARGIN.bottom - ((value - y0) / (y1 - y0)) * (height - MARGIN.top - MARGIN.bottom);
  const parts = [
    text(MARGIN.left, 18, title, 'start', 'title'),
    text((MARGIN.left + width - MARGIN.right) / 2, height - 10, x, 'middle'),
    `<g transform="translate(14 ${height / 2}) rotate(-90)">${text(0, 0, y, 'middle')}</g>`,
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
      const [value, at] = [y0 + part * (y1 - y0), x0 + part * (x1 - x0)];
      const across = logX ? 10 ** at : at;
      return [
        `<path class="grid" d="M${MARGIN.left} ${top(value).toFixed(1)}H${width - MARGIN.right}"/>`,
        text(MARGIN.left - 6, top(value) + 4, brief(value), 'end'),
        text(left(across), height - MARGIN.bottom + 18, brief(across), 'middle'),
      ];
    }),
    ...lines.map(({ points }, i) => {
      const kept = points.filter((point) => point.every(Number.isFinite));
      const list = kept.map(([px, py]) => `${left(px).toFixed(1)},${top(py).toFixed(1)}`).join(' ');
      return `<polyline stroke="${COLOURS[i % COLOURS.length]}" points="${list}"/>`;
    }),
    ...lines.map(({ name }, i) => {
      const at = width - MARGIN.right - 110 * (lines.length - i);
      return lines.length < 2
        ? ''
        : `<path d="M${at} 14h18" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="2"/>${text(at + 24, 18, name, 'start')}`;
    }),
    ...marks.map(({ x: at, label }, i) => {
      const path = `<path class="mark" d="M${left(at).toFixed(1)} ${MARGIN.top}V${height - MARGIN.bottom}"/>`;
      return path + text(left(at) + 4, MARGIN.top + 12 + 14 * i, label, 'start');
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
  if (!(least <= greatest)) return [0, 1];
  return least === greatest ? [least, least + (Math.abs(least) || 1)] : [least, greatest];
}

function brief(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function text(x: number, y: number, words: string, anchor: string, style = ''): string {
  const escaped = words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const look = style ? ` class="${style}"` : '';
  return `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}"${look}>${escaped}</text>`;
}
