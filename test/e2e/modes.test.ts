import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHome } from '../support/home.ts';
import { createSyntheticProject } from '../support/synthetic-project.ts';
import { serveHost, standInHost, type OpenApp } from './hosts.ts';

/* Each way to look at the queue, by the keyboard alone: the pointer is never used. */

const root = path.resolve(import.meta.dirname, '..', '..');
const samples = 300;
let folder: string;

beforeAll(() => {
  execFileSync(process.execPath, [path.join(root, 'src-main', 'setup', 'build.mjs')]);
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-modes-'));
}, 240_000);

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

for (const host of [standInHost, serveHost]) {
  describe.skipIf(host.absentBecause !== null)(`by keyboard in ${host.name}`, () => {
    let app: OpenApp | null = null;

    async function open(): Promise<Page> {
      const own = mkdtempSync(path.join(folder, 'host-'));
      const home = createHome(own);
      const { project } = await createSyntheticProject({
        folder: own,
        home,
        samples,
        classes: 5,
        epochs: 8,
        map: true,
      });
      app = await host.open(home, project);
      app.page.setDefaultTimeout(20_000);
      await app.page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      await expect.poll(() => counts(app!.page)).toMatchObject({ decided: 0 });
      return app.page;
    }

    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail' && app !== null) {
        const screenshot = path.join(tmpdir(), `winnow-modes-${task.name.slice(0, 10).replaceAll(/\W/g, '-')}.png`);
        await app.page.screenshot({ path: screenshot }).catch(() => undefined);
        console.log(`screenshot: ${screenshot}\n${app.log()}`);
      }
      await app?.close();
      app = null;
    });

    test('grid: ranges, single ones, sizes, search, and looking again at what was decided', async () => {
      const page = await open();
      const { total } = await counts(page);
      for (let step = 0; step < 3; step += 1) await page.keyboard.press('Shift+ArrowRight');
      await page.keyboard.press('c');
      await expect.poll(() => counts(page)).toEqual({ decided: 4, total });
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('v');
      await page.keyboard.press('ArrowRight');
      await page.keyboard.press('v');
      await page.keyboard.press('d');
      await expect.poll(async () => (await counts(page)).decided).toBeGreaterThan(4);
      const after = await counts(page);
      await page.keyboard.press('z');
      await expect.poll(() => counts(page)).toEqual({ decided: 4, total });
      await page.keyboard.press('Shift+Z');
      await expect.poll(() => counts(page)).toEqual(after);
      for (const key of ['+', '+', '-']) await page.keyboard.press(key);

      await page.keyboard.press('/');
      await page.keyboard.type('state:confirmed ');
      await page.keyboard.press('Enter');
      await expect.poll(() => counts(page)).toEqual({ decided: 4, total: 4 });
      await page.keyboard.press('Escape');
      await page.keyboard.press('u');
      await expect.poll(async () => (await counts(page)).decided).toBe(3);
    });

    test('one image: decide, zoom, compare with examples, hold a key', async () => {
      const page = await open();
      await page.keyboard.press('e');
      const stage = page.getByRole('region', { name: 'Current image' });
      await stage.locator('[data-sample] img').waitFor();
      const width = (): Promise<number> =>
        stage.locator('[data-sample] img').evaluate((image) => image.getBoundingClientRect().width);
      const before = await width();
      await page.keyboard.press('+');
      await page.keyboard.press('+');
      await expect.poll(width).toBeGreaterThan(before);
      await page.keyboard.press('x');
      await page.keyboard.press('w');
      await page.keyboard.press('w');
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await counts(page)).decided).toBe(1);
      // Held down: every picture is shown before it is decided.
      await page.keyboard.down('c');
      for (let repeat = 0; repeat < 12; repeat += 1) {
        await page.waitForTimeout(60);
        await page.keyboard.down('c');
      }
      await page.keyboard.up('c');
      await expect.poll(async () => (await counts(page)).decided).toBeGreaterThan(2);
    });

    test('pairs: a cell of the matrix is decided as a whole and taken back by one undo', async () => {
      const page = await open();
      const { total } = await counts(page);
      await page.keyboard.press('p');
      const matrix = page.getByRole('grid', { name: 'Given labels by suggested labels' });
      await matrix.waitFor();
      await page.keyboard.press('Enter');
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      await expect.poll(async () => (await counts(page)).total).toBeLessThan(total);
      const cell = await counts(page);
      await page.getByText(`${cell.total} selected`).first().waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(() => counts(page)).toEqual({ decided: cell.total, total: cell.total });
      await page.keyboard.press('z');
      await expect.poll(() => counts(page)).toEqual({ decided: 0, total: cell.total });
      await page.keyboard.press('Escape');
      if ((await matrix.count()) === 0) await page.keyboard.press('Escape');
      await matrix.waitFor();
      await expect.poll(() => counts(page)).toEqual({ decided: 0, total });
    });

    test('clusters: nearly identical images are decided together', async () => {
      const page = await open();
      await page.keyboard.press('l');
      const clusters = page.getByRole('listbox', { name: /cluster/i });
      await clusters.waitFor({ timeout: 60_000 });
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowUp');
      await page.keyboard.press('c');
      await page.getByRole('button', { name: /^Undo: Confirm [2-9]\d* images/ }).waitFor();
      await page.keyboard.press('z');
      await page.getByRole('button', { name: 'Nothing to undo' }).waitFor();
    });

    test('map: what is in sight becomes the queue', async () => {
      const page = await open();
      await page.keyboard.press('m');
      const map = page.getByRole('application', { name: /^Map of 300 images/ });
      await map.waitFor();
      await map.locator('canvas').waitFor();
      await page.getByText(/^300 images, \d+ in the queue$/).waitFor();
      for (const key of ['k', '+', '+', '+', 'ArrowLeft', 'ArrowUp', 'x', '+', '+']) await page.keyboard.press(key);
      await page.waitForTimeout(400);
      await page.keyboard.press('Enter');
      await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
      await expect.poll(async () => (await counts(page)).total).toBeLessThan(samples);
      expect((await counts(page)).total).toBeGreaterThan(0);
    });

    test('history: back to a moment and forward again; commands by name; keys of one’s own', async () => {
      const page = await open();
      for (let decided = 1; decided <= 4; decided += 1) {
        await page.keyboard.press('c');
        await expect.poll(async () => (await counts(page)).decided).toBe(decided);
      }
      await page.keyboard.press('h');
      const steps = page.getByRole('listbox', { name: 'Steps, newest first' });
      await steps.getByRole('option').nth(3).waitFor();
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('ArrowDown');
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await counts(page)).decided).toBe(2);
      await page.keyboard.press('Home');
      await page.getByRole('button', { name: 'Go forward to here' }).waitFor();
      await page.keyboard.press('Enter');
      await expect.poll(async () => (await counts(page)).decided).toBe(4);
      await page.keyboard.press('Escape');

      await page.keyboard.press('Control+k');
      await page.keyboard.type('go overview');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Overview', exact: true }).waitFor();
      await page.keyboard.press('Control+k');
      await page.keyboard.type('go to the classes');
      await page.keyboard.press('Enter');
      await page.getByRole('heading', { name: 'Classes', exact: true }).waitFor();
      await page.keyboard.press('?');
      await page.getByRole('dialog').getByText('Accept the suggested label').waitFor();
      await page.keyboard.press('Escape');
    });
  });
}

/** Decided images and all images of the queue, as the toolbar says. */
async function counts(page: Page): Promise<{ decided: number; total: number }> {
  const text = await page.getByRole('toolbar', { name: 'Review' }).innerText();
  const [, decided = '', total = ''] = /([\d,]+)\s+of\s+([\d,]+)\s+decided/.exec(text) ?? [];
  const number = (figure: string): number => Number(figure.replaceAll(',', ''));
  return { decided: number(decided), total: number(total) };
}
