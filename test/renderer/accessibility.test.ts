import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath, launchChromium, startFakeWindow } from './fake-window.ts';

/* Every screen in both themes, in real Chromium, seen by axe. */

describe.skipIf(chromiumPath === undefined)('axe finds nothing', () => {
  let server: { url: string; close(): Promise<void> };
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    server = await startFakeWindow({ trained: true, recipe: 'selective' });
    browser = await launchChromium();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });

  afterAll(async () => {
    await browser.close();
    await server.close();
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
      await page.getByText('Numbers by hand').click();
      await check('plan');
      await page.getByLabel('Belief moves from epoch').fill('99');
      await page.getByRole('alert').waitFor();
      await check('plan with numbers that do not go together');
      await step('Review');
      await page.getByRole('button', { name: 'Accept the sure ones' }).click();
      await page.getByRole('button', { name: 'Accept them…', disabled: false }).click();
      await check('question before accepting');
      await page.keyboard.press('Escape');
      await check('triage');
      await page.getByRole('button', { name: 'Look at them' }).click();
      await page.getByRole('button', { name: 'Take away “Left to look at”' }).waitFor();
      await page.getByRole('heading', { name: 'Look-alikes' }).waitFor();
      await check('grid of what is left to look at');
      await page.getByRole('button', { name: 'Take away “Left to look at”' }).click();
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
