import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parse } from 'csv-parse/sync';
import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createHome } from '../support/home.ts';
import { drawPictures, type LabeledPicture } from '../support/pictures.ts';
import { electronHost, serveHost, standInHost, type OpenApp } from './hosts.ts';

/* What a person does with Winnow, in real windows: from a folder of pictures to a CSV of cleaned labels. */

const root = path.resolve(import.meta.dirname, '..', '..');
const minutes = 60_000;
let folder: string;
let pictures: LabeledPicture[];

beforeAll(async () => {
  // The journeys run what ships; a build of these very sources takes no time when it is there.
  execFileSync(process.execPath, [path.join(root, 'src-main', 'setup', 'build.mjs')]);
  folder = mkdtempSync(path.join(tmpdir(), 'winnow-journey-'));
  pictures = await drawPictures(path.join(folder, 'images'), 120, 10);
}, 2 * minutes);

afterAll(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 }));

for (const host of [electronHost, standInHost, serveHost]) {
  console.log(
    host.absentBecause === null
      ? `journeys run in ${host.name}`
      : `journeys do not run in ${host.name}: ${host.absentBecause}`,
  );

  describe.skipIf(host.absentBecause !== null)(`in ${host.name}`, () => {
    let app: OpenApp | null = null;
    let home: string;
    let project: string;

    beforeAll(() => {
      const own = mkdtempSync(path.join(folder, 'host-'));
      home = createHome(own);
      project = path.join(own, 'pictures.winnow');
    });

    afterEach(async ({ task }) => {
      if (task.result?.state === 'fail' && app !== null) {
        const screenshot = path.join(
          tmpdir(),
          `winnow-${host.name.replaceAll(' ', '-')}-${task.name.slice(0, 12)}.png`,
        );
        await app.page.screenshot({ path: screenshot }).catch(() => undefined);
        console.log(`screenshot: ${screenshot}\n${app.log()}`);
      }
      await app?.close();
      app = null;
    });

    async function open(target?: string): Promise<Page> {
      app = await host.open(home, target);
      app.page.setDefaultTimeout(15_000);
      return app.page;
    }

    test(
      'a folder becomes a project, is trained on, reviewed by keyboard, and exported',
      async () => {
        const page = await open(path.join(folder, 'images'));
        await importFolder(page, project);
        await trainQuickly(page);

        await page.getByRole('button', { name: 'Review the doubts' }).click();
        await showOneImage(page);
        const accepted = await decide(page, 'Enter');
        const kept = await decide(page, 'c');
        const dropped = await decide(page, 'd');
        const skipped = await decide(page, 's');
        await page.keyboard.press('t');
        await page.keyboard.type('zebra');
        const renamed = await decide(page, 'Enter');

        // Back over all five, and forward over the first four.
        for (const { path: before } of [renamed, skipped, dropped, kept, accepted]) {
          await page.keyboard.press('z');
          await expect.poll(() => currentPath(page)).toBe(before);
        }
        for (const { path: again } of [accepted, kept, dropped, skipped]) {
          await page.keyboard.press('Shift+Z');
          await expect.poll(() => currentPath(page)).toBe(again);
        }
        await page.getByRole('button', { name: 'Redo: Relabel 1 image to zebra' }).waitFor();

        const out = path.join(path.dirname(project), 'cleaned.csv');
        await page.getByRole('button', { name: 'Export', exact: true }).click();
        await page.getByLabel('File', { exact: true }).fill(out);
        await page.locator('form').getByRole('button', { name: 'Export', exact: true }).click();
        await page.getByRole('heading', { name: '120 rows written' }).waitFor();

        const rows: Record<string, string>[] = parse(readFileSync(out), { columns: true });
        const byFile = new Map(rows.map((row) => [row.file, row]));
        expect(rows).toHaveLength(120);
        expect(
          [accepted, kept, dropped, skipped, renamed].map(({ path: file }) => ({
            label: byFile.get(file)?.label,
            state: byFile.get(file)?.state,
          })),
        ).toEqual([
          { label: accepted.suggested, state: accepted.suggested === accepted.given ? 'confirmed' : 'relabeled' },
          { label: kept.given, state: 'confirmed' },
          { label: '', state: 'dropped' },
          { label: skipped.given, state: 'skipped' },
          { label: renamed.given, state: 'unreviewed' },
        ]);
      },
      4 * minutes,
    );

    test(
      'the service killed between two decisions has lost none of them',
      async () => {
        let page = await open(project);
        await showReview(page);
        const first = await decide(page, '2');
        const second = await decide(page, 'd');
        await app?.killService();
        if (host === serveHost) {
          app = null;
          page = await open(project);
          await showReview(page);
        } else {
          // The window says what happened, and comes back by itself.
          await page.getByText('Connection lost').waitFor();
          await page.getByText('Connection lost').waitFor({ state: 'hidden' });
          await expect.poll(() => currentPath(page)).not.toBe('');
        }
        for (const { path: before } of [second, first]) {
          await page.keyboard.press('z');
          await expect.poll(() => currentPath(page)).toBe(before);
        }
      },
      2 * minutes,
    );

    test(
      'a way to learn is chosen: with abstention, and what it sorts is accepted, taken back, and looked at',
      async () => {
        const page = await open(project);
        await page.getByRole('button', { name: 'Training', exact: true }).click();
        await page.getByRole('button', { name: 'Train again…' }).click();
        await page.getByText('Other ways to learn').click();
        await page.getByRole('radio', { name: /With abstention/ }).check();
        await trainQuickly(page, false);

        await page.getByRole('button', { name: 'Accept the sure ones' }).click();
        await page.getByText('Sorted by how much the model doubts each label.').waitFor();
        await page.getByRole('slider').press('End');
        for (let step = 0; step < 30; step += 1) await page.getByRole('slider').press('ArrowLeft');
        await page.getByRole('button', { name: 'Accept them…', disabled: false }).click();
        const question = await page.getByRole('dialog').getByRole('heading').innerText();
        const count = /Accept (\d+) labels unseen/.exec(question)?.[1];
        await page.getByRole('button', { name: `Accept ${count} labels`, exact: true }).click();
        await page.getByText(`${count} labels accepted.`).waitFor();
        await page.getByRole('button', { name: 'Undo', exact: true }).click();
        await page.getByRole('button', { name: 'Accept them…', disabled: false }).click();
        expect(await page.getByRole('dialog').getByRole('heading').innerText()).toBe(question);
        await page.keyboard.press('Escape');

        await page.getByRole('button', { name: 'Look at them' }).click();
        await showOneImage(page);
        await page.getByRole('heading', { name: 'Look-alikes' }).waitFor();
        await page.getByRole('button', { name: 'Take away “Left to look at”' }).click();
        await page.getByText(/ of 120 decided/).waitFor();
      },
      4 * minutes,
    );

    test(
      'images are learned first, without labels, and the labels from there',
      async () => {
        const page = await open(project);
        await page.getByRole('button', { name: 'Training', exact: true }).click();
        await page.getByRole('button', { name: 'Train again…' }).click();
        const others = page.getByText('Other ways to learn');
        await others.waitFor();
        const images = page.getByRole('radio', { name: /Images first/ });
        if ((await images.count()) === 0) await others.click();
        await images.check();
        await trainQuickly(page, false);
        await page.getByRole('img', { name: /^Variety of the representation by epoch/ }).waitFor();
        await page.getByRole('button', { name: 'Train on the labels from here' }).click();
        await page.getByText(/^the encoder of training \d+$/).waitFor();
        await trainQuickly(page, false);
        await page.getByRole('button', { name: 'Review the doubts' }).waitFor();
      },
      5 * minutes,
    );

    test.skipIf(process.platform !== 'linux')(
      'a trainer that dies is replaced by one that goes on; a training is paused, resumed and stopped',
      async () => {
        const page = await open(project);
        await page.getByRole('button', { name: 'Training', exact: true }).click();
        await page.getByRole('button', { name: 'Train again…' }).click();
        await page.getByRole('radio', { name: /Thorough/ }).check();
        await page.getByRole('button', { name: 'Start training' }).click();
        await page.getByText(/Epoch [2-9]\d* of/).waitFor({ timeout: 2 * minutes });
        process.kill(trainerPid(home), 'SIGKILL');
        await page.getByText(/SIGKILL.* in epoch \d+; a new one went on from the last full pass\./).waitFor();
        await page.getByRole('heading', { name: 'Training', exact: true }).waitFor();

        await page.keyboard.press('p');
        await page.getByRole('heading', { name: 'Training is paused' }).waitFor({ timeout: minutes });
        await page.keyboard.press('p');
        await page.getByRole('button', { name: 'Stop and keep what it learned' }).click();
        await page.getByRole('heading', { name: 'Training was stopped' }).waitFor({ timeout: minutes });
        await page.getByRole('button', { name: 'Train again…' }).click();
        await trainQuickly(page, false);
      },
      5 * minutes,
    );
  });
}

