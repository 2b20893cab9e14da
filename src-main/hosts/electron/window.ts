import { app, BrowserWindow, nativeTheme, session } from 'electron';
import { appOrigin } from './window-protocol.ts';

/** The window shows our own page, isolated and without rights; it talks to the service through the preload's transport alone. */
export function createWindow(preload: string, query: string): BrowserWindow {
  const window = new BrowserWindow({
    title: 'Winnow',
    width: 1320,
    height: 880,
    minWidth: 760,
    minHeight: 520,
    show: false,
    backgroundColor: nativeTheme.shouldUseDarkColors ? '#16181c' : '#ffffff',
    webPreferences: {
      preload,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  window.once('ready-to-show', () => window.show());
  void window.loadURL(`${appOrigin}/${query}`);
  return window;
}

/** For every page of the app, whatever opens it: no other page, no other window, no permission, no network. */
export function guardAllContents(): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.on('will-navigate', (event) => event.preventDefault());
    contents.on('will-frame-navigate', (event) => event.preventDefault());
    contents.on('will-attach-webview', (event) => event.preventDefault());
    contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  });
}

/** Winnow works offline: whatever would leave the machine is stopped here, even if a page asked for it. */
export function guardSession(): void {
  const own = session.defaultSession;
  own.setPermissionRequestHandler((_contents, _permission, answer) => answer(false));
  own.setPermissionCheckHandler(() => false);
  own.webRequest.onBeforeRequest(
    { urls: ['http://*/*', 'https://*/*', 'ws://*/*', 'wss://*/*', 'ftp://*/*', 'file://*/*'] },
    (_details, answer) => answer({ cancel: true }),
  );
}
