import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import process from 'node:process';
import type { BrowserWindowConstructorOptions, OnBeforeRequestListenerDetails } from 'electron';
import { chromium, type Browser, type CDPSession, type Page } from 'playwright-core';
import {
  bindingName,
  isolatedWorld,
  isolatedWorldScript,
  mainWorldScript,
  packArrays,
  receiverName,
} from './page-scripts.ts';
import type { StandInPort } from './ports.ts';
import type { RemoteEnd } from './ports.ts';

/** Chromium cannot navigate to a scheme that it does not know, so pages of `winnow://app` lie under this origin. */
const pageOrigin = 'http://app.winnow.localhost';
const appOrigin = 'winnow://app';

export type ProtocolHandler = (request: Request) => Response | Promise<Response>;
type WindowOpenHandler = () => { action: 'deny' | 'allow' };
type RequestGuard = (
  details: Pick<OnBeforeRequestListenerDetails, 'url'>,
  answer: (response: { cancel?: boolean }) => void,
) => void;

type PageMessage = { kind: 'send'; channel: string; args: unknown[] } | { kind: 'port'; port: number; data: unknown };

/** What the modules of the stand-in share. */
export const state = {
  app: new EventEmitter(),
  ipcMain: new EventEmitter(),
  protocolHandlers: new Map<string, ProtocolHandler>(),
  requestGuard: null as RequestGuard | null,
  windows: new Set<StandInWindow>(),
};

let browser: Promise<Browser> | null = null;

class StandInContents extends EventEmitter {
  readonly window: StandInWindow;
  openHandler: WindowOpenHandler = () => ({ action: 'allow' });

  constructor(window: StandInWindow) {
    super();
    this.window = window;
  }

  setWindowOpenHandler(handler: WindowOpenHandler): void {
    this.openHandler = handler;
  }

  send(channel: string, ...args: unknown[]): void {
    this.window.deliver(channel, args, []);
  }

  postMessage(channel: string, message: unknown, transfer: StandInPort[] = []): void {
    this.window.deliver(channel, [message], transfer);
  }
}

/** A page of real Chromium with the real preload in an isolated world, and every request answered by the app's own protocol handler. */
export class StandInWindow extends EventEmitter {
  readonly webContents: StandInContents;
  readonly #options: BrowserWindowConstructorOptions;
  readonly #ports = new Map<number, RemoteEnd>();
  #page: Page | null = null;
  #session: CDPSession | null = null;
  #preloadContext: number | null = null;
  #nextPort = 1;
  /** The one navigation that the main process has asked for. */
  #expectedUrl: string | null = null;

  constructor(options: BrowserWindowConstructorOptions) {
    super();
    const { contextIsolation, sandbox, nodeIntegration } = options.webPreferences ?? {};
    if (contextIsolation !== true || sandbox !== true || nodeIntegration !== false) {
      throw new Error('The stand-in plays only isolated, sandboxed windows without Node.');
    }
    this.#options = options;
    this.webContents = new StandInContents(this);
    state.windows.add(this);
    state.app.emit('web-contents-created', {}, this.webContents);
  }