describe.skipIf(standInHost.absentBecause !== null)('the window of Electron', () => {
  let app: OpenApp;
  let home: string;

  beforeAll(async () => {
    home = createHome(mkdtempSync(path.join(folder, 'window-')));
    app = await standInHost.open(home);
  }, minutes);
  afterAll(() => app.close());

  test('has the transport and nothing else of Electron or Node', async () => {
    expect(
      await app.page.evaluate(() => ({
        winnow: Object.keys((globalThis as unknown as { winnow: object }).winnow),
        node: ['require', 'process', 'module', 'Buffer', 'electron'].filter((name) => name in globalThis),
      })),
    ).toEqual({ winnow: ['invoke', 'subscribe', 'pathForFile'], node: [] });
  });

  test('cannot leave its page, open another, or reach a network or a file', async () => {
    const { page } = app;
    const before = page.url();
    const outcome = await page.evaluate(async () => {
      const attempt = (url: string): Promise<string> =>
        fetch(url).then(
          ({ status }) => `answered ${status}`,
          () => 'refused',
        );
      globalThis.open('https://example.com/');
      const image = new Image();
      const loaded = new Promise((resolve) => {
        image.onload = () => resolve('loaded');
        image.onerror = () => resolve('refused');
      });
      image.src = 'https://example.com/pixel.png';
      return [
        await attempt('https://example.com/'),
        await attempt('file:///etc/passwd'),
        await attempt('winnow://sample/1'),
        await loaded,
      ];
    });
    expect(outcome).toEqual(['refused', 'refused', 'refused', 'refused']);
    await page.evaluate(() => {
      globalThis.location.href = 'https://example.com/';
    });
    await expect
      .poll(() =>
        page
          .context()
          .pages()
          .filter((other) => other.url().includes('example.com')),
      )
      .toEqual([]);
    expect(page.url()).toBe(before);
  });

  test('opens a project from the native menu, and says in a box what cannot be opened', async () => {
    app.control?.({ kind: 'answer-dialog', path: path.join(folder, 'absent.winnow') });
    app.control?.({ kind: 'click-menu', label: 'Open Project…' });
    await expect
      .poll(() => app.notices)
      .toContainEqual({ kind: 'error-box', title: 'Winnow', content: expect.stringContaining('absent.winnow') });

    app.control?.({ kind: 'answer-dialog', path: path.join(folder, 'images') });
    app.control?.({ kind: 'click-menu', label: 'Import a Folder…' });
    await expect.poll(() => app.page.getByLabel('Folder of images').inputValue()).toBe(path.join(folder, 'images'));
  });

  test(
    'asks before it ends a training, keeps what was learned, and opens it again from the menu',
    async () => {
      const { page } = app;
      await importFolder(page, path.join(folder, 'asked.winnow'));
      await page.getByRole('navigation').getByRole('button', { name: 'Training' }).click();
      await page.getByRole('radio', { name: /Thorough/ }).check();
      await page.getByRole('button', { name: 'Start training' }).click();
      await page.getByText(/Epoch [2-9]\d* of/).waitFor({ timeout: 2 * minutes });
      const question = { kind: 'question', message: 'Winnow is training. Pause it and close?' };
      app.control?.({ kind: 'quit' });
      await expect.poll(() => app.notices).toContainEqual(question);
      await page.getByText(/Epoch [3-9]\d* of/).waitFor();

      app.control?.({ kind: 'answer-question', button: 1 });
      await app.close();
      app = await standInHost.open(home, path.join(folder, 'asked.winnow'));
      await app.page.getByRole('navigation').getByRole('button', { name: 'Training' }).click();
      await app.page.getByRole('heading', { name: 'Training is paused' }).waitFor();
      await app.page.getByRole('button', { name: 'Review the doubts' }).waitFor();

      // Closed from the menu and opened again from there, it shows what is to be done.
      app.control?.({ kind: 'click-menu', label: 'Close Project' });
      await app.page.getByRole('heading', { name: 'Recent projects' }).waitFor();
      app.control?.({ kind: 'answer-dialog', path: path.join(folder, 'asked.winnow') });
      app.control?.({ kind: 'click-menu', label: 'Open Project…' });
      await app.page.getByRole('toolbar', { name: 'Review' }).waitFor();
    },
    4 * minutes,
  );
});

