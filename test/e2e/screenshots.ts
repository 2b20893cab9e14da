import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { chromium, type Page } from 'playwright-core';

/*
 * Takes pictures of every screen and state, in both themes and both window sizes, from a running `winnow serve`:
 *
 *   node test/e2e/screenshots.ts URL --out FOLDER [--import FOLDER] [--only NAME,NAME]
 *
 * URL is the address that `winnow serve` prints, with its token. With --import, that folder of images is imported and
 * trained on first (budget quick); without, the project that is open is shown as it is, and nothing is trained.
 * Decisions that are made on the way are undone again.
 */

const sizes = [
  { width: 1440, height: 900 },
  { width: 1000, height: 700 },
];
const themes = ['light', 'dark'] as const;
/** The longest that a quick training on a few thousand images may take. */
const trainingTimeout = 20 * 60_000;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: 'string', default: 'screenshots' },
    import: { type: 'string' },
    only: { type: 'string' },
    chromium: { type: 'string', default: '/usr/bin/chromium' },
  },
});
const [url] = positionals;
if (url === undefined) throw new Error('Usage: node test/e2e/screenshots.ts URL --out FOLDER [--import FOLDER]');
const only = values.only?.split(',') ?? null;
await mkdir(values.out, { recursive: true });

const browser = await chromium.launch({ executablePath: values.chromium, args: ['--no-sandbox'] });
const page = await browser.newPage({ viewport: sizes[0] ?? null, reducedMotion: 'reduce' });
page.on('pageerror', (error) => console.error('page error:', error.message));
page.on('console', (message) => {
  if (message.type() === 'error') console.error('console:', message.text());
});

try {
  await page.goto(url);
  await page.getByRole('banner').waitFor();
  await home(page);
  if (values.import !== undefined) await importFolder(page, values.import);
  await images(page);
  await training(page, values.import !== undefined);
  await review(page);
  await screens(page);
  await triage(page);
  await exporting(page);
} finally {
  await browser.close();
}

/** One picture for each theme and size. */
async function shoot(page: Page, name: string): Promise<void> {
  if (only !== null && !only.includes(name)) return;
  await page.mouse.move(0, 0);
  for (const size of sizes) {
    await page.setViewportSize(size);
    for (const theme of themes) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' });
      await page.waitForTimeout(250);
      await page.waitForFunction(() => [...document.images].every((image) => image.complete));
      await page.screenshot({ path: path.join(values.out, `${name}-${size.width}-${theme}.png`) });
    }
  }
  console.log(name);
  await page.setViewportSize(sizes[0] ?? { width: 1440, height: 900 });
}

async function home(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'Winnow', exact: true }).click();
  await page.getByRole('heading', { name: /Find the wrong labels/ }).waitFor();
  await page.waitForTimeout(300);
  await shoot(page, 'home');
  await page.getByRole('button', { name: 'Choose folder…' }).click();
  await page.getByRole('dialog').getByRole('option').first().waitFor();
  await shoot(page, 'folder-browser');
  await page.keyboard.press('Escape');
}

async function importFolder(page: Page, folder: string): Promise<void> {
  await page.getByRole('button', { name: 'Choose folder…' }).click();
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Folder', { exact: true }).fill(folder);
  await dialog.getByRole('button', { name: 'Go' }).click();
  await dialog.getByRole('listbox', { name: `Contents of ${folder}` }).waitFor();
  await dialog.getByRole('button', { name: 'Use this folder' }).click();
  await page.getByRole('heading', { name: 'Import a folder' }).waitFor();
  await shoot(page, 'import');
  await page.getByText('From a CSV file').click();
  await shoot(page, 'import-csv');
  await page.getByText('From the folder names').click();
  await page.getByRole('button', { name: /^(Import|Read the folder again)$/ }).click();
  await page.waitForTimeout(700);
  await shoot(page, 'import-running');
  await page.getByRole('heading', { name: 'Classes' }).waitFor({ timeout: 10 * 60_000 });
}

async function images(page: Page): Promise<void> {
  await step(page, 'Images');
  await page.getByRole('heading', { name: 'Classes' }).waitFor();
  await page.waitForTimeout(600);
  await shoot(page, 'images');
  await page.locator('.page').evaluate((element) => {
    element.scrollTop = element.scrollHeight;
  });
  await shoot(page, 'images-problems');
}

