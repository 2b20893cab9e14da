/*
 * How quick the window feels: `winnow serve` in Chromium on a synthetic project (test/support/synthetic-project.ts).
 *
 *   node test/bench/review.ts [--samples 100000] [--pictures FOLDER] [--folder FOLDER] [--decisions 300] [--seconds 15]
 *     [--only opening,decisions,scrolling,queue,memory]
 *
 * FOLDER keeps the project from one run to the next; every run starts from it as it was made. Other programs on the machine
 * make all of it slower, so the table ends with the load.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import type { Browser, Page } from 'playwright-core';
import { serveHost, type OpenApp } from '../e2e/hosts.ts';
import { createSyntheticProject } from '../support/synthetic-project.ts';
import { openPlainPage } from './plain-page.ts';
import {
  countFrames,
  cpuTime,
  gridAfter,
  gridAfterLoad,
  installPlainProbe,
  installProbe,
  measureMemory,
  pictureAfter,
  queueAfter,
  scrollThrough,
  type ProbeSelectors,
} from './probe.ts';

/* The window as it is now: everything that is looked for in it, and its keys. */

const probeSelectors: ProbeSelectors = {
  grid: '[role="listbox"][aria-label="Samples in the queue"]',
  cell: '[role="option"]',
  caption: '.caption',
  stage: '[data-sample]',
};
const keys = { grid: 'g', oneImage: 'e', filters: 'f', accept: 'Enter', confirm: 'c' };
const find = {
  toolbar: (page: Page) => page.getByRole('toolbar', { name: 'Review' }),
  review: (page: Page) => page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name: 'Review' }),
  grid: (page: Page) => page.getByRole('listbox', { name: 'Samples in the queue' }),
  flaggedOnly: (page: Page) => page.getByRole('checkbox', { name: 'Only what is flagged' }),
  undecided: (page: Page) => page.getByRole('checkbox', { name: /^Undecided/ }),
  order: (page: Page) => find.toolbar(page).getByRole('combobox', { name: /^Order/ }),
  orderOption: (page: Page, name: string) => page.getByRole('option', { name }),
  recentProject: (page: Page) => page.getByRole('button', { name: /^synthetic/ }),
};
const orders = ['By file path', 'Most confident first', 'Most doubted first'];

const { values } = parseArgs({
  options: {
    samples: { type: 'string', default: '100000' },
    pictures: { type: 'string' },
    folder: { type: 'string' },
    decisions: { type: 'string', default: '300' },
    seconds: { type: 'string', default: '15' },
    only: { type: 'string', default: 'opening,decisions,scrolling,queue,memory' },
  },
});
const wanted = values.only.split(',');
/** Pixels per second: four rows a second, and one window a fifth of a second. */
const wheelSpeeds = { reading: 900, searching: 4000 };
/** Milliseconds between the repeats of a key that is held down. */
const keyRepeat = 33;
const viewport = { width: 1440, height: 900 };
const rows: { what: string; measured: string; goal: string; 'CPU of Chromium': string }[] = [];

execFileSync(process.execPath, [path.join(import.meta.dirname, '..', '..', 'src-main', 'setup', 'build.mjs')]);
const folder = path.resolve(values.folder ?? mkdtempSync(path.join(tmpdir(), 'winnow-review-')));
const home = path.join(folder, 'home');
try {
  const project = await freshProject();
  await useApp(project, measureWork);
  if (wanted.includes('opening')) await measureOpening();
  console.table(rows);
  console.log(
    `${Number(values.samples).toLocaleString('en')} samples, window of ${viewport.width} × ${viewport.height}, ${availableParallelism()} cores, load ${loadavg()
      .map((load) => load.toFixed(1))
      .join(', ')} (1, 5, 15 minutes)`,
  );
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}

/** The project as it was made, under the one path whose cache of thumbnails is full. */
async function freshProject(): Promise<string> {
  const project = path.join(folder, 'synthetic.winnow');
  const kept = path.join(folder, 'as-made.winnow');
  mkdirSync(home, { recursive: true });
  if (!existsSync(kept)) {
    const { pictures } = values;
    await createSyntheticProject({
      folder,
      home,
      // So that "undecided" is another queue than "all".
      decided: 200,
      samples: Number(values.samples),
      ...(pictures === undefined ? {} : { pictures }),
    });
    cpSync(project, kept);
  }
  for (const suffix of ['', '-wal', '-shm']) rmSync(project + suffix, { force: true });
  cpSync(kept, project);
  return project;
}