interface Decided {
  path: string;
  given: string;
  suggested: string;
}

async function importFolder(page: Page, project: string): Promise<void> {
  await page.getByRole('heading', { name: 'Import a folder' }).waitFor();
  expect(await page.getByLabel('Folder of images').inputValue()).toBe(path.join(folder, 'images'));
  // Text that is filled in at the very moment in which the suggestion arrives would be added to it.
  await expect.poll(() => page.getByLabel('Project file').inputValue()).not.toBe('');
  await page.getByLabel('Project file').fill(project);
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await page.getByRole('heading', { name: path.basename(project, '.winnow'), exact: true }).waitFor();
  expect(existsSync(project)).toBe(true);
}

async function trainQuickly(page: Page, fromImages = true): Promise<void> {
  if (fromImages) await page.getByRole('navigation').getByRole('button', { name: 'Training' }).click();
  await page.getByRole('radio', { name: /Quick/ }).check();
  await page.getByRole('button', { name: 'Start training' }).click();
  await page.getByRole('heading', { name: 'Training is finished' }).waitFor({ timeout: 3 * minutes });
}

async function showReview(page: Page): Promise<void> {
  await page.getByRole('navigation').getByRole('button', { name: 'Review' }).click();
  await showOneImage(page);
}

async function showOneImage(page: Page): Promise<void> {
  await page.getByRole('toolbar', { name: 'Review' }).waitFor();
  await expect.poll(() => currentPath(page)).not.toBe('');
  await page.keyboard.press('e');
  await page.getByRole('region', { name: 'Current image' }).waitFor();
  await pictureShown(page);
}

