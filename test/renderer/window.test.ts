import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { chromiumPath } from '../support/chromium.ts';
import { buildWindow, launchChromium, openWindow } from './open-window.ts';

/* What people do with the window, in real Chromium over the real service. */

describe.skipIf(chromiumPath === undefined)('in the window', () => {
  let browser: Browser;
  let stop: (() => Promise<void>) | null = null;

  beforeAll(async () => {
    buildWindow();
    browser = await launchChromium();
  });
  afterEach(async () => {
    for (const context of browser.contexts()) await context.close();
    await stop?.();
  });
  afterAll(() => browser.close());

  async function open(options: Parameters<typeof openWindow>[0], screen: string): Promise<Page> {
    const opened = await openWindow(options);
    stop = opened.close;
    const page = await browser.newPage({ viewport: { width: 1000, height: 700 }, reducedMotion: 'reduce' });
    page.setDefaultTimeout(15_000);
    await page.goto(`${opened.url}#${screen}`);
    return page;
  }

  test('triage by keyboard: choose how much, accept as one action, take it back, look at the rest', async () => {
    const page = await open({ recipe: 'sat' }, 'triage');
    const slider = page.getByRole('slider', { name: 'Share of the images to accept' });
    await slider.focus();
    await page.keyboard.press('Home');
    for (let step = 0; step < 50; step += 1) await page.keyboard.press('ArrowRight');
    expect(await slider.getAttribute('aria-valuetext')).toMatch(/^50.%: 60 images, about \d+ of them wrong$/);
    expect([await numbers(page, 'Accept these'), await numbers(page, 'Look at those')]).toEqual(['60', '60']);

    await page.getByRole('button', { name: 'Accept them…', disabled: false }).press('Enter');
    const question = page.getByRole('dialog', { name: 'Accept 60 labels unseen?' });
    await question.getByText('One undo').waitFor();
    await page.keyboard.press('Escape');
    await question.waitFor({ state: 'detached' });
    expect(await focused(page)).toBe('Accept them…');
    await page.keyboard.press('Enter');
    await question.waitFor();
    expect(await focused(page)).toBe('Accept 60 labels');
    await page.keyboard.press('Enter');
    await page.getByText('60 labels accepted.').waitFor();
    await expect.poll(() => focused(page)).toBe('Look at them');
    await page.getByText('All of these are decided.').waitFor();
    await page.getByRole('button', { name: 'Undo', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Accept them…', disabled: false }).waitFor();

    await page.getByRole('button', { name: 'Look at them' }).press('Enter');
    await page.getByText('0 of 60 decided').waitFor();
    await page.getByRole('button', { name: 'Take away “Left to look at”' }).press('Enter');
    await page.getByText('0 of 120 decided').waitFor();
  });

  test('tooltips: a name with its key on hover and on keyboard focus, a sentence that stays when clicked; one at a time', async () => {
    const page = await open({ recipe: 'sat' }, 'review');
    const tooltip = page.locator('.tooltip');
    const toolbar = page.getByRole('toolbar', { name: 'Review' });
    await toolbar.getByRole('button', { name: 'Filters' }).hover();
    await expect.poll(() => tooltip.allInnerTexts()).toEqual([expect.stringMatching(/^Filters\s+F$/)]);
    await toolbar.getByRole('button', { name: 'History' }).hover();
    await expect.poll(() => tooltip.allInnerTexts()).toEqual([expect.stringMatching(/^History/)]);
    const explained = page.getByRole('button', { name: 'Belief over the epochs' });
    await explained.hover();
    await expect.poll(() => tooltip.allInnerTexts()).toEqual([expect.stringMatching(/^The soft target of this image/)]);
    await explained.click();
    expect(await tooltip.count()).toBe(1);
    expect(
      await explained.evaluate(
        (element) => document.getElementById(element.getAttribute('aria-describedby') ?? '')?.innerText,
      ),
    ).toMatch(/^The soft target of this image/);
    await page.mouse.move(300, 400);
    await expect.poll(() => tooltip.count()).toBe(0);
    await page
      .getByRole('searchbox')
      .or(page.getByRole('combobox', { name: /^Search/ }))
      .first()
      .focus();
    await page.keyboard.press('Shift+Tab');
    await expect.poll(() => tooltip.allInnerTexts()).toEqual([expect.stringMatching(/^Filters/)]);
  });

  test('the status bar of a small window cuts nothing off that can be undone and redone', async () => {
    const page = await open({ recipe: 'sat' }, 'review');
    await page.getByRole('listbox', { name: 'Samples in the queue' }).waitFor();
    const cut = (): Promise<string[]> =>
      page
        .locator('footer .truncate')
        .evaluateAll((texts) =>
          texts.filter((text) => text.scrollWidth > text.clientWidth).map(({ textContent }) => textContent ?? ''),
        );
    await page.keyboard.press('Control+a');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: /^Undo: Accept the suggestion for \d+ images/ }).waitFor();
    await page.keyboard.press('z');
    await page.getByRole('button', { name: /^Redo: / }).waitFor();
    await page.getByRole('button', { name: 'Nothing to undo' }).waitFor();
    expect(await cut()).toEqual([]);
    await page.keyboard.press('Shift+Z');
    await page.getByRole('button', { name: /^Undo: Accept the suggestion for \d+ images/ }).waitFor();
    await page.keyboard.press('Control+a');
    await page.keyboard.press('c');
    await page.getByRole('button', { name: /^Undo: Confirm \d+ images/ }).waitFor();
    await page.keyboard.press('z');
    await page.getByRole('button', { name: /^Undo: Accept the suggestion for \d+ images/ }).waitFor();
    await page.getByRole('button', { name: /^Redo: Confirm/ }).waitFor();
    expect(await cut()).toEqual([]);
  });

  test('a screen that comes later is there when it is asked for, and says so when it cannot come', async () => {
    const page = await open({ recipe: 'sat' }, 'review');
    await page.route('**/assets/Export-*.js', (route) => route.abort());
    await page.reload();
    await page.getByRole('option').first().waitFor();
    const step = (name: string): Promise<void> =>
      page.getByRole('navigation', { name: 'Steps' }).getByRole('button', { name }).click();
    await step('Export');
    await page.getByText('This part of the window could not be loaded').waitFor();
    await page.unroute('**/assets/Export-*.js');
    await page.getByRole('button', { name: 'Load again' }).click();
    await page.getByRole('heading', { name: 'Export the cleaned labels' }).waitFor();
    await step('Classes');
    await page.getByRole('heading', { name: 'Classes', level: 1 }).waitFor();
  });

  test('an example of what would be accepted opens large, among its like', async () => {
    const page = await open({ recipe: 'selective' }, 'triage');
    const least = page.getByRole('region', { name: 'Accept these' }).getByRole('button', { name: /^Review/ });
    await least.first().click();
    await page.getByRole('region', { name: 'Current image' }).locator('[data-sample] img').waitFor();
    await page.getByRole('button', { name: 'Take away “Accepted unseen”' }).waitFor();
    await page.getByRole('button', { name: 'Cannot tell' }).waitFor();
  });

  test('a leap to an image of which nothing is known yet shows it, one at a time', async () => {
    const page = await open({ recipe: 'sat', samples: 600 }, 'review');
    await page.getByRole('button', { name: 'Take away “Flagged”' }).click();
    await page.getByText('of 600 decided').waitFor();
    await page.keyboard.press('e');
    const stage = page.locator('[data-sample]');
    await stage.locator('img').waitFor();
    const first = await stage.getAttribute('data-sample');
    await page.keyboard.press('End');
    await page.getByText('600 of 600', { exact: true }).waitFor();
    await expect.poll(() => stage.getAttribute('data-sample'), { timeout: 15_000 }).not.toBe(first);
  });

  test('a queue opens with the first undecided image on top', async () => {
    const page = await open({ recipe: 'sat', samples: 1000, decided: 30 }, 'review');
    const cell = page.getByRole('listbox', { name: 'Samples in the queue' }).locator('[aria-selected="true"]');
    await page.getByText('31 of', { exact: false }).waitFor();
    const top = (): Promise<number> =>
      cell.evaluate((element) => {
        return element.getBoundingClientRect().top - element.closest('[role="listbox"]')!.getBoundingClientRect().top;
      });
    await expect.poll(top, { timeout: 15_000 }).toBeLessThan(20);
  });

  test('a look-alike of the queue is gone to by a click', async () => {
    const page = await open({ recipe: 'sat' }, 'triage');
    await page.getByRole('slider').press('Home');
    await page.getByRole('button', { name: 'Look at them' }).click();
    const alike = page
      .getByRole('region', { name: 'Look-alikes' })
      .getByRole('button', { name: /^Open/, disabled: false });
    const wanted = await alike.first().getAttribute('title');
    await alike.first().click();
    await expect
      .poll(() => page.getByRole('complementary', { name: 'About the current image' }).locator('.path').innerText())
      .toBe(wanted);
  });

  test('the usual way to learn is chosen; others are out of the way, and the numbers stay the plan’s', async () => {
    // Many images and few of each class are what learning from the images first is suggested for.
    const page = await open({ recipe: null, samples: 2000, classes: 60, files: false }, 'training');
    await page.getByRole('radio', { name: /Self-adaptive training/, checked: true }).waitFor();
    await page.getByRole('radio', { name: /Images first .*Suggested:/ }).waitFor();
    expect(await page.getByRole('radio', { name: /With abstention/ }).count()).toBe(0);
    await page.getByText('Other ways to learn').click();
    await page.getByRole('radio', { name: /With abstention/ }).check();
    await page.getByText('Numbers by hand').click();
    const epochs = page.getByLabel('Epochs');
    await expect.poll(() => epochs.getAttribute('placeholder'), { timeout: firstPlanMilliseconds }).toMatch(/^\d+$/);
    const usual = await epochs.getAttribute('placeholder');
    await epochs.fill('5');
    await page.getByLabel('Belief moves from epoch').fill('9');
    await page.getByRole('alert').getByText('from epoch 9 on in a run of 5 epochs').waitFor();
    expect(await page.getByRole('button', { name: 'Start training' }).isDisabled()).toBe(true);
    await page.getByRole('button', { name: 'Leave the numbers to the plan' }).press('Enter');
    expect(await focused(page)).toBe('The plan');
    await page.getByText(`${usual} epochs`, { exact: true }).waitFor();
    expect(await epochs.inputValue()).toBe('');

    await page.getByRole('radio', { name: /Images first/ }).check();
    await page.getByText('This way to learn does without it.').waitFor();
    expect(await page.getByLabel('Belief moves from epoch').isDisabled()).toBe(true);
  }, 240_000);

  test('what was learned without labels is shown as such, and leads to a training on the labels', async () => {
    const page = await open({ recipe: 'pretrain' }, 'training');
    await page.getByRole('img', { name: /^Variety of the representation by epoch/ }).waitFor();
    expect(await page.getByText('Agrees with given labels').count()).toBe(0);
    await page.getByRole('button', { name: 'Train on the labels from here' }).click();
    await expect.poll(() => focused(page)).toBe('Train on the labels');
    await page.getByRole('radio', { name: /Self-adaptive training/, checked: true }).waitFor();
    await page.getByText('the encoder of training 1').waitFor({ timeout: firstPlanMilliseconds });
    await page.getByRole('button', { name: 'Begin from nothing instead' }).click();
    await page.getByText('random weights').waitFor();
  }, 240_000);
});

/** The first plan on a machine waits until its engines are measured, here while other tests train on them. */
const firstPlanMilliseconds = 150_000;

/** The number of images that a side of the triage shows. */
async function numbers(page: Page, side: string): Promise<string> {
  return page.getByRole('region', { name: side }).locator('.main dd').first().innerText();
}

/** The words of what has the focus. */
function focused(page: Page): Promise<string | undefined> {
  return page.evaluate(() => document.activeElement?.textContent.trim());
}
