import { execFileSync } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { chromium, type Browser } from 'playwright-core';
import type { EngineReport } from '../../shared/domain.ts';
import { chromiumArguments, chromiumPath } from '../support/chromium.ts';
import { serveProject, type ServedProject } from '../support/serve-project.ts';
import { createSyntheticProject, type SyntheticOptions } from '../support/synthetic-project.ts';

/* The built window over the real service and a small synthetic project, for tests in real Chromium. */

export function launchChromium(): Promise<Browser> {
  return chromium.launch({ executablePath: chromiumPath ?? '', args: chromiumArguments });
}

/** Builds the window if its sources have changed since. */
export function buildWindow(): void {
  execFileSync(process.execPath, [path.join(import.meta.dirname, '..', '..', 'src-main', 'setup', 'build.mjs')]);
}

/** Serves the window with a project of its own open, of 120 samples in four classes unless the options say otherwise. */
export async function openWindow(
  options: Omit<SyntheticOptions, 'folder' | 'home' | 'samples'> & { samples?: number },
): Promise<Pick<ServedProject, 'url' | 'close'>> {
  const folder = await mkdtemp(path.join(tmpdir(), 'winnow-window-'));
  const home = path.join(folder, 'home');
  await mkdir(home);
  await writeFile(path.join(home, 'engine-speeds.json'), JSON.stringify(engineSpeeds));
  const { project } = await createSyntheticProject({
    samples: 120,
    classes: 4,
    epochs: 12,
    ...options,
    folder,
    home,
  });
  const { url, close } = await serveProject({ project, home });
  return {
    url,
    close: async () => {
      await close();
      await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
    },
  };
}

/**
 * What the service keeps once it has measured the engines. Plans are made by it, and to measure anew for every window would take longer
 * than the tests.
 */
const engineSpeeds: Record<string, EngineReport> = {
  tensorflow: {
    name: 'tensorflow',
    available: false,
    device: '',
    version: '',
    source: null,
    trainingGflops: null,
    absentBecause: 'it is left out of this test',
  },
  wasm: {
    name: 'wasm',
    available: true,
    device: 'CPU, 1 thread',
    version: '4.22.0',
    source: null,
    trainingGflops: 5,
    absentBecause: null,
  },
};