  async loadURL(url: string): Promise<void> {
    const page = (this.#page ??= await this.#open());
    this.#expectedUrl = toPageUrl(url);
    await page.goto(this.#expectedUrl, { waitUntil: 'commit' });
    this.emit('ready-to-show');
  }

  show(): void {
    this.emit('show');
  }

  focus(): void {
    this.emit('focus');
  }

  setTitle(title: string): void {
    this.emit('title', title);
  }

  deliver(channel: string, args: unknown[], transfer: StandInPort[]): void {
    const ports = transfer.map((port) => {
      const id = this.#nextPort++;
      this.#ports.set(
        id,
        port.transfer((data) => this.#evaluate({ kind: 'port', port: id, data })),
      );
      return id;
    });
    this.#evaluate({ kind: 'message', channel, args, ports });
  }

  async #open(): Promise<Page> {
    browser ??= chromium.connectOverCDP(process.env.WINNOW_STAND_IN_CHROMIUM ?? '');
    const context = (await browser).contexts()[0];
    if (context === undefined) throw new Error('Chromium has no context.');
    const page = await context.newPage();
    const session = await context.newCDPSession(page);
    this.#session = session;
    page.on('popup', (popup) => {
      if (this.webContents.openHandler().action === 'deny') void popup.close();
    });
    page.on('close', () => {
      for (const port of this.#ports.values()) port.close();
      state.windows.delete(this);
      this.emit('closed');
      if (state.windows.size === 0) state.app.emit('window-all-closed');
    });
    session.on('Runtime.executionContextCreated', ({ context: created }) => {
      if (created.name === isolatedWorld) this.#preloadContext = created.id;
    });
    session.on('Runtime.bindingCalled', ({ name, payload }) => {
      if (name === bindingName) this.#receive(JSON.parse(payload) as PageMessage);
    });
    session.on('Fetch.requestPaused', ({ requestId, request, resourceType, frameId: _frameId }) => {
      this.#answer(session, requestId, request.url, request.method, resourceType).catch(() =>
        // The page may be gone before its answer is.
        session.send('Fetch.failRequest', { requestId, errorReason: 'Failed' }).catch(() => undefined),
      );
    });
    await session.send('Runtime.enable');
    await session.send('Page.enable');
    await session.send('Runtime.addBinding', { name: bindingName, executionContextName: isolatedWorld });
    await session.send('Page.addScriptToEvaluateOnNewDocument', { source: mainWorldScript });
    const preload = readFileSync(this.#options.webPreferences?.preload ?? '', 'utf8');
    await session.send('Page.addScriptToEvaluateOnNewDocument', {
      source: isolatedWorldScript(preload),
      worldName: isolatedWorld,
    });
    await session.send('Fetch.enable', { patterns: [{ urlPattern: '*' }] });
    return page;
  }

  async #answer(
    session: CDPSession,
    requestId: string,
    pageUrl: string,
    method: string,
    resourceType: string,
  ): Promise<void> {
    if (resourceType === 'Document' && pageUrl !== this.#expectedUrl) {
      const event = createEvent();
      this.webContents.emit('will-navigate', event);
      if (event.defaultPrevented) {
        await session.send('Fetch.failRequest', { requestId, errorReason: 'Aborted' });
        return;
      }
    }
    const url = toAppUrl(pageUrl);
    const handler = state.protocolHandlers.get(new URL(url).protocol.slice(0, -1));
    if (handler === undefined) {
      let cancelled = false;
      state.requestGuard?.({ url }, ({ cancel }) => {
        cancelled = cancel === true;
      });
      if (cancelled) await session.send('Fetch.failRequest', { requestId, errorReason: 'BlockedByClient' });
      else await session.send('Fetch.continueRequest', { requestId });
      return;
    }
    const response = await handler(new Request(url, { method }));
    const body = Buffer.from(await response.arrayBuffer());
    await session.send('Fetch.fulfillRequest', {
      requestId,
      responseCode: response.status,
      responseHeaders: [...response.headers].map(([name, value]) => ({ name, value })),
      body: body.toString('base64'),
    });
  }

  #receive(message: PageMessage): void {
    if (message.kind === 'port') {
      this.#ports.get(message.port)?.post(message.data);
      return;
    }
    const senderFrame = { url: toAppUrl(this.#page?.url() ?? ''), parent: null };
    state.ipcMain.emit(message.channel, { sender: this.webContents, senderFrame }, ...message.args);
  }

  #evaluate(message: unknown): void {
    if (this.#preloadContext === null || this.#session === null) return;
    this.#session
      .send('Runtime.evaluate', {
        expression: `${receiverName}(${JSON.stringify(JSON.stringify(message, packArrays))})`,
        contextId: this.#preloadContext,
      })
      // The page may be closing.
      .catch(() => undefined);
  }
}

/** An event whose default a listener may prevent. */
export function createEvent(): { defaultPrevented: boolean; preventDefault(): void } {
  return {
    defaultPrevented: false,
    preventDefault() {
      this.defaultPrevented = true;
    },
  };
}

function toPageUrl(url: string): string {
  return url.startsWith(appOrigin) ? pageOrigin + url.slice(appOrigin.length) : url;
}

function toAppUrl(url: string): string {
  return url.startsWith(pageOrigin) ? appOrigin + url.slice(pageOrigin.length) : url;
}