async function training(page: Page, train: boolean): Promise<void> {
  await step(page, 'Training');
  await page.waitForTimeout(700);
  if (!train) {
    await shoot(page, 'training-done');
    const again = page.getByRole('button', { name: /Train again…|Start again…/ }).first();
    if (await again.isVisible()) await again.click();
  }
  await page.getByText('Quick', { exact: true }).click();
  await shoot(page, 'training-planning');
  await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor({ timeout: 120_000 });
  await shoot(page, 'training-plan');
  // Open already when the last run was one of them.
  const imagesFirst = page.getByRole('radio', { name: /^Images first/ });
  if (!(await imagesFirst.isVisible())) await page.getByText('Other ways to learn').click();
  await page.getByText('Numbers by hand').click();
  await shoot(page, 'training-plan-unfolded');
  await page.getByLabel('Seed', { exact: true }).scrollIntoViewIfNeeded();
  await shoot(page, 'training-numbers');
  await page.getByLabel('Belief moves from epoch').fill('999');
  await page.getByRole('button', { name: 'Leave the numbers to the plan' }).waitFor();
  await shoot(page, 'training-plan-impossible');
  await page.getByRole('button', { name: 'Leave the numbers to the plan' }).click();
  await imagesFirst.check();
  await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor({ timeout: 120_000 });
  await shoot(page, 'training-plan-images-first');
  await page.getByRole('radio', { name: /^Self-adaptive training/ }).check();
  await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor({ timeout: 120_000 });
  if (!train) return;
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('progressbar').first().waitFor();
  await shoot(page, 'training-preparing');
  await page.getByRole('heading', { name: /Doubts so far/ }).waitFor({ timeout: trainingTimeout });
  await page.waitForTimeout(1500);
  await shoot(page, 'training-running');
  await page.keyboard.press('p');
  await page.getByRole('heading', { name: 'Training is paused' }).waitFor({ timeout: 60_000 });
  await shoot(page, 'training-paused');
  await page.getByRole('button', { name: 'Train again…' }).click();
  await page.getByRole('button', { name: 'Start training', disabled: false }).waitFor({ timeout: 120_000 });
  await shoot(page, 'training-plan-beside-paused');
  await page.getByRole('button', { name: 'Resume it instead' }).click();
  await page.getByRole('heading', { name: 'Training', exact: true }).waitFor({ timeout: 60_000 });
  await page.waitForTimeout(500);
  await shoot(page, 'training-resumed');
  await page.getByRole('heading', { name: 'Training is finished' }).waitFor({ timeout: trainingTimeout });
  await page.waitForTimeout(500);
  await shoot(page, 'training-done');
}

async function review(page: Page): Promise<void> {
  await step(page, 'Review');
  await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
  await page.waitForTimeout(800);
  await shoot(page, 'review-grid');
  // Decisions of every kind, then a selection.
  for (const key of ['Enter', 'c', 'd', 's', 'a', '2']) {
    await page.keyboard.press(key);
    await page.waitForTimeout(120);
  }
  await shoot(page, 'review-decided');
  for (let index = 0; index < 7; index += 1) await page.keyboard.press('Shift+ArrowRight');
  await shoot(page, 'review-selection');
  await page.keyboard.press('Escape');
  await page.keyboard.press('f');
  await page.getByRole('complementary', { name: 'Filters' }).waitFor();
  await shoot(page, 'review-filters');
  await page.keyboard.press('f');
  await page.keyboard.press('/');
  await page.keyboard.type('given:');
  await page.waitForTimeout(300);
  await shoot(page, 'review-search');
  await page.keyboard.press('Control+a');
  await page.keyboard.type('no such file anywhere');
  await page.keyboard.press('Enter');
  await page.getByText('Nothing matches these filters').waitFor();
  await shoot(page, 'review-empty');
  await page.getByRole('button', { name: 'Clear the filters' }).last().click();
  await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
  await page.getByRole('listbox', { name: 'Samples in the queue' }).focus();
  await page.keyboard.press('e');
  await page.getByRole('region', { name: 'Current image' }).locator('[data-sample] img').waitFor();
  await page.waitForTimeout(1500);
  await shoot(page, 'review-single');
  // Only where the last training has left embeddings.
  const alike = page.getByRole('heading', { name: 'Look-alikes' });
  await page.waitForTimeout(500);
  if (await alike.isVisible()) {
    await alike.evaluate((element) => {
      element.scrollIntoView();
    });
    await shoot(page, 'review-look-alikes');
  }
  await page.keyboard.press('t');
  await page.keyboard.type('s');
  await shoot(page, 'review-typing');
  await page.keyboard.press('Escape');
  await page.keyboard.press('?');
  await page.getByRole('dialog', { name: 'Keys' }).waitFor();
  await shoot(page, 'review-keys');
  await page.keyboard.press('Escape');
  await workspace(page);
  await page.keyboard.press('g');
  await page.keyboard.press('Control+a');
  await page.keyboard.press('s');
  await page.getByText('Everything in this queue is decided').waitFor();
  await shoot(page, 'review-finished');
  // Back to where it was: the bulk decision and the six before it.
  for (let index = 0; index < 7; index += 1) {
    await page.keyboard.press('z');
    await page.waitForTimeout(200);
  }
}