/** Presses a key that decides, and waits for the next picture. */
async function decide(page: Page, key: string): Promise<Decided> {
  const file = await currentPath(page);
  const picture = pictures.find((candidate) => candidate.path === file);
  if (picture === undefined) throw new Error(`The window shows "${file}", which was not drawn.`);
  const accept = await page.getByRole('region', { name: 'Decide' }).getByRole('button').first().innerText();
  const suggested = /(?:Accept: keep|Accept) (\w+)/.exec(accept)?.[1] ?? '';
  await page.keyboard.press(key);
  await expect.poll(() => currentPath(page)).not.toBe(file);
  await pictureShown(page);
  return { path: file, given: picture.given, suggested };
}

/** The path that the inspector shows; empty while there is none. */
async function currentPath(page: Page): Promise<string> {
  const shown = page.getByRole('complementary', { name: 'About the current image' }).locator('.path');
  return (await shown.count()) === 0 ? '' : ((await shown.getAttribute('title')) ?? '');
}

/** Waits until the full picture itself is on the stage, with its pixels. */
async function pictureShown(page: Page): Promise<void> {
  const picture = page.getByRole('region', { name: 'Current image' }).locator('[data-sample] img');
  await expect.poll(() => picture.evaluate((element: HTMLImageElement) => element.naturalWidth)).toBe(32);
}

/** The trainer of this test alone: the process that was started with this data folder. */
function trainerPid(home: string): number {
  const isTrainer = (pid: string): boolean => {
    try {
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      return (
        command.split('\0').some((argument) => argument.endsWith('trainer.js')) &&
        readFileSync(`/proc/${pid}/environ`, 'utf8').includes(`WINNOW_HOME=${home}`)
      );
    } catch {
      return false;
    }
  };
  const pid = readdirSync('/proc').find((name) => /^\d+$/.test(name) && isTrainer(name));
  if (pid === undefined) throw new Error('No trainer is running.');
  return Number(pid);
}
