import { existsSync } from 'node:fs';
import process from 'node:process';
import { chromium } from 'playwright-core';

/** The browser of the tests; undefined where there is none. */
export const chromiumPath = [process.env['WINNOW_CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()].find(
  (candidate) => candidate !== undefined && existsSync(candidate),
);

/** Chromium's own sandbox does not run as root. */
export const chromiumArguments = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