/** Opens the app, with a project or on its first screen, for as long as `work` takes. */
async function useApp(
  target: string | undefined,
  work: (app: OpenApp, browser: Browser) => Promise<void>,
): Promise<void> {
  const app = await serveHost.open(home, target);
  try {
    const browser = app.page.context().browser();
    if (browser === null) throw new Error('The page belongs to no browser.');
    await app.page.setViewportSize(viewport);
    await installProbe(app.page, probeSelectors);
    await work(app, browser);
  } finally {
    await app.close();
  }
}

/** Everything that is measured in one window, from the time at which it is loaded. */
async function measureWork({ page, url }: OpenApp, browser: Browser): Promise<void> {
  if (wanted.includes('opening')) {
    const address = page.url();
    const loads: number[] = [];
    const before = await cpuTime(browser);
    for (let time = 0; time < 5; time += 1) {
      await page.goto('about:blank');
      const session = await page.context().newCDPSession(page);
      await session.send('Network.clearBrowserCache');
      await session.detach();
      await page.goto(address, { waitUntil: 'commit' });
      loads.push(await gridAfterLoad(page));
    }
    const cpu = await cpuEach(browser, before, loads.length);
    report('Window loaded to the first grid, empty browser cache', describe(loads), '< 1000 ms', cpu);
  }
  await find.review(page).click();
  await find.toolbar(page).waitFor();
  if (wanted.includes('queue')) await measureQueue(page, browser);
  await showAll(page);
  if (wanted.includes('decisions')) await measureDecisions(page, browser);
  if (wanted.includes('scrolling')) await measureScrolling(page, browser);
  if (wanted.includes('memory') && url !== null) await measureScrolledMemory(url);
}

/** In a page that nothing else watches, see plain-page.ts. */
async function measureScrolledMemory(url: string): Promise<void> {
  const page = await openPlainPage(url, viewport);
  try {
    await installPlainProbe(page, probeSelectors);
    await page.evaluate(showAllPlainly, { step: 'Review', filters: keys.filters, box: 'Only what is flagged' });
    const before = await measureMemory(page);
    const pages = await scrollThrough(page);
    const { heap, renderer } = await measureMemory(page);
    report(
      `Memory of the page after ${pages.toLocaleString('en')} pages of the grid`,
      `heap ${heap.toFixed(0)} MB, process ${renderer.toFixed(0)} MB (before: ${before.heap.toFixed(0)} and ${before.renderer.toFixed(0)} MB)`,
      '< 400 MB',
    );
  } finally {
    await page.close();
  }
}

/** `showAll` inside the page, so it can use nothing of this file. */
async function showAllPlainly({ step, filters, box }: { step: string; filters: string; box: string }): Promise<void> {
  const until = async <T>(find: () => T | null | undefined): Promise<T> => {
    for (const end = performance.now() + 20_000; performance.now() < end;) {
      const found = find();
      if (found !== null && found !== undefined) return found;
      await new Promise(requestAnimationFrame);
    }
    throw new Error(`Not found: ${String(find)}`);
  };
  const named = (selector: string, name: string): HTMLElement | undefined =>
    [...document.querySelectorAll<HTMLElement>(selector)].find(({ textContent }) => textContent.includes(name));
  (await until(() => named('nav button', step))).click();
  await until(() => document.querySelector('[role="listbox"] [role="option"] img'));
  const press = (): boolean =>
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: filters, code: 'KeyF', bubbles: true }));
  press();
  (await until(() => named('label', box)?.querySelector('input'))).click();
  press();
  await new Promise((resolve) => setTimeout(resolve, 3000));
}

/** From the list of recent projects, each time by a service that has just started. */
async function measureOpening(): Promise<void> {
  const times: number[] = [];
  for (let time = 0; time < 5; time += 1) {
    await useApp(undefined, async ({ page }) => {
      const project = find.recentProject(page);
      await project.waitFor();
      // Nobody clicks sooner.
      await page.waitForTimeout(1000);
      times.push(await gridAfter(page, () => project.click()));
    });
  }
  report('Project opened from the list to the first grid', describe(times), '< 1000 ms');
}

async function measureDecisions(page: Page, browser: Browser): Promise<void> {
  await page.keyboard.press(keys.oneImage);
  await page.locator(`${probeSelectors.stage} img`).waitFor();
  await decide(page, 10, 250);
  for (const pause of [250, 0]) {
    const before = await cpuTime(browser);
    const times = await decide(page, Number(values.decisions), pause);
    const cpu = await cpuEach(browser, before, times.length);
    report(`Key to the next image, ${pause} ms between decisions`, describe(times), 'p99 < 50 ms', cpu);
  }
  await page.keyboard.press(keys.grid);
}

