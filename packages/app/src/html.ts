/** Text as it may stand in HTML, between tags and in attributes. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

/** A number at a readable length: `0.9938`, `12.5`, `4690`, `5e-7`; a dash where there is none. */
export function formatNumber(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return '–';
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  const size = Math.abs(value);
  if (size < 1e-3 || size >= 1e6) return Number(value.toPrecision(3)).toExponential();
  return String(Number(size < 1 ? value.toFixed(4) : value.toPrecision(5)));
}

/** Words in an SVG picture, from, to or around a place in pixels; `style` is a class of its style sheet. */
export function svgText(
  x: number,
  y: number,
  words: string,
  anchor: 'start' | 'middle' | 'end',
  style = '',
): string {
  const look = style ? ` class="${style}"` : '';
  return `<text x="${round(x)}" y="${round(y)}" text-anchor="${anchor}"${look}>${escapeHtml(words)}</text>`;
}

const round = (pixels: number) => Number(pixels.toFixed(1));

/** A table in a frame of its own that scrolls where the page is narrow. Cells that are numbers stand to the right. */
export function htmlTable(
  caption: string,
  columns: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const cell = (value: string | number | null, column: number) => {
    const isNumber = typeof value !== 'string';
    const text = escapeHtml(isNumber ? formatNumber(value) : value);
    if (column === 0) return `<th scope="row">${text}</th>`;
    return isNumber ? `<td class="number">${text}</td>` : `<td>${text}</td>`;
  };
  const heads = columns.map((name, column) => {
    const isNumber = column > 0 && rows.every((row) => typeof row[column] !== 'string');
    return `<th scope="col"${isNumber ? ' class="number"' : ''}>${escapeHtml(name)}</th>`;
  });
  const body = rows.map((row) => `<tr>${row.map(cell).join('')}</tr>`).join('\n');
  return scrolling(
    caption,
    `<table><thead><tr>${heads.join('')}</tr></thead>\n<tbody>\n${body}\n</tbody></table>`,
  );
}

/** A frame that scrolls by itself, also with the keyboard. */
export function scrolling(label: string, content: string): string {
  return `<div class="scroll" role="region" aria-label="${escapeHtml(label)}" tabindex="0">${content}</div>`;
}
