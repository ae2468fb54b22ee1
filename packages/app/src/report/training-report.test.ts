import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeImage } from '@as-mlp/data';
import { parse, type DefaultTreeAdapterTypes as Tree } from 'parse5';
import { afterAll, describe, expect, it } from 'vitest';
import { scratchFolder } from '../terminal.fixture.ts';
import { HOSTILE, sampleRun } from './report.fixture.ts';
import { createTrainingReport } from './training-report.ts';

type Element = Tree.Element;

function elements(node: Tree.ParentNode): Element[] {
  return node.childNodes.flatMap((child) => ('tagName' in child ? [child, ...elements(child)] : []));
}
function textOf(node: Tree.ParentNode): string {
  return node.childNodes
    .map((child) => ('value' in child ? child.value : 'childNodes' in child ? textOf(child) : ''))
    .join('');
}
const attribute = ({ attrs }: Element, name: string) => attrs.find((one) => one.name === name)?.value;

const folder = mkdtempSync(join(tmpdir(), 'report-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function writtenReport() {
  const report = await createTrainingReport(sampleRun(folder));
  await report.evaluated();
  expect(readFileSync(report.path, 'utf8')).toContain('after epoch 6 of 6');
  await report.end('finished');
  const html = readFileSync(report.path, 'utf8');
  const faults: string[] = [];
  const document = parse(html, {
    onParseError: ({ code, startLine }) => void faults.push(`line ${startLine}: ${code}`),
  });
  return { html, faults, all: elements(document) };
}

const report = await writtenReport();
const named = (tag: string) => report.all.filter(({ tagName }) => tagName === tag);

describe('the report of a training', () => {
  it('is well-formed HTML with language, title and headings in order', () => {
    expect(report.faults).toEqual([]);
    expect(attribute(named('html')[0]!, 'lang')).toBe('en');
    expect(textOf(named('title')[0]!)).toBe('Training of classification – finished');
    const levels = report.all.flatMap(({ tagName }) => /^h([1-6])$/.exec(tagName)?.[1] ?? []).map(Number);
    expect(levels.filter((level) => level === 1)).toEqual([1]);
    const steps = levels.slice(1).map((level, i) => level - levels[i]!);
    expect(Math.max(...steps)).toBe(1);
  });

  it('needs nothing from elsewhere and runs nothing', () => {
    for (const element of report.all) {
      for (const { name, value } of element.attrs) {
        if (['src', 'href', 'srcset', 'data', 'action', 'poster'].includes(name)) {
          expect(value).toMatch(/^data:/);
        }
        expect(name).not.toMatch(/^on/);
      }
    }
    expect(named('script')).toEqual([]);
    const styles = named('style').map(textOf).join('\n');
    expect(styles).not.toMatch(/url\(|@import/);
    expect(report.html).not.toContain(HOSTILE);
    expect(named('th').map(textOf)).toContain(HOSTILE);
  });

  it('has pictures that decode, with a text for each', async () => {
    const images = named('img');
    expect(images).toHaveLength(1 + 12 + 8);
    for (const image of images) {
      const [, base64] = /^data:image\/(?:png|jpeg);base64,(.+)$/.exec(attribute(image, 'src')!)!;
      const { width, height } = await decodeImage(Buffer.from(base64!, 'base64'));
      expect([`${width}`, `${height}`]).toEqual([attribute(image, 'width'), attribute(image, 'height')]);
      expect(attribute(image, 'alt')).toMatch(/\w/);
    }
    for (const drawing of named('svg')) expect(attribute(drawing, 'aria-label')).toMatch(/: from .+ to /);
  });

  it('draws a line for every figure of the log, with numbers in it', () => {
    const titles = named('figcaption').map(textOf);
    for (const title of ['Loss', 'Learning rate', 'rpn_cls', HOSTILE, 'top1', 'top5', 'Images a second']) {
      expect(titles).toContain(title);
    }
    const lines = named('path').filter((path) => attribute(path, 'class')?.startsWith('line'));
    expect(lines.length).toBeGreaterThan(15);
    for (const line of lines) expect(attribute(line, 'd')).toMatch(/^(M[\d.]+ [\d.]+(L[\d.]+ [\d.]+)*)+$/);
  });

  it('says what the weights are and where they come from', () => {
    const rows = new Map(
      named('tr').map((row) => {
        const [name, value] = elements(row).filter(({ tagName }) => tagName === 'th' || tagName === 'td');
        return [name && textOf(name), value && textOf(value)];
      }),
    );
    // The SHA-256 of "abc" (FIPS 180-2, appendix B.1).
    expect(rows.get('best.safetensors, SHA-256')).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(rows.get('training images')).toBe('12,800');
    expect(rows.get('engine')).toBe('native, TensorFlow 2.21.0, cpu, 8 threads');
    expect(rows.get('schedule.kind')).toBe('cosine');
    expect(rows.get('data')).toBe('data/<animals>');
    expect(named('dd').map(textOf).slice(0, 3)).toEqual([
      '0.9988epoch 6',
      '6 of 6600 updates',
      '10 min 1 sevaluations included',
    ]);
  });

  it('stays small', () => {
    expect(report.html.length).toBeLessThan(3_000_000);
  });
});

describe('createTrainingReport', () => {
  it('keeps the report of a run that goes on without an evaluation of its own', async () => {
    const options = sampleRun(scratchFolder());
    const first = await createTrainingReport(options);
    await first.end('stopped');
    expect(readFileSync(first.path, 'utf8')).toContain('stopped');
    writeFileSync(first.path, 'with sections');
    await (await createTrainingReport(options)).end('finished');
    expect(readFileSync(first.path, 'utf8')).toBe('with sections');
  });
});
