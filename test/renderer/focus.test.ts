import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { buildWindow, launchChromium, openWindow } from './open-window.ts';

/* Where the focus is once that which had it is gone: never nowhere. In real Chromium over the real service. */

describe.skipIf(chromiumPath === undefined)('the focus stays in the window', () => {
  let browser: Browser;
  let stop: (() => Promise<void>) | null = null;
  let page: Page;

  beforeAll(async () => {
    buildWindow();
    browser = await launchChromium();
  });
  beforeEach(async () => {
    const opened = await openWindow({ recipe: 'sat', map: true });
    stop = opened.close;
    page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(20_000);
    await page.goto(`${opened.url}#review`);
    await pictures().waitFor();
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await stop?.();
  });
  afterAll(() => browser.close());

  test('when filters are closed or taken away, also the last of an empty queue', async () => {
    await page.keyboard.press('f');
    await page.getByRole('complementary', { name: 'Filters' }).getByRole('checkbox').nth(1).focus();
    await page.keyboard.press('f');
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
    await page.getByRole('button', { name: 'Take away “Flagged”' }).press('Enter');
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
    await page.keyboard.press('/');
    await page.keyboard.type('no such image');
    await page.keyboard.press('Enter');
    const clear = page.getByRole('button', { name: 'Clear the filters' }).last();
    await page.getByText('Nothing matches these filters').waitFor();
    await expect.poll(focused, { timeout: 15_000 }).toBe('main');
    await clear.press('Enter');
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
  });

  test('when there is no more to undo, and when a bar has been answered', async () => {
    await page.keyboard.press('d');
    await page.getByRole('button', { name: /^Undo: Drop/ }).press('Enter');
    await page.getByText('Nothing to undo').waitFor();
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Stay here' }).press('Enter');
    await expect.poll(focused, { timeout: 15_000 }).toBe('Samples in the queue');
  });

  test('from one way to look at the queue to the next, and through the screens', async () => {
    const places = {
      e: 'Current image',
      p: 'Given labels by suggested labels',
      l: 'Clusters',
      m: /^Map of/,
      g: 'Samples in the queue',
    };
    for (const [key, name] of Object.entries(places)) {
      await page.keyboard.press(key);
      await expect.poll(focused, { timeout: 60_000 }).toMatch(name);
    }
    for (const [words, name] of [
      ['go to the overview', 'main'],
      ['go to the classes', 'Classes'],
      ['go to export', 'main'],
      ['go to training', 'main'],
      ['go to review', 'Samples in the queue'],
    ] as const) {
      await page.keyboard.press('Control+k');
      await page.keyboard.type(words);
      await page.keyboard.press('Enter');
      await expect.poll(focused, { timeout: 15_000 }).toBe(name);
    }
  });

  test('in the history when one has gone back, and at the button when an export is written', async () => {
    for (const key of ['d', 's']) await page.keyboard.press(key);
    await page.getByRole('button', { name: /^Undo: Skip/ }).waitFor();
    await page.keyboard.press('h');
    await page.getByRole('listbox', { name: 'Steps, newest first' }).waitFor();
    await page.keyboard.press('End');
    await page.getByRole('button', { name: 'Go back to here' }).press('Enter');
    await page.getByRole('button', { name: /^Undo: Drop/ }).waitFor();
    await expect.poll(focused, { timeout: 15_000 }).toBe('Steps, newest first');
    await page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name: 'Export' }).press('Enter');
    await page.locator('form').getByRole('button', { name: 'Export', exact: true }).press('Enter');
    await page.getByRole('heading', { name: /written$/ }).waitFor();
    await expect.poll(focused, { timeout: 15_000 }).toBe('Export');
    await page.keyboard.press('Enter');
    const question = page.getByRole('dialog', { name: 'Replace what is there?' });
    await question.waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    await expect.poll(focused, { timeout: 15_000 }).toBe('Export');
  });

  function pictures(): ReturnType<Page['getByRole']> {
    return page.getByRole('listbox', { name: 'Samples in the queue' });
  }

  /** The name of what has the focus, else its words, else what it is. */
  function focused(): Promise<string> {
    return page.evaluate(() => {
      const { activeElement } = document;
      const isPlain = activeElement === document.body || activeElement?.tagName === 'MAIN';
      const words = isPlain ? '' : activeElement?.textContent?.trim();
      return (activeElement?.getAttribute('aria-label') ?? words) || (activeElement?.tagName.toLowerCase() ?? '');
    });
  }
});
