import { createImage, encodeJpeg, encodePng, type Rgb, type RgbImage } from '@as-mlp/data';
import type {
  CurvesSection,
  MatrixSection,
  PicturesSection,
  PictureView,
  ReportSection,
} from '@as-mlp/train';
import { annotated } from '../annotate.ts';
import { escapeHtml, htmlTable, scrolling } from '../html.ts';
import { thumbnail } from '../pictures.ts';
import { plotFigure } from './plot.ts';

/** Diagrams and pictures of a section beyond these are left out, so that a report stays small. */
const MOST = { panels: 81, pictures: 24 } as const;
/** The longer side of a picture with several views, and of one with objects, in pixels. */
const SIDE = { plain: 320, marked: 480 } as const;
/** Smaller images stay as they are and are shown with hard pixels. */
const TINY = 64;
/** Classes for which a matrix is a table. */
const MOST_CELLS = 30;
const CONFUSIONS = 20;

/** The sections that a task brings, as HTML. */
export async function renderSections(sections: readonly ReportSection[]): Promise<string> {
  const parts: string[] = [];
  for (const section of sections) {
    const note = section.note ? `<p class="note">${escapeHtml(section.note)}</p>\n` : '';
    const content = await render(section);
    parts.push(`<section>\n<h2>${escapeHtml(section.title)}</h2>\n${note}${content}\n</section>`);
  }
  return parts.join('\n');
}

async function render(section: ReportSection): Promise<string> {
  switch (section.kind) {
    case 'table':
      return htmlTable(section.title, section.columns, section.rows);
    case 'matrix':
      return matrix(section);
    case 'curves':
      return curves(section);
    case 'pictures':
      return pictures(section);
  }
}

function curves({ x, y, panels }: CurvesSection): string {
  const figures = panels.slice(0, MOST.panels).map(({ title, curves: list }) => {
    const series = list.map(({ name, values }) => {
      const steps = Array.from(values, (_, i) => i / Math.max(1, values.length - 1));
      return { name, x: steps, y: values };
    });
    return plotFigure({ title: `${title}: ${y}`, x, series, unit: true });
  });
  return `<div class="plots small">\n${figures.join('\n')}\n</div>${leftOut(panels.length, MOST.panels)}`;
}

async function pictures({ pictures: list }: PicturesSection): Promise<string> {
  if (list.length === 0) return '<p>None.</p>';
  const figures: string[] = [];
  for (const { caption, views } of list.slice(0, MOST.pictures)) {
    const images: string[] = [];
    for (const view of views) images.push(await picture(view, caption, views.length > 1));
    const kind = views.length > 1 ? 'example several' : 'example';
    figures.push(
      `<figure class="${kind}"><div class="views">${images.join('')}</div>` +
        `<figcaption>${escapeHtml(caption)}</figcaption></figure>`,
    );
  }
  return `<div class="examples">\n${figures.join('\n')}\n</div>${leftOut(list.length, MOST.pictures)}`;
}

async function picture(view: PictureView, caption: string, isNamed: boolean): Promise<string> {
  const { name, image, objects } = view;
  const alt = escapeHtml(`${name} (${caption})`);
  const shown = objects
    ? await annotated(image, objects, { side: SIDE.marked })
    : thumbnail(image, SIDE.plain);
  const isTiny = Math.max(shown.width, shown.height) <= TINY;
  const source = isTiny ? await pngUrl(shown) : await jpegUrl(shown);
  const size = `width="${shown.width}" height="${shown.height}"`;
  const tag = `<img src="${source}" alt="${alt}" ${size}${isTiny ? ' class="tiny"' : ''}>`;
  return isNamed ? `<div>${tag}<span>${escapeHtml(name)}</span></div>` : tag;
}

const pngUrl = async (image: RgbImage) => dataUrl('png', await encodePng(image));
const jpegUrl = async (image: RgbImage) => dataUrl('jpeg', await encodeJpeg(image, { quality: 80 }));

