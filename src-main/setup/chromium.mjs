import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { inRoot, say } from './place.mjs';
import { failureLine, run } from './run.mjs';

/**
 * A Chromium for the tests: one that is there, else Playwright's, else the distribution's.
 * @returns {Promise<string | null>} its path
 */
export async function ensureChromium(node) {
  const present = findChromium();
  if (present !== null) return present;
  say("Chromium: none is here; fetching Playwright's …");
  const download = await run(node, [inRoot('node_modules', 'playwright-core', 'cli.js'), 'install', 'chromium'], {
    seconds: 300,
  });
  const playwrights = playwrightChromium();
  if (playwrights !== null) return playwrights;
  const because = download.timedOut ? 'not within 300 s' : failureLine(download.output);
  if (process.getuid?.() !== 0 || !existsSync('/etc/debian_version')) {
    say(
      `Chromium: Playwright's could not be fetched (${because}), and this user cannot install the distribution's; the journeys in it are skipped.`,
    );
    return null;
  }
  say(`Chromium: Playwright's could not be fetched (${because}); installing the distribution's …`);
  const environment = { DEBIAN_FRONTEND: 'noninteractive' };
  await run('apt-get', ['update'], { seconds: 120, environment });
  const install = await run('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], {
    seconds: 600,
    environment,
  });
  const installed = findChromium();
  if (installed === null)
    say(`Chromium: apt-get could not install it (${failureLine(install.output)}); the journeys in it are skipped.`);
  return installed;
}

function findChromium() {
  const explicit = process.env.WINNOW_CHROMIUM;
  if (explicit) {
    if (existsSync(explicit)) return explicit;
    say(`Chromium: WINNOW_CHROMIUM names ${explicit}, which is not there; looking for another.`);
  }
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(path.delimiter).filter((folder) => folder !== '');
  const candidates = [
    ...names.flatMap((name) => folders.map((folder) => path.join(folder, name))),
    '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
    path.join(process.env.PROGRAMFILES ?? '', 'Google', 'Chrome', 'Application', 'chrome.exe'),
  ];
  return candidates.find((candidate) => path.isAbsolute(candidate) && existsSync(candidate)) ?? playwrightChromium();
}

function playwrightChromium() {
  const { chromium } = createRequire(import.meta.url)('playwright-core');
  const file = chromium.executablePath();
  return file && existsSync(file) ? file : null;
}
