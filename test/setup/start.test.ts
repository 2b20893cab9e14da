import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { findTensorflow } from '../../src-main/engine/provision/find.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';

const scripts = fileURLToPath(new URL('../../src-main/setup/', import.meta.url));

let home: string;
let child: ChildProcess | null = null;

beforeEach(() => {
  home = mkdtempSync(path.join(tmpdir(), 'winnow-start-'));
});

afterEach(async () => {
  if (child !== null && child.exitCode === null && child.signalCode === null) {
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }
  child = null;
  rmSync(home, { recursive: true, force: true });
});

// With a display and Electron's binary the same command opens a window; the journeys cover that.
test.runIf(process.platform === 'linux')(
  'npm start serves the interface within 3 s when everything is in place',
  async () => {
    await start();
    child?.kill('SIGTERM');
    await new Promise((resolve) => child?.once('exit', resolve));

    const began = Date.now();
    const output = await start();
    const seconds = (Date.now() - began) / 1000;

    expect(output).toMatch(/window cannot be opened: there is no display/);
    expect(seconds).toBeLessThan(3);
    const address = /http:\/\/\S+token=\S+/.exec(output)?.[0] ?? '';
    // The token is exchanged for a cookie, so that it does not stay in the address bar.
    const entrance = await fetch(address, { redirect: 'manual' });
    const cookie = entrance.headers.get('set-cookie')?.split(';')[0] ?? '';
    const page = await fetch(new URL('/', address), { headers: { cookie } });
    expect({ status: page.status, type: page.headers.get('content-type') }).toEqual({
      status: 200,
      type: expect.stringContaining('text/html'),
    });
  },
);

test('winnow passes arguments and exit codes through', async () => {
  expect(await exitCode('winnow.mjs', ['--version'])).toBe(0);
  expect(await exitCode('winnow.mjs', ['no-such-command'])).toBe(2);
});

/** Runs `npm start` without a display until it has printed its address. */
function start(): Promise<string> {
  child = spawn(process.execPath, [path.join(scripts, 'start.mjs')], {
    env: environment(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  return new Promise((resolve, reject) => {
    let output = '';
    const collect = (chunk: Buffer): void => {
      output += chunk.toString();
      if (/token=\S+\s/.test(output)) resolve(output);
    };
    child?.stdout?.on('data', collect);
    child?.stderr?.on('data', collect);
    child?.once('exit', (code) => reject(new Error(`start ended with ${code}: ${output}`)));
  });
}

function exitCode(script: string, programArguments: string[]): Promise<number | null> {
  const program = spawn(process.execPath, [path.join(scripts, script), ...programArguments], {
    env: environment(),
    stdio: 'ignore',
  });
  return new Promise((resolve) => program.once('exit', resolve));
}

/** A data folder of its own, on the engine that set-up has found for everybody, so that nothing is fetched. */
function environment(): NodeJS.ProcessEnv {
  const { DISPLAY: _display, WAYLAND_DISPLAY: _wayland, ...rest } = process.env;
  const engine = findTensorflow(engineFolderForTests());
  return { ...rest, WINNOW_HOME: home, ...(engine === null ? {} : { WINNOW_TENSORFLOW_DIR: engine.folder }) };
}
