import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { WebSocket } from 'ws';
import { chromiumArguments, chromiumPath } from '../support/chromium.ts';

/*
 * A page that is driven by nothing but scripts in it. Playwright always watches a page's network, and for that Chromium keeps
 * what the page has loaded: 130 MB for some 20,000 small pictures.
 */

export interface PlainPage {
  /** Runs a function in the page, which can use nothing of its surroundings, and waits for what it promises. */
  evaluate<Argument, Result>(work: (argument: Argument) => Result, argument: Argument): Promise<Awaited<Result>>;
  /** A command of the DevTools protocol, to the page. */
  send(method: string, params?: object): Promise<unknown>;
  /** The processes that draw pages: this one, and those that Chromium keeps in reserve. */
  rendererPids(): Promise<number[]>;
  close(): Promise<void>;
}

/** Opens an address in a Chromium of its own, of the given size in pixels. */
export async function openPlainPage(url: string, size: { width: number; height: number }): Promise<PlainPage> {
  if (chromiumPath === undefined) throw new Error('There is no Chromium.');
  const profile = mkdtempSync(path.join(tmpdir(), 'winnow-chromium-'));
  const chromium = spawn(
    chromiumPath,
    [
      ...chromiumArguments,
      '--headless',
      '--no-first-run',
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      `--window-size=${size.width},${size.height}`,
      'about:blank',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  );
  const browser = await connect(await debuggerAddress(chromium.stderr));
  const { targetInfos } = (await browser.send('Target.getTargets')) as {
    targetInfos: { targetId: string; type: string; url: string }[];
  };
  const target = targetInfos.find(({ type, url: address }) => type === 'page' && address === 'about:blank');
  if (target === undefined) throw new Error('Chromium has opened no page.');
  const { sessionId } = (await browser.send('Target.attachToTarget', {
    targetId: target.targetId,
    flatten: true,
  })) as { sessionId: string };
  const send = (method: string, params: object = {}): Promise<unknown> => browser.send(method, params, sessionId);
  await send('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false });
  await send('Page.navigate', { url });
  return {
    rendererPids: async () => {
      const { processInfo } = (await browser.send('SystemInfo.getProcessInfo')) as {
        processInfo: { type: string; id: number }[];
      };
      return processInfo.filter(({ type }) => type === 'renderer').map(({ id }) => id);
    },
    send,
    evaluate: async (work, argument) => {
      const expression = `(${String(work)})(${JSON.stringify(argument)})`;
      const { result, exceptionDetails } = (await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
        userGesture: true,
      })) as { result: { value: never }; exceptionDetails?: { exception?: { description?: string } } };
      if (exceptionDetails !== undefined)
        throw new Error(exceptionDetails.exception?.description ?? 'The page failed.');
      return result.value;
    },
    close: async () => {
      browser.close();
      chromium.kill();
      await once(chromium, 'exit');
      rmSync(profile, { recursive: true, force: true, maxRetries: 3 });
    },
  };
}

/** Chromium writes it to its standard error once it listens. */
async function debuggerAddress(errors: NodeJS.ReadableStream): Promise<string> {
  for await (const line of createInterface({ input: errors })) {
    const address = /ws:\/\/\S+/.exec(line);
    if (address !== null) return address[0];
  }
  throw new Error('Chromium has ended.');
}

interface Connection {
  send(method: string, params?: object, sessionId?: string): Promise<unknown>;
  close(): void;
}

async function connect(address: string): Promise<Connection> {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  await once(socket, 'open');
  const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (reason: Error) => void }>();
  let latest = 0;
  socket.on('message', (data: Buffer) => {
    const message = JSON.parse(data.toString()) as { id?: number; result?: unknown; error?: { message: string } };
    const asked = message.id === undefined ? undefined : waiting.get(message.id);
    if (asked === undefined) return;
    waiting.delete(message.id!);
    if (message.error === undefined) asked.resolve(message.result);
    else asked.reject(new Error(message.error.message));
  });
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        latest += 1;
        waiting.set(latest, { resolve, reject });
        socket.send(JSON.stringify({ id: latest, method, params, ...(sessionId === undefined ? {} : { sessionId }) }));
      }),
    close: () => socket.close(),
  };
}
