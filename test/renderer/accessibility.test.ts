import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { buildWindow, launchChromium, openWindow } from './open-window.ts';

/* Every screen in both themes, in real Chromium, seen by axe. */

/** Each is reached from the one before it, and shows what it is named by once `open` has ended. */
const screens: { name: string; open: (page: Page) => Promise<void> }[] = [
  {
    name: 'home',
    open: async (page) => {
      await page.getByRole('button', { name: 'Winnow', exact: true }).click();
      await page.getByRole('heading', { name: 'Recent projects' }).waitFor();
    },
  },
  {
    name: 'folder browser',
    open: async (page) => {
      await page.getByRole('button', { name: 'Choose folder…' }).click();
      await page.getByRole('option').first().waitFor();
    },
  },
  {
    name: 'import',
    open: async (page) => {
      await page.getByRole('button', { name: 'Use this folder' }).click();
      await page.getByText('From a CSV file').click();
    },
  },
  {
    name: 'images',
    open: async (page) => {
      await step(page, 'Images');
      await page.getByText('12 files with a problem').waitFor();
    },
  },
  {
    name: 'run',
    open: async (page) => {
      await step(page, 'Training');
      await page.getByRole('heading', { name: 'Training is finished' }).waitFor();
    },
  },
  {
    name: 'plan',
    open: async (page) => {
      await page.getByRole('button', { name: 'Train again…' }).click();
      await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor();
      await page.getByText('Numbers by hand').click();
    },
  },
  {
    name: 'plan with numbers that do not go together',
    open: async (page) => {
      await page.getByLabel('Belief moves from epoch').fill('9999');
      await page.getByRole('alert').waitFor();
    },
  },
  {
    name: 'question before accepting',
    open: async (page) => {
      await step(page, 'Review');
      await page.getByRole('button', { name: 'Accept the sure ones' }).click();
      await page.getByRole('button', { name: 'Accept them…', disabled: false }).click();
      await page.getByRole('dialog').waitFor();
    },
  },
  {
    name: 'triage',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
    },
  },
  {
    name: 'grid of what is left to look at',
    open: async (page) => {
      await page.getByRole('button', { name: 'Look at them' }).click();
      await page.getByRole('button', { name: 'Take away “Left to look at”' }).waitFor();
      await page.getByRole('heading', { name: 'Look-alikes' }).waitFor();
    },
  },
  {
    name: 'grid with filters',
    open: async (page) => {
      await page.getByRole('button', { name: 'Take away “Left to look at”' }).click();
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      for (const key of ['d', 's', 'c', 'Enter', 'Shift+ArrowRight', 'f']) await page.keyboard.press(key);
      await page.getByRole('complementary', { name: 'Filters' }).waitFor();
    },
  },
  {
    name: 'one image',
    open: async (page) => {
      await page.keyboard.press('e');
      await page.getByRole('region', { name: 'Current image' }).locator('[data-sample] img').waitFor();
      await page.getByRole('button', { name: 'Doubt', exact: true }).focus();
    },
  },
  {
    name: 'type-ahead',
    open: async (page) => {
      await page.keyboard.press('t');
      await page.keyboard.type('new');
    },
  },
  {
    name: 'keys',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('?');
      await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    },
  },
  {
    name: 'keys to change, with a conflict',
    open: async (page) => {
      await page.getByRole('button', { name: 'Change the keys…' }).click();
      await page.getByRole('button', { name: 'Add a key for “Undo”' }).click();
      await page.keyboard.press('s');
      await page.getByRole('alert').getByText('S already means').waitFor();
    },
  },
  {
    name: 'command palette',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('Control+k');
      await page.keyboard.type('class');
      await page
        .getByRole('option', { name: /^Give class/ })
        .first()
        .waitFor();
    },
  },
  {
    name: 'history, with a step undone',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('z');
      await page.keyboard.press('h');
      await page.getByRole('listbox', { name: 'Steps, newest first' }).getByRole('option').first().waitFor();
    },
  },
  {
    name: 'search that is not understood',
    open: async (page) => {
      await page.keyboard.press('/');
      await page.keyboard.type('state:lost gi');
      await page.getByText('“lost” is no state.').waitFor();
      await page.getByRole('option', { name: /^given:/ }).waitFor();
    },
  },
  {
    name: 'export',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await step(page, 'Export');
      await page.getByRole('heading', { name: 'Export' }).waitFor();
    },
  },
];

describe.skipIf(chromiumPath === undefined)('axe finds nothing', () => {
  let browser: Browser;
  let axe: string;

  beforeAll(async () => {
    buildWindow();
    browser = await launchChromium();
    axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  });

  afterAll(() => browser.close());

  for (const colorScheme of ['light', 'dark'] as const) {
    test(colorScheme, { timeout: 180_000 }, async () => {
      const opened = await openWindow({ recipe: 'selective', problems: 12 });
      const page = await browser.newPage({
        colorScheme,
        reducedMotion: 'reduce',
        viewport: { width: 1000, height: 700 },
      });
      page.setDefaultTimeout(15_000);
      try {
        await page.goto(opened.url);
        await page.getByRole('toolbar', { name: 'Review' }).waitFor();
        await page.evaluate(axe);
        const found: string[] = [];
        for (const { name, open } of screens) {
          await open(page);
          found.push(...(await violations(page)).map((violation) => `${name}: ${violation}`));
        }
        expect(found).toEqual([]);
      } finally {
        await page.close();
        await opened.close();
      }
    });
  }
});

async function step(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name }).click();
}

async function violations(page: Page): Promise<string[]> {
  const results = await page.evaluate(() =>
    (globalThis as unknown as { axe: { run(): Promise<AxeResults> } }).axe.run(),
  );
  return results.violations.map(
    ({ id, help, nodes }) => `${id} (${help}) at ${nodes.map(({ target }) => target.join(' ')).join(', ')}`,
  );
}
