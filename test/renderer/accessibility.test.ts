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
    name: 'history of one reviewer, and the list of them',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('combobox', { name: /^Whose steps/ }).press('Enter');
      await page.getByRole('option', { name: 'Ada', exact: true }).waitFor();
      await page.keyboard.press('ArrowDown');
    },
  },
  {
    name: 'history narrowed',
    open: async (page) => {
      await page.keyboard.press('Enter');
      await page.getByRole('button', { name: 'Show what Ada decided' }).waitFor();
    },
  },
  {
    name: 'reviewer',
    open: async (page) => {
      await command(page, 'name of the reviewer');
      await page.getByRole('dialog', { name: 'Reviewer' }).waitFor();
    },
  },
  {
    name: 'nothing matches',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await command(page, 'history');
      await page.keyboard.press('/');
      await page.keyboard.press('Control+a');
      await page.keyboard.type('no such image');
      await page.keyboard.press('Enter');
      await page.getByText('Nothing matches these filters').waitFor();
    },
  },
  {
    name: 'pairs',
    open: async (page) => {
      await page.getByRole('button', { name: 'Clear the filters' }).last().click();
      await page.keyboard.press('g');
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      await page.keyboard.press('p');
      await page.getByRole('grid', { name: 'Given labels by suggested labels' }).waitFor();
    },
  },
  {
    name: 'one pair',
    open: async (page) => {
      await page.keyboard.press('Enter');
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
    },
  },
  {
    name: 'one pair, decided',
    open: async (page) => {
      await page.keyboard.press('Control+a');
      await page.keyboard.press('c');
      await page.getByRole('heading', { name: /is decided$/ }).waitFor();
    },
  },
  {
    name: 'clusters',
    open: async (page) => {
      await page.keyboard.press('z');
      await page.keyboard.press('l');
      await page.getByRole('listbox', { name: 'Clusters' }).waitFor({ timeout: 120_000 });
      await page.getByRole('button', { name: /^All / }).waitFor();
    },
  },
  {
    name: 'map',
    open: async (page) => {
      await page.keyboard.press('m');
      await page.getByText(/^120 images/).waitFor();
    },
  },
  {
    name: 'map from near, with a part of it chosen',
    open: async (page) => {
      for (let level = 0; level < 3; level += 1) await page.keyboard.press('+');
      await page.keyboard.down('Shift');
      await page.mouse.move(250, 200);
      await page.mouse.down();
      for (const [x, y] of [
        [450, 200],
        [450, 420],
        [250, 420],
        [250, 210],
      ] as const)
        await page.mouse.move(x, y, { steps: 4 });
      await page.mouse.up();
      await page.keyboard.up('Shift');
      await page.getByText('inside the line').waitFor();
    },
  },
  {
    name: 'everything decided',
    open: async (page) => {
      await page.getByRole('button', { name: 'Take the line away' }).click();
      await page.keyboard.press('g');
      await page.keyboard.press('Control+a');
      await page.keyboard.press('s');
      await page.getByText('Everything in this queue is decided').waitFor();
    },
  },
  {
    name: 'a list of orders, and a notice',
    open: async (page) => {
      await page.keyboard.press('z');
      await page.getByRole('button', { name: 'Stay here' }).waitFor({ state: 'detached' });
      await page.keyboard.press('Shift+Z');
      await page.getByRole('button', { name: 'Stay here' }).click();
      await page.keyboard.press('Shift+Z');
      await page.getByText('There is nothing to redo.').waitFor();
      await page.keyboard.press('z');
      await page.getByRole('button', { name: /^Redo: Skip/ }).waitFor();
      await page.getByRole('combobox', { name: /^Order/ }).press('Enter');
      await page.getByRole('option', { name: 'By file path' }).waitFor();
    },
  },
  {
    name: 'overview',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await step(page, 'Overview');
      await page.locator('.chart svg, .chart canvas').nth(2).waitFor();
    },
  },
  {
    name: 'overview with a table, and the ways to save a chart',
    open: async (page) => {
      await page.getByRole('button', { name: 'Show as a table' }).first().click();
      await page.getByRole('table').waitFor();
      await page.getByRole('button', { name: 'Save the chart' }).first().click();
      await page.getByRole('menuitem').first().waitFor();
    },
  },
  {
    name: 'classes',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await step(page, 'Classes');
      await page.getByRole('grid', { name: 'Classes' }).waitFor();
      for (const key of ['Space', 'ArrowDown', 'Space']) await page.keyboard.press(key);
    },
  },
  {
    name: 'merge of classes',
    open: async (page) => {
      await page.keyboard.press('m');
      await page.getByRole('dialog', { name: /^Merge/ }).waitFor();
    },
  },
  {
    name: 'colour of a class',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('c');
      await page.getByRole('dialog', { name: /^Colour/ }).waitFor();
    },
  },
  {
    name: 'key of a class, taken from a command',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('k');
      await page.getByRole('dialog', { name: /^Key of/ }).waitFor();
      await page.keyboard.press('d');
      await page.getByText('will give this class').waitFor();
    },
  },
  {
    name: 'new class of a name that is taken',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      const taken = await page
        .getByRole('gridcell')
        .filter({ hasText: /\w+ \w+/ })
        .first()
        .innerText();
      await page.keyboard.press('n');
      await page.keyboard.type(taken.trim());
      await page.getByText('There is a class of this name.').waitFor();
    },
  },
  {
    name: 'class that is renamed',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press('F2');
      await page.getByRole('grid').getByRole('textbox').waitFor();
    },
  },
  {
    name: 'class that is split',
    open: async (page) => {
      await page.keyboard.press('Escape');
      await page.keyboard.press('s');
      await page.getByRole('form', { name: 'Split off a new class' }).waitFor();
    },
  },
  {
    name: 'labels accepted unseen',
    open: async (page) => {
      await command(page, 'accept the sure ones');
      await page.getByRole('button', { name: 'Accept them…', disabled: false }).click();
      await page
        .getByRole('dialog')
        .getByRole('button', { name: /^Accept/ })
        .click();
      await page.getByText(/labels? accepted\.$/).waitFor();
    },
  },
  {
    name: 'export',
    open: async (page) => {
      await step(page, 'Export');
      await page.getByRole('heading', { name: 'Export' }).waitFor();
    },
  },
  {
    name: 'export, done',
    open: async (page) => {
      await page.getByRole('button', { name: 'Export', exact: true }).last().click();
      await page.getByRole('heading', { name: /written$/ }).waitFor();
    },
  },
  {
    name: 'question before a file is replaced',
    open: async (page) => {
      await page.getByRole('button', { name: 'Export', exact: true }).last().click();
      await page.getByRole('dialog', { name: 'Replace what is there?' }).waitFor();
    },
  },
];