/** Every decision is on disk before the next picture shows. */
async function decide(page: Page, count: number, pause: number): Promise<number[]> {
  const times: number[] = [];
  for (let decided = 0; decided < count; decided += 1) {
    times.push(await pictureAfter(page, decided % 2 === 0 ? keys.confirm : keys.accept));
    if (pause > 0) await page.waitForTimeout(pause);
  }
  return times;
}

async function measureScrolling(page: Page, browser: Browser): Promise<void> {
  const box = await find.grid(page).boundingBox();
  if (box === null) throw new Error('No grid is shown.');
  const session = await page.context().newCDPSession(page);
  const place = { x: box.x + box.width / 2, y: box.y + box.height / 2, gestureSourceType: 'mouse' as const };
  const seconds = Number(values.seconds);
  const measure = async (how: string, scroll: () => Promise<unknown>): Promise<void> => {
    const [before, began] = [await cpuTime(browser), performance.now()];
    const { missedByPage, dropped, partial, frames } = await countFrames(browser, page, scroll);
    const cpu = ((await cpuTime(browser)) - before) / (performance.now() - began);
    report(
      `Frames dropped: ${how}`,
      `${percent(dropped)} of ${frames}, ${percent(partial)} in part; the page missed ${percent(missedByPage)}`,
      '≤ 1 %',
      `${percent(cpu)} of a core`,
    );
  };
  for (const [name, speed] of Object.entries(wheelSpeeds)) {
    await measure(`wheel, ${name}, ${speed} px/s`, () =>
      session.send('Input.synthesizeScrollGesture', { ...place, yDistance: -speed * seconds, speed }),
    );
  }
  await find.grid(page).focus();
  await measure('arrow key held down', async () => {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      // Pressed again without having been let go: what a keyboard does with a key that is held.
      await page.keyboard.down('ArrowDown');
      await page.waitForTimeout(keyRepeat);
    }
    await page.keyboard.up('ArrowDown');
  });
  await session.detach();
}

async function measureQueue(page: Page, browser: Browser): Promise<void> {
  await page.keyboard.press(keys.filters);
  await find.flaggedOnly(page).waitFor();
  const filters = [];
  let before = await cpuTime(browser);
  for (let time = 0; time < 8; time += 1) {
    filters.push(await queueAfter(page, () => find.flaggedOnly(page).click()));
    filters.push(await queueAfter(page, () => find.undecided(page).click()));
  }
  reportQueue('Filter changed', filters, await cpuEach(browser, before, filters.length));
  // With everything in the queue, which is where an order costs most.
  if (await find.flaggedOnly(page).isChecked()) await queueAfter(page, () => find.flaggedOnly(page).click());
  const sorts = [];
  before = await cpuTime(browser);
  for (let time = 0; time < 4; time += 1) {
    for (const name of orders) {
      sorts.push(
        await queueAfter(page, async () => {
          await find.order(page).click();
          await find.orderOption(page, name).click();
        }),
      );
    }
  }
  reportQueue('Order changed', sorts, await cpuEach(browser, before, sorts.length));
  await page.keyboard.press(keys.filters);
}

/** All images in the queue, worst first. */
async function showAll(page: Page): Promise<void> {
  await page.keyboard.press(keys.filters);
  await find.flaggedOnly(page).setChecked(false);
  await page.keyboard.press(keys.filters);
  await page.getByText(`of ${Number(values.samples).toLocaleString('en')} decided`).waitFor();
  await find.grid(page).focus();
}

function reportQueue(what: string, times: { cells: number; pictures: number }[], cpu: string): void {
  report(`${what} to the new cells`, describe(times.map(({ cells }) => cells)), '< 150 ms', cpu);
  report(`${what} to their pictures`, describe(times.map(({ pictures }) => pictures)), '');
}

async function cpuEach(browser: Browser, before: number, times: number): Promise<string> {
  return `${(((await cpuTime(browser)) - before) / times).toFixed(0)} ms each`;
}

function report(what: string, measured: string, goal: string, cpu = ''): void {
  rows.push({ what, measured, goal, 'CPU of Chromium': cpu });
  console.log(`${what}: ${measured}${cpu === '' ? '' : `; CPU of Chromium ${cpu}`}`);
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function describe(times: number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(0);
  const p99 = times.length >= 100 ? `, p99 ${at(0.99)}` : '';
  return `median ${at(0.5)}${p99}, largest ${at(1)} ms (${times.length} times)`;
}
