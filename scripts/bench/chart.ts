/** One bar. */
export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Drawn in the accent colour. */
  readonly isOwn: boolean;
}

/** Bars that share a scale, under a title. */
export interface BarGroup {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const WIDTH = 720;
const LABELS = 190;
const VALUES = 70;
const BAR = 18;
const GAP = 6;
const TITLE = 34;

/** Both themes in one file: a browser takes the colours that the reader asked for. */
const STYLE = `
  text { font: 13px system-ui, sans-serif; fill: #24292f }
  .title { font-weight: 600 }
  .own { fill: #0969da }
  .peer { fill: #8c959f }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3 }
    .own { fill: #4493f8 }
    .peer { fill: #656d76 }
  }
`;

/** Horizontal bars as SVG, each group with its own scale; the background stays clear. */
export function barChart(groups: readonly BarGroup[]): string {
  const parts: string[] = [];
  let y = 0;
  for (const { title, bars } of groups) {
    parts.push(`<text class="title" x="0" y="${y + TITLE - 12}">${escapeText(title)}</text>`);
    y += TITLE;
    const largest = Math.max(...bars.map(({ value }) => value));
    for (const { label, value, isOwn } of bars) {
      const length = Math.max(1, ((WIDTH - LABELS - VALUES) * value) / largest).toFixed(1);
      const middle = y + BAR - 5;
      parts.push(
        `<text x="${LABELS - 10}" y="${middle}" text-anchor="end">${escapeText(label)}</text>`,
        `<rect class="${isOwn ? 'own' : 'peer'}" x="${LABELS}" y="${y}" width="${length}" height="${BAR}" rx="2"/>`,
        `<text x="${LABELS + Number(length) + 8}" y="${middle}">${formatValue(value)}</text>`,
      );
      y += BAR + GAP;
    }
  }
  const size = `width="${WIDTH}" height="${y}" viewBox="0 0 ${WIDTH} ${y}"`;
  const about = `<title>${escapeText(groups.map(({ title }) => title).join('; '))}</title>`;
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img">\n${about}\n<style>${STYLE}</style>\n${parts.join('\n')}\n</svg>\n`;
}

/** Three significant digits, never as a power of ten. */
function formatValue(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function escapeText(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