/** What looks otherwise before the first training. */
const untrained: typeof screens = [
  {
    name: 'grid without a training',
    open: (page) => page.getByText('No training on the labels yet').waitFor(),
  },
  {
    name: 'pairs without a training',
    open: async (page) => {
      await page.keyboard.press('p');
      await page.getByRole('heading', { name: 'Which classes are confused is not known yet' }).waitFor();
    },
  },
  {
    name: 'map without a training',
    open: async (page) => {
      await page.keyboard.press('m');
      await page
        .getByRole('button', { name: /training|grid/i })
        .last()
        .waitFor();
    },
  },
  {
    name: 'overview without a training',
    open: async (page) => {
      await step(page, 'Overview');
      await page.getByText('A training finds out which labels look wrong.').waitFor();
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
    test(colorScheme, { timeout: 400_000 }, async () => {
      expect(await look(colorScheme, screens, { recipe: 'selective', map: true, decided: 30, problems: 12 })).toEqual(
        [],
      );
    });

    test(`${colorScheme}, before the first training`, { timeout: 180_000 }, async () => {
      expect(await look(colorScheme, untrained, { recipe: null })).toEqual([]);
    });
  }

  /** Everything that axe finds on the way through these screens. */
  async function look(
    colorScheme: 'light' | 'dark',
    through: typeof screens,
    project: Parameters<typeof openWindow>[0],
  ): Promise<string[]> {
    const opened = await openWindow(project);
    const page = await browser.newPage({
      colorScheme,
      reducedMotion: 'reduce',
      viewport: { width: 1000, height: 700 },
    });
    page.setDefaultTimeout(15_000);
    try {
      await page.goto(`${opened.url}#review`);
      await page.getByRole('toolbar', { name: 'Review' }).waitFor();
      await page.evaluate(axe);
      const found: string[] = [];
      for (const { name, open } of through) {
        await open(page).catch((error: unknown) => {
          throw new Error(`On the way to “${name}”: ${String(error)}`, { cause: error });
        });
        found.push(...(await violations(page)).map((violation) => `${name}: ${violation}`));
      }
      return found;
    } finally {
      await page.close();
      await opened.close();
    }
  }
});

/** By its name, from the palette. */
async function command(page: Page, words: string): Promise<void> {
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Find a command' }).waitFor();
  await page.keyboard.type(words);
  await page.keyboard.press('Enter');
}

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
