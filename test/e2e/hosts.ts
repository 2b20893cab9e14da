import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { _electron, chromium, type BrowserContext, type Page } from 'playwright-core';
import { chromiumArguments, chromiumPath } from '../support/chromium.ts';
import type { ControlCommand, ControlNotice } from './electron-stand-in/control.ts';

/* The journeys run over this interface, in whichever of the three hosts are here. */

export interface OpenApp {
  page: Page;
  /** What opens the app in another browser, too; null where only this page can have it. */
  url: string | null;
  /** Ends the process of the service at once, as a crash would. */
  killService(): Promise<void>;
  /** Ends the app as a person would. */
  close(): Promise<void>;
  /** Only where there are native menus and dialogs to steer. */
  control: ((command: ControlCommand) => void) | null;
  notices: ControlNotice[];
  /** What the app's processes wrote to standard error. */
  log(): string;
}

export interface JourneyHost {
  name: string;
  /** Why it cannot run here; null if it can. */
  absentBecause: string | null;
  /** `home` keeps recent projects and caches; `target` is a project or a folder. */
  open(home: string, target?: string): Promise<OpenApp>;
}

const root = path.resolve(import.meta.dirname, '..', '..');
const cli = path.join(root, 'dist', 'main', 'cli.js');
const electronMain = path.join(root, 'dist', 'main', 'electron-main.js');
const noChromium = chromiumPath === undefined ? 'there is no Chromium' : null;

export const serveHost: JourneyHost = {
  name: 'winnow serve in Chromium',
  absentBecause: noChromium,
  async open(home, target) {
    const server = spawn(process.execPath, [cli, 'serve', '--json', ...(target === undefined ? [] : [target])], {
      env: { ...process.env, WINNOW_HOME: home },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const log = collect(server);
    const url = await firstUrl(server, log);
    const browser = await chromium.launch({ executablePath: chromiumPath ?? '', args: chromiumArguments });
    const page = await browser.newPage();
    await page.goto(url);
    return {
      page,
      url,
      control: null,
      notices: [],
      log,
      async killService() {
        server.kill('SIGKILL');
        await ended(server);
        await browser.close();
      },
      async close() {
        await browser.close();
        server.kill('SIGTERM');
        await ended(server);
      },
    };
  },
};

export const standInHost: JourneyHost = {
  name: 'the Electron stand-in',
  absentBecause: noChromium,
  async open(home, target) {
    const profile = mkdtempSync(path.join(home, 'chromium-'));
    const context = await chromium.launchPersistentContext(profile, {
      executablePath: chromiumPath ?? '',
      args: [...chromiumArguments, '--remote-debugging-port=0'],
    });
    const port = readFileSync(path.join(profile, 'DevToolsActivePort'), 'utf8').split('\n')[0] ?? '';
    const register = fileURLToPath(new URL('./electron-stand-in/register.ts', import.meta.url));
    const opened = context.waitForEvent('page');
    const main = fork(electronMain, target === undefined ? [] : [target], {
      execArgv: ['--import', register],
      env: { ...process.env, WINNOW_HOME: home, WINNOW_STAND_IN_CHROMIUM: `http://127.0.0.1:${port}` },
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
    });
    const log = collect(main);
    const notices: ControlNotice[] = [];
    main.on('message', (notice: ControlNotice) => notices.push(notice));
    const page = await opened.catch((error: unknown) => {
      throw new Error(`The window did not open. ${log()}`, { cause: error });
    });
    await page.waitForURL('http://app.winnow.localhost/**');
    const control = (command: ControlCommand): void => void main.send(command);
    return {
      page,
      url: null,
      control,
      notices,
      log,
      async killService() {
        control({ kind: 'kill-service' });
      },
      async close() {
        if (main.exitCode === null) control({ kind: 'quit' });
        await ended(main);
        await closeContext(context, profile);
      },
    };
  },
};

const electronBinary = findElectron();

export const electronHost: JourneyHost = {
  name: 'Electron',
  absentBecause: electronObstacle(),
  async open(home, target) {
    const app = await _electron.launch({
      executablePath: electronBinary ?? '',
      args: [root, ...(target === undefined ? [] : [target])],
      env: { ...(process.env as Record<string, string>), WINNOW_HOME: home },
    });
    const page = await app.firstWindow();
    const main = app.process();
    const log = collect(main);
    return {
      page,
      url: null,
      control: null,
      notices: [],
      log,
      async killService() {
        await app.evaluate(({ app: electron }) => {
          const service = electron.getAppMetrics().find(({ name }) => name === 'Winnow service');
          if (service !== undefined) process.kill(service.pid, 'SIGKILL');
        });
      },
      close: () => app.close(),
    };
  },
};

/** Where Electron's installer has put its binary; null if it has not. */
function findElectron(): string | null {
  const folder = path.join(root, 'node_modules', 'electron');
  try {
    const binary = path.join(folder, 'dist', readFileSync(path.join(folder, 'path.txt'), 'utf8').trim());
    return existsSync(binary) ? binary : null;
  } catch {
    return null;
  }
}

function electronObstacle(): string | null {
  if (electronBinary === null) return 'its binary is not here';
  if (process.platform === 'linux' && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY)
    return 'there is no display';
  return process.getuid?.() === 0 ? 'its sandbox does not run as root' : null;
}

async function firstUrl(server: ChildProcess, log: () => string): Promise<string> {
  const { stdout } = server;
  if (stdout === null) throw new Error('winnow serve has no standard output.');
  let text = '';
  for await (const line of createInterface({ input: stdout })) {
    text += line;
    if (line === '}') return (JSON.parse(text) as { url: string }).url;
  }
  throw new Error(`winnow serve ended before it listened. ${log()}`);
}

function collect(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.on('data', (chunk: Buffer) => {
    text += chunk.toString();
  });
  return () => text;
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
}

async function closeContext(context: BrowserContext, profile: string): Promise<void> {
  await context.close();
  rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
}