/** The other ways to look at the queue, and what stands beside it. */
async function workspace(page: Page): Promise<void> {
  await page.keyboard.press('p');
  await page.getByRole('grid', { name: 'Given labels by suggested labels' }).waitFor();
  await page.waitForTimeout(800);
  await shoot(page, 'review-pairs');
  await page.keyboard.press('Enter');
  await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
  await page.waitForTimeout(800);
  await shoot(page, 'review-pair');
  await page.keyboard.press('Escape');
  await page.keyboard.press('Escape');
  await page.keyboard.press('l');
  await page.waitForTimeout(400);
  await shoot(page, 'review-clusters-preparing');
  await page
    .getByRole('listbox', { name: /cluster/i })
    .or(page.getByText(/no .*identical/i))
    .first()
    .waitFor({ timeout: 10 * 60_000 });
  await page.waitForTimeout(800);
  await shoot(page, 'review-clusters');
  await page.keyboard.press('m');
  await page.getByText(/in the queue$/).waitFor({ timeout: 10 * 60_000 });
  await page.waitForTimeout(1500);
  await shoot(page, 'review-map');
  for (let level = 0; level < 9; level += 1) await page.keyboard.press('+');
  await page.waitForTimeout(1500);
  await shoot(page, 'review-map-near');
  await page.keyboard.press('g');
  await page.keyboard.press('h');
  await page.getByRole('listbox', { name: 'Steps, newest first' }).waitFor();
  await page.waitForTimeout(500);
  await shoot(page, 'review-history');
  await page.keyboard.press('Escape');
  await page.keyboard.press('h');
  await page.keyboard.press('Control+k');
  await page.waitForTimeout(300);
  await shoot(page, 'palette');
  await page.keyboard.type('change the keys');
  await page.keyboard.press('Enter');
  await page.getByRole('dialog').waitFor();
  await shoot(page, 'keys-settings');
  await page.keyboard.press('Escape');
}

async function screens(page: Page): Promise<void> {
  await step(page, 'Overview');
  await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
  await page.waitForTimeout(2500);
  await shoot(page, 'overview');
  await step(page, 'Classes');
  await page.getByRole('heading', { name: 'Classes', exact: true }).waitFor();
  await page.waitForTimeout(1500);
  await shoot(page, 'classes');
}

async function triage(page: Page): Promise<void> {
  await step(page, 'Review');
  await page.getByRole('button', { name: 'Accept the sure ones' }).click();
  const accept = page.getByRole('button', { name: 'Accept them…', disabled: false });
  await accept.waitFor();
  await shoot(page, 'triage');
  await page.getByRole('slider').press('End');
  await accept.waitFor();
  await shoot(page, 'triage-everything');
  for (let step = 0; step < 20; step += 1) await page.getByRole('slider').press('ArrowLeft');
  await accept.click();
  await shoot(page, 'triage-question');
  await page
    .getByRole('dialog')
    .getByRole('button', { name: /^Accept/ })
    .click();
  const undo = page.getByRole('button', { name: 'Undo', exact: true });
  await undo.waitFor();
  await shoot(page, 'triage-accepted');
  await undo.click();
  await accept.waitFor();
  await page.getByRole('button', { name: 'Look at them' }).click();
  await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
  await page.waitForTimeout(800);
  await shoot(page, 'review-left-to-look-at');
  await page.getByRole('button', { name: 'Take away “Left to look at”' }).click();
}

async function exporting(page: Page): Promise<void> {
  await step(page, 'Export');
  await page.getByRole('heading', { name: /Export/ }).waitFor();
  await shoot(page, 'export');
  const target = path.resolve(values.out, 'labels.csv');
  await page.getByLabel('File', { exact: true }).fill(target);
  await page.getByRole('button', { name: 'Export', exact: true }).last().click();
  const replace = page.getByRole('button', { name: 'Replace it' });
  const written = page.getByRole('heading', { name: /written/ });
  await replace.or(written).first().waitFor();
  if (await replace.isVisible()) {
    await shoot(page, 'export-overwrite');
    await replace.click();
  }
  await written.waitFor();
  await shoot(page, 'export-done');
}

async function step(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name }).click();
}
