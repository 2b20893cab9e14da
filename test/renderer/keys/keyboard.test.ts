import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chromiumPath } from '../../support/chromium.ts';
import { buildWindow, launchChromium, openWindow } from '../open-window.ts';

/* Searching, commands, keys and history with the keyboard alone, in real Chromium over the real service. */

describe.skipIf(chromiumPath === undefined)('with the keyboard alone', () => {
  let browser: Browser;
  let stop: (() => Promise<void>) | null = null;
  let page: Page;
  let complaints: string[];

  beforeAll(async () => {
    buildWindow();
    browser = await launchChromium();
  });
  beforeEach(async () => {
    const opened = await openWindow({ recipe: 'sat' });
    stop = opened.close;
    page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(15_000);
    complaints = [];
    page.on('pageerror', (error) => complaints.push(error.message));
    // A violation of the content security policy is an error in the console.
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(message.text());
    });
    await page.goto(`${opened.url}#review`);
    await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
    await page.getByRole('region', { name: 'Decide' }).waitFor();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await stop?.();
    expect(complaints).toEqual([]);
  });
  afterAll(() => browser.close());

  test('search: completed, wrong, put right, and back to the pictures', async () => {
    const suggested = await suggestedClass();
    await page.keyboard.press('/');
    const field = page.getByRole('combobox', { name: 'Search' });
    expect(await field.inputValue()).toBe('flagged ');
    await page.keyboard.press('Control+A');
    await page.keyboard.type(`given:${suggested.split(' ')[0]}`);
    await page.getByRole('listbox', { name: 'Completions' }).getByRole('option', { name: suggested }).waitFor();
    await page.keyboard.press('Enter');
    await expect.poll(() => field.inputValue()).toBe(`given:"${suggested}" `);
    await page.keyboard.type('state:lost ');
    await page.getByText('“lost” is no state.').waitFor();
    await page.keyboard.press('Enter');
    expect(await focusedName()).toBe('Search');
    for (let key = 0; key < 'state:lost '.length; key += 1) await page.keyboard.press('Backspace');
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName()).toBe('Samples in the queue');
    await page.getByText(/^0 of \d+ decided$/).waitFor();
    expect(await chips()).toEqual([`Given ${suggested}`]);
    await page.getByRole('button', { name: 'Clear the filters' }).press('Enter');
    await expect.poll(chips).toEqual(['Flagged']);
  });

  test('palette: a class is given, and a command that asks for words gets the focus', async () => {
    const suggested = await suggestedClass();
    await page.keyboard.press('Control+k');
    await page.getByRole('dialog', { name: 'Find a command' }).waitFor();
    await page.keyboard.type(`give ${suggested}`);
    await page.getByRole('option', { name: `Give class ${suggested}`, selected: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: `Undo: Relabel 1 image to ${suggested}` }).waitFor();
    expect(await focusedName()).toBe('Samples in the queue');

    await page.keyboard.press('Control+k');
    await page.keyboard.type('find class');
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Class', exact: true }).waitFor();
    await expect
      .poll(() => page.evaluate(() => document.activeElement?.getAttribute('placeholder')))
      .toBe('Type a class name');
    await page.keyboard.press('Escape');
    await page.keyboard.press('Control+k');
    await page.getByRole('option', { name: /^Find a class by typing/, selected: true }).waitFor();
  });

  test('a dialog keeps every key from what lies behind it', async () => {
    await page.keyboard.press('?');
    const dialog = page.getByRole('dialog', { name: 'Keys' });
    await dialog.waitFor();
    await dialog.getByRole('button', { name: 'Close' }).focus();
    for (const key of ['d', 's', 'c', '1', 'z']) await page.keyboard.press(key);
    await page.keyboard.press('Tab');
    expect(await page.evaluate(() => document.activeElement?.closest('[role="dialog"]') !== null)).toBe(true);
    await page.mouse.click(5, 690);
    await dialog.waitFor({ state: 'detached' });
    await page.getByText('Nothing to undo').waitFor();
    expect(await focusedName()).toBe('Samples in the queue');
  });

  test('keys: one is taken from another command and works at once, everywhere it is shown', async () => {
    await page.keyboard.press('?');
    await page.getByRole('button', { name: 'Change the keys…' }).press('Enter');
    await page.getByRole('button', { name: 'Add a key for “Drop the image from the data set”' }).press('Enter');
    await page.keyboard.press('s');
    await page.getByText('S already means “Skip it, to look at later”.').waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Take S away from “Drop the image from the data set”' }).waitFor();
    expect(await page.getByRole('button', { name: 'Take S away from “Skip it, to look at later”' }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Undo: Drop 1 image' }).waitFor();
    await page.reload();
    await page.getByRole('region', { name: 'Decide' }).waitFor();
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Undo: Drop 1 image' }).waitFor();
  });

  test('history: looked through, jumped back in and forward, and its images shown', async () => {
    for (const [key, done] of [
      ['d', 'Drop 1 image'],
      ['s', 'Skip 1 image'],
      ['c', 'Confirm 1 image'],
    ] as const) {
      await page.keyboard.press(key);
      await page.getByRole('button', { name: `Undo: ${done}` }).waitFor();
    }
    await page.keyboard.press('h');
    const steps = page.getByRole('listbox', { name: 'Steps, newest first' });
    await steps.getByRole('option', { selected: true, name: /^Confirm 1 image/ }).waitFor();
    await page.keyboard.press('End');
    await page.getByRole('button', { name: /^Go back to here/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Undo: Drop 1 image' }).waitFor();
    await steps.getByRole('option', { name: /^Confirm 1 image Undone/ }).waitFor();
    await page.keyboard.press('Home');
    await page.getByRole('button', { name: /^Go forward to here/ }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Undo: Confirm 1 image' }).waitFor();
    await page.keyboard.press('Space');
    await page.getByText('1 of 1 decided').waitFor();
    expect(await chips()).toEqual(['From the history']);
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedName()).toBe('Samples in the queue');
    await page.keyboard.press('h');
    await steps.waitFor({ state: 'detached' });
  });

  test('history: narrowed to one person, and all that they have decided found again and reopened', async () => {
    const decide = async (reviewer: string, key: string, done: string): Promise<void> => {
      await page.keyboard.press('Control+k');
      await page.keyboard.type('name of the reviewer');
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').getByRole('textbox').fill(reviewer);
      await page.keyboard.press('Enter');
      await page.getByRole('dialog').waitFor({ state: 'detached' });
      await page.keyboard.press(key);
      await page.getByRole('button', { name: `Undo: ${done}` }).waitFor();
    };
    await decide('Ada', 'd', 'Drop 1 image');
    await page.keyboard.press('s');
    await page.getByRole('button', { name: 'Undo: Skip 1 image' }).waitFor();
    await page.keyboard.press('h');
    const steps = page.getByRole('listbox', { name: 'Steps, newest first' });
    await steps.getByRole('option').nth(1).waitFor();
    expect(await page.getByRole('combobox', { name: /^Whose steps/ }).count()).toBe(0);
    await page.keyboard.press('Escape');
    await decide('Bob', 'c', 'Confirm 1 image');

    await page.getByRole('combobox', { name: 'Whose steps: Steps of everybody' }).press('Enter');
    await page.getByRole('option', { name: 'Ada', exact: true }).waitFor();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => focusedName()).toBe('Steps, newest first');
    await expect.poll(() => steps.getByRole('option').count()).toBe(2);
    await page.getByText('2 steps').waitFor();
    await steps.getByText('Now', { exact: true }).waitFor();
    // Bob has decided since, so that the newest step of hers is not now.
    await page.getByRole('button', { name: 'Go back to here' }).waitFor();
    await page.getByRole('button', { name: 'Show what Ada decided' }).press('Enter');
    await page.getByText('2 of 2 decided').waitFor();
    expect(await chips()).toEqual(['By Ada']);
    await page.keyboard.press('Escape');
    await expect.poll(() => focusedName()).toBe('Samples in the queue');
    await page.keyboard.press('Control+a');
    await page.keyboard.press('u');
    await page.getByText('0 of 2 decided').waitFor();
    await page.getByRole('button', { name: 'Undo: Reopen 2 images' }).waitFor();
  });

  /** The name is of two words, such as "red disc". */
  async function suggestedClass(): Promise<string> {
    const accept = page.getByRole('region', { name: 'Decide' }).getByRole('button').first();
    await expect.poll(() => accept.innerText()).toMatch(/^Accept/);
    return /^Accept(?:: keep)? (\w+ \w+)/.exec(await accept.innerText())?.[1] ?? '';
  }

  async function chips(): Promise<string[]> {
    const list = page.getByRole('list', { name: 'Filters that are on' });
    return (await list.count()) === 0 ? [] : list.getByRole('listitem').allInnerTexts();
  }

  function focusedName(): Promise<string | null | undefined> {
    return page.evaluate(() => document.activeElement?.getAttribute('aria-label'));
  }
});
