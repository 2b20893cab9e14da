import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { AxeResults } from 'axe-core';
import { chromium, type Browser, type Page } from 'playwright-core';
import sharp from 'sharp';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startFakeServer } from './fake-server.ts';

/* Every screen in both themes, in real Chromium, seen by axe. */

const chromiumPath = [process.env['WINNOW_CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()].find(
  (candidate) => candidate !== undefined && existsSync(candidate),
);

describe.skipIf(chromiumPath === undefined)('axe finds nothing', () => {
  let folder: string;
  let server: { url: string; close(): Promise<void> };
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'winnow-axe-'));
    const rows: string[] = [];
    for (const [index, name] of ['ant', 'bee', 'cat', 'dog'].entries()) {
      await mkdir(path.join(folder, 'images', name), { recursive: true });
      for (let number = 0; number < 30; number += 1) {
        const file = `${name}/${number}.jpg`;
        const background = { r: 40 * index, g: 8 * number, b: 90 };
        await sharp({ create: { width: 64, height: 48, channels: 3, background } })
          .jpeg()
          .toFile(path.join(folder, 'images', file));
        rows.push(`${file},${name}`);
      }
    }
    await writeFile(path.join(folder, 'labels.csv'), ['file,label', ...rows].join('\n'));
    server = await startFakeServer({ folder, samples: null, open: true, trained: true }, 0);
    browser = await chromium.launch({
      executablePath: chromiumPath ?? '',
      args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
    });
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
    await rm(folder, { recursive: true });
  });

  for (const colorScheme of ['light', 'dark'] as const) {
    test(colorScheme, async () => {
      const page = await browser.newPage({
        colorScheme,
        reducedMotion: 'reduce',
        viewport: { width: 1000, height: 700 },
      });
      await page.goto(server.url);
      await page.evaluate(axe);
      const found: string[] = [];
      const check = async (screen: string): Promise<void> => {
        found.push(...(await violations(page)).map((violation) => `${screen}: ${violation}`));
      };
      const step = (name: string): Promise<void> =>
        page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name }).click();

      await page.getByRole('button', { name: 'Winnow', exact: true }).click();
      await page.getByRole('heading', { name: 'Recent projects' }).waitFor();
      await check('home');
      await page.getByRole('button', { name: 'Choose folder…' }).click();
      await page.getByRole('option').first().waitFor();
      await check('folder browser');
      await page.getByRole('button', { name: 'Use this folder' }).click();
      await page.getByText('From a CSV file').click();
      await check('import');
      await step('Images');
      await page.getByText('12 files with a problem').waitFor();
      await check('images');
      await step('Training');
      await check('run');
      await page.getByRole('button', { name: 'Train again…' }).click();
      await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor();
      await check('plan');
      await step('Review');
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      for (const key of ['d', 's', 'c', 'Enter', 'Shift+ArrowRight', 'f']) await page.keyboard.press(key);
      await page.getByRole('complementary', { name: 'Filters' }).waitFor();
      await check('grid with filters');
      await page.keyboard.press('g');
      await page.getByRole('region', { name: 'Current image' }).locator('[data-sample] img').waitFor();
      await page.getByRole('button', { name: 'Doubt', exact: true }).focus();
      await check('one image');
      await page.keyboard.press('t');
      await page.keyboard.type('new');
      await check('type-ahead');
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await check('keys');
      await page.keyboard.press('Escape');
      await step('Export');
      await check('export');
      await page.close();
      expect(found).toEqual([]);
    });
  }
});

async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.map(
    ({ id, help, nodes }) => `${id} (${help}) at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}
