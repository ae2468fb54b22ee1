import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { sampleRun } from './report.fixture.ts';
import { createTrainingReport } from './training-report.ts';

/** A browser of this machine; none is fetched. */
function findChromium(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
  const folders = (process.env.PATH ?? '').split(delimiter);
  return folders
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => existsSync(path));
}

const executablePath = findChromium();
if (!executablePath) console.warn('no Chromium on the path: the report is not looked at in a browser');

describe.skipIf(!executablePath)('the report in a browser', () => {
  let browser: Browser;
  const folder = mkdtempSync(join(tmpdir(), 'report-'));
  const url = pathToFileURL(join(folder, 'report.html')).href;

  beforeAll(async () => {
    const report = await createTrainingReport(sampleRun(folder));
    await report.evaluated();
    // Root, as in containers, may not use the sandbox; the page is our own.
    browser = await chromium.launch({ executablePath: executablePath!, args: ['--no-sandbox'] });
  });
  afterAll(async () => {
    await browser.close();
    rmSync(folder, { recursive: true });
  });

  it.each([
    [400, 'light'],
    [400, 'dark'],
    [1600, 'light'],
    [1600, 'dark'],
  ] as const)(
    'fits %i pixels, %s: no error, no request, nothing cut off, all text legible',
    async (width, colorScheme) => {
      const page = await browser.newPage({ viewport: { width, height: 900 }, colorScheme });
      const troubles: string[] = [];
      page.on('console', (message) => troubles.push(`console: ${message.text()}`));
      page.on('pageerror', (error) => troubles.push(`error: ${error.message}`));
      page.on('request', (request) => {
        if (!request.url().startsWith('data:') && request.url() !== url)
          troubles.push(`request: ${request.url()}`);
      });
      await page.goto(url);
      expect(troubles).toEqual([]);

      // Wider things scroll in their own frames.
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width);
      expect(await page.evaluate('[...document.images].every((image) => image.naturalWidth > 0)')).toBe(true);
      const contrasts = (await page.evaluate(CONTRASTS)) as [name: string, contrast: number][];
      expect(contrasts.length).toBeGreaterThan(5);
      for (const [name, contrast] of contrasts)
        expect(contrast, name).toBeGreaterThan(name.startsWith('line') ? 3 : 4.5);
      const least = await page.evaluate(
        `Math.min(...[...document.querySelectorAll('svg text')].map((text) =>
        parseFloat(getComputedStyle(text).fontSize) * text.ownerSVGElement.getBoundingClientRect().width / 400))`,
      );
      expect(least).toBeGreaterThan(9);
      await page.close();
    },
  );

  it('prints in bright colours', async () => {
    const page = await browser.newPage({ colorScheme: 'dark' });
    await page.goto(url);
    await page.emulateMedia({ media: 'print' });
    expect(await page.evaluate('getComputedStyle(document.body).backgroundColor')).toBe('rgb(255, 255, 255)');
    const pdf = await page.pdf({ format: 'A4', printBackground: true });
    expect(pdf.subarray(0, 5).toString()).toBe('%PDF-');
    await page.close();
  });
});

/** The contrast (WCAG 2) of text and lines with the page, run in the page. */
const CONTRASTS = `(() => {
  const channels = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const luminance = (colour) => {
    const [r, g, b] = channels(colour).map((v) => (v /= 255) <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const paper = luminance(getComputedStyle(document.body).backgroundColor);
  const contrast = (colour) => {
    const [high, low] = [luminance(colour), paper].sort((a, b) => b - a);
    return (high + 0.05) / (low + 0.05);
  };
  const of = (selector, property) =>
    [...document.querySelectorAll(selector)].map((one) => [selector, contrast(getComputedStyle(one)[property])]);
  return [
    ...of('h1, h2, p, th, dt, dd, figcaption, footer, small, code', 'color'),
    ...of('svg text', 'fill'),
    ...of('path.line', 'stroke').map(([, value]) => ['line', value]),
  ];
})()`;
