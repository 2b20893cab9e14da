/*
 * Milliseconds from a key that decides to the next picture on the screen, through `winnow serve` in Chromium. The decision is on disk
 * before the picture shows.
 *
 *   node test/bench/review.ts PROJECT.winnow [--decisions 200]
 *
 * Works on a copy of the project; the queue holds all of its images, worst first. Measured twice: with a pause between decisions, as a
 * quick person makes, and with none. Each time runs from the key event's own timestamp to the first task after the frame that has
 * the next picture.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import type { Page } from 'playwright-core';
import { serveHost } from '../e2e/hosts.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { decisions: { type: 'string', default: '200' } },
});
const [project] = positionals;
if (project === undefined) throw new Error('Usage: node test/bench/review.ts PROJECT.winnow [--decisions 200]');

const folder = mkdtempSync(path.join(tmpdir(), 'winnow-review-'));
const copy = path.join(folder, 'copy.winnow');
const original = new Database(project, { readonly: true, fileMustExist: true });
await original.backup(copy);
original.close();

const app = await serveHost.open(path.join(folder, 'home'), copy);
try {
  await showAllImages(app.page);
  await measureInPage(app.page);
  await decide(app.page, 10, 250);
  for (const pause of [250, 0]) {
    const times = await decide(app.page, Number(values.decisions), pause);
    console.log(`${pause} ms between decisions: ${describe(times)}`);
  }
} finally {
  await app.close();
  rmSync(folder, { recursive: true, force: true });
}

async function showAllImages(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('button', { name: 'Review' }).click();
  await page.getByRole('toolbar', { name: 'Review' }).waitFor();
  await page.keyboard.press('f');
  const flaggedOnly = page.getByRole('checkbox', { name: 'Only what is flagged' });
  if ((await flaggedOnly.count()) > 0) await flaggedOnly.uncheck();
  await page.keyboard.press('f');
  await page.keyboard.press('g');
  await page.locator('[data-sample] img').waitFor();
  console.log(
    await page
      .getByRole('toolbar', { name: 'Review' })
      .getByText(/decided/)
      .first()
      .innerText(),
  );
}

/** Keeps, in the page, how long each decision took. */
async function measureInPage(page: Page): Promise<void> {
  await page.evaluate(() => {
    const times: number[] = [];
    Object.assign(globalThis, { winnowTimes: times });
    const place = document.querySelector<HTMLElement>('[data-sample]');
    if (place === null) throw new Error('No picture is shown.');
    let pressedAt: number | null = null;
    let shown = place.dataset.sample;
    addEventListener('keydown', ({ timeStamp }) => (pressedAt = timeStamp), { capture: true });
    new MutationObserver(() => {
      if (place.dataset.sample === shown || pressedAt === null) return;
      const began = pressedAt;
      shown = place.dataset.sample;
      pressedAt = null;
      requestAnimationFrame(() => {
        const afterFrame = new MessageChannel();
        afterFrame.port1.onmessage = () => times.push(performance.now() - began);
        afterFrame.port2.postMessage(null);
      });
    }).observe(place, { attributes: true, attributeFilter: ['data-sample'] });
  });
}

async function decide(page: Page, count: number, pause: number): Promise<number[]> {
  await page.evaluate(() => (globalThis as unknown as { winnowTimes: number[] }).winnowTimes.splice(0));
  for (let decided = 1; decided <= count; decided++) {
    await page.keyboard.press(decided % 2 === 0 ? 'c' : 'Enter');
    await page.waitForFunction(
      (expected) => (globalThis as unknown as { winnowTimes: number[] }).winnowTimes.length >= expected,
      decided,
    );
    if (pause > 0) await page.waitForTimeout(pause);
  }
  return await page.evaluate(() => (globalThis as unknown as { winnowTimes: number[] }).winnowTimes);
}

function describe(times: number[]): string {
  const sorted = times.toSorted((left, right) => left - right);
  const at = (share: number): string =>
    (sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN).toFixed(1);
  return `${times.length} decisions, median ${at(0.5)} ms, p90 ${at(0.9)} ms, p99 ${at(0.99)} ms, largest ${at(1)} ms`;
}
