import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import sharp from 'sharp';
import { startFakeServer } from './fake-server.ts';
import type { FakeOptions } from './fake-service.ts';

/* The window over the fake service, with plain pictures of four classes, for tests in real Chromium. */

export const chromiumPath = [process.env['WINNOW_CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()].find(
  (candidate) => candidate !== undefined && existsSync(candidate),
);

export function launchChromium(): Promise<Browser> {
  return chromium.launch({
    executablePath: chromiumPath ?? '',
    args: process.getuid?.() === 0 ? ['--no-sandbox'] : [],
  });
}

/** Serves the window, with a project of 120 pictures open. */
export async function startFakeWindow(
  options: Pick<FakeOptions, 'trained' | 'recipe'>,
): Promise<{ url: string; close(): Promise<void> }> {
  const folder = await mkdtemp(path.join(tmpdir(), 'winnow-window-'));
  const rows: string[] = [];
  for (const [index, name] of ['ant', 'bee', 'cat', 'dog'].entries()) {
    await mkdir(path.join(folder, 'images', name), { recursive: true });
    for (let number = 0; number < 30; number += 1) {
      const file = `${name}/${number}.jpg`;
      const background = { r: 40 * index, g: 8 * number, b: 90 };
      await sharp({ create: { width: 64, height: 48, channels: 3, background } })
        .jpeg()
        .toFile(path.join(folder, 'images', file));
      rows.push(`${file},${name}`);
    }
  }
  await writeFile(path.join(folder, 'labels.csv'), ['file,label', ...rows].join('\n'));
  const server = await startFakeServer({ ...options, folder, samples: null, open: true }, 0);
  return {
    url: server.url,
    close: async () => {
      await server.close();
      await rm(folder, { recursive: true });
    },
  };
}
