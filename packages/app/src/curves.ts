import { svgText } from './html.ts';

/** One line of a panel: y over equal steps of x from 0 to 1. */
export interface Curve {
  readonly name: string;
  /** In [0, 1]. */
  readonly values: ArrayLike<number>;
}

/** A square diagram. */
export interface CurvePanel {
  readonly title: string;
  readonly curves: readonly Curve[];
}

/** A figure of one large panel and small ones below it. */
export interface CurveFigure {
  readonly x: string;
  readonly y: string;
  readonly main: CurvePanel;
  readonly small: readonly CurvePanel[];
}

const LARGE = 360;
const SMALL = 120;
const COLUMNS = 6;
/** Space around a panel: for its title, and for the numbers beside the large one. */
const MARGIN = { top: 30, side: 54, bottom: 44, gap: 22 } as const;
/** Colours of curves on white. */
export const PALETTE = ['#0969da', '#d1570a', '#1a7f37', '#8250df'] as const;
/** The same on black. */
export const DARK_PALETTE = ['#4493f8', '#f0883e', '#3fb950', '#ab7df8'] as const;

const style = (colours: readonly string[]) =>
  colours.map((colour, i) => `.c${i} { stroke: ${colour} }`).join(' ');

/** Both themes in one file: a browser takes the colours that the reader asked for. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .small { font-size: 11px }
  .grid { stroke: #8c959f; stroke-opacity: .3; fill: none }
  polyline, .key { fill: none; stroke-width: 2; stroke-linejoin: round }
  .thin { stroke-width: 1.3 }
  ${style(PALETTE)}
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } ${style(DARK_PALETTE)} }
`;

/** Curves in the unit square as SVG, with a legend beside the large panel; the background stays clear. */
export function curveFigure({ x, y, main, small }: CurveFigure): string {
  const columns = Math.min(COLUMNS, Math.max(1, small.length));
  const rows = Math.ceil(small.length / COLUMNS);
  const step = { x: SMALL + MARGIN.gap, y: SMALL + MARGIN.top + 8 };
  const top = MARGIN.top + LARGE + MARGIN.bottom;
  const width = Math.max(MARGIN.side + LARGE + 200, MARGIN.side + columns * step.x);
  const height = top + rows * step.y + 10;
  const parts = [
    panel(main, MARGIN.side, MARGIN.top, LARGE, ''),
    ...[0, 0.25, 0.5, 0.75, 1].flatMap((value) => [
      svgText(MARGIN.side + value * LARGE, MARGIN.top + LARGE + 16, `${value}`, 'middle'),
      svgText(MARGIN.side - 6, MARGIN.top + (1 - value) * LARGE + 4, `${value}`, 'end'),
    ]),
    svgText(MARGIN.side + LARGE / 2, MARGIN.top + LARGE + 34, x, 'middle'),
    `<g transform="translate(14 ${MARGIN.top + LARGE / 2}) rotate(-90)">${svgText(0, 0, y, 'middle')}</g>`,
    ...main.curves.map(({ name }, i) => {
      const [left, line] = [MARGIN.side + LARGE + 16, MARGIN.top + 10 + i * 20];
      const key = `<line class="key c${i}" x1="${left}" y1="${line}" x2="${left + 22}" y2="${line}"/>`;
      return key + svgText(left + 30, line + 4, name, 'start');
    }),
    ...small.map((one, i) => {
      const [column, row] = [i % COLUMNS, Math.floor(i / COLUMNS)];
      return panel(one, MARGIN.side + column * step.x, top + MARGIN.top - 8 + row * step.y, SMALL, 'small');
    }),
  ];
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">` +
    `<style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`
  );
}

function panel({ title, curves }: CurvePanel, left: number, top: number, side: number, size: string): string {
  const lines = curves.map(({ values }, i) => {
    const points = Array.from(values, (value, at) => {
      const px = left + (at / Math.max(1, values.length - 1)) * side;
      return `${px.toFixed(1)},${(top + (1 - value) * side).toFixed(1)}`;
    });
    return `<polyline class="c${i}${size ? ' thin' : ''}" points="${points.join(' ')}"/>`;
  });
  const grid = [0.25, 0.5, 0.75].flatMap((part) => [
    `M${left + part * side} ${top}v${side}`,
    `M${left} ${top + part * side}h${side}`,
  ]);
  const frame = `<path class="grid" d="M${left} ${top}h${side}v${side}h${-side}z${size ? '' : grid.join('')}"/>`;
  return frame + lines.join('') + svgText(left, top - 7, title, 'start', `title ${size}`.trim());
}