function dataUrl(type: string, bytes: Uint8Array): string {
  return `data:image/${type};base64,${Buffer.from(bytes).toString('base64')}`;
}

/** A table whose cells are shaded, or for many classes a picture and the most frequent confusions. */
async function matrix(section: MatrixSection): Promise<string> {
  const { title, labels, counts, unit } = section;
  const size = labels.length;
  const totals = labels.map((_, row) => sumOf(row, size, counts));
  const share = (row: number, column: number) =>
    totals[row] === 0 ? 0 : counts[row * size + column]! / totals[row]!;
  const lead = `<p class="note">Rows are the true classes, columns the predicted ones; ${
    unit === 'images' ? 'numbers count images' : `numbers are shares of the ${unit} of the row in %`
  }.</p>\n`;
  if (size > MOST_CELLS) {
    const image = matrixPicture(size, share);
    const alt = `${title}: a row for each true class, a column for each predicted one`;
    const tag = `<img class="matrix" src="${await pngUrl(image)}" alt="${escapeHtml(alt)}" width="${image.width}" height="${image.height}">`;
    return `<p class="note">Rows are the true classes, columns the predicted ones.</p>\n${tag}\n${confusions(section, share)}`;
  }
  const heads = labels
    .map((label) => `<th scope="col" title="${escapeHtml(label)}"><span>${escapeHtml(label)}</span></th>`)
    .join('');
  const rows = labels.map((label, row) => {
    const cells = labels.map((_, column) => {
      const count = counts[row * size + column]!;
      const part = share(row, column);
      const number = unit === 'images' ? String(count) : (100 * part).toFixed(1);
      const kind = row === column ? 'right' : 'wrong';
      // By the root, so that rare confusions show.
      const strength = Math.round(80 * Math.sqrt(part));
      return `<td class="${kind}" style="--p:${strength}%">${count === 0 ? '' : number}</td>`;
    });
    return `<tr><th scope="row" title="${escapeHtml(label)}">${escapeHtml(label)}</th>${cells.join('')}</tr>`;
  });
  const table = `<table class="matrix"><thead><tr><td></td>${heads}</tr></thead>\n<tbody>\n${rows.join('\n')}\n</tbody></table>`;
  return lead + scrolling(title, table);
}

function sumOf(row: number, size: number, counts: ArrayLike<number>): number {
  let sum = 0;
  for (let column = 0; column < size; column++) sum += counts[row * size + column]!;
  return sum;
}

function matrixPicture(size: number, share: (row: number, column: number) => number): RgbImage {
  const cell = Math.max(1, Math.floor(600 / size));
  const picture = createImage({ height: size * cell, width: size * cell }, [245, 245, 245]);
  for (let y = 0; y < picture.height; y++) {
    for (let x = 0; x < picture.width; x++) {
      const [row, column] = [Math.floor(y / cell), Math.floor(x / cell)];
      const strength = Math.sqrt(share(row, column));
      if (strength === 0) continue;
      const full: Rgb = row === column ? [33, 102, 172] : [178, 24, 43];
      for (let c = 0; c < 3; c++) {
        picture.data[(y * picture.width + x) * 3 + c] = Math.round(245 + (full[c]! - 245) * strength);
      }
    }
  }
  return picture;
}

function confusions({ labels, counts, unit }: MatrixSection, share: (row: number, column: number) => number) {
  const size = labels.length;
  const wrong = Array.from({ length: size * size }, (_, i) => i).filter(
    (i) => counts[i]! > 0 && Math.floor(i / size) !== i % size,
  );
  wrong.sort((a, b) => counts[b]! - counts[a]!);
  const rows = wrong.slice(0, CONFUSIONS).map((i) => {
    const [row, column] = [Math.floor(i / size), i % size];
    return [labels[row]!, labels[column]!, counts[i]!, share(row, column)];
  });
  return htmlTable('Most frequent confusions', ['class', 'taken for', unit, 'share of the class'], rows);
}

function leftOut(count: number, most: number): string {
  return count > most ? `\n<p class="note">${most} of ${count} are shown.</p>` : '';
}
