import process from 'node:process';
import type {
  App,
  Dialog,
  MenuItem,
  MenuItemConstructorOptions,
  MessageBoxSyncOptions,
  MessageChannelMain as RealMessageChannelMain,
  Session,
} from 'electron';
import { createEvent, state, StandInWindow, type ProtocolHandler } from './browser-window.ts';
import type { ControlCommand, ControlNotice } from './control.ts';
import { StandInPort } from './ports.ts';
import { utilityProcess as standInUtilityProcess } from './utility-process.ts';

/*
 * The few Electron modules that Winnow's main process uses, played in plain Node with real Chromium for the window and a real child
 * process for the service. A test steers what a person would do outside the page, dialogs and the menu, by messages.
 */

const dialogAnswers: (string | null)[] = [];
const questionAnswers: number[] = [];
const services = new Set<{ kill(): boolean }>();
let menu: MenuItemConstructorOptions[] = [];

export const app = Object.assign(state.app, {
  isPackaged: false,
  requestSingleInstanceLock: () => true,
  whenReady: () => Promise.resolve(),
  addRecentDocument: (path: string) => notify({ kind: 'recent-document', path }),
  quit() {
    const event = createEvent();
    state.app.emit('before-quit', event);
    if (!event.defaultPrevented) process.exit(0);
  },
  exit: (code: number) => process.exit(code),
} satisfies Partial<App>);

export const BrowserWindow = StandInWindow;
export const ipcMain = state.ipcMain;
export const nativeTheme = { shouldUseDarkColors: false };

export const utilityProcess = {
  fork(...args: Parameters<typeof standInUtilityProcess.fork>) {
    const service = standInUtilityProcess.fork(...args);
    services.add(service);
    service.once('exit', () => services.delete(service));
    return service;
  },
};

export class MessageChannelMain implements Record<keyof RealMessageChannelMain, StandInPort> {
  readonly port1: StandInPort;
  readonly port2: StandInPort;

  constructor() {
    [this.port1, this.port2] = StandInPort.pair();
  }
}

export const protocol = {
  registerSchemesAsPrivileged: () => undefined,
  handle: (scheme: string, handler: ProtocolHandler) => void state.protocolHandlers.set(scheme, handler),
};

export const session = {
  defaultSession: {
    setPermissionRequestHandler: () => undefined,
    setPermissionCheckHandler: () => undefined,
    webRequest: {
      onBeforeRequest(_filter: unknown, guard: typeof state.requestGuard) {
        state.requestGuard = guard;
      },
    },
  } satisfies Partial<Record<keyof Session, unknown>>,
};

export const dialog = {
  async showOpenDialog() {
    const path = dialogAnswers.shift() ?? null;
    return { canceled: path === null, filePaths: path === null ? [] : [path] };
  },
  async showSaveDialog() {
    const path = dialogAnswers.shift() ?? null;
    return { canceled: path === null, filePath: path ?? '' };
  },
  showMessageBoxSync(...values: [window: unknown, options: MessageBoxSyncOptions] | [options: MessageBoxSyncOptions]) {
    notify({ kind: 'question', message: (values.at(-1) as MessageBoxSyncOptions).message });
    return questionAnswers.shift() ?? 0;
  },
  showErrorBox: (title: string, content: string) => notify({ kind: 'error-box', title, content }),
} satisfies Partial<Dialog>;

export const Menu = {
  buildFromTemplate: (template: MenuItemConstructorOptions[]) => template,
  setApplicationMenu(template: MenuItemConstructorOptions[]) {
    menu = template;
  },
};

process.on('message', (command: ControlCommand) => {
  switch (command.kind) {
    case 'answer-dialog':
      dialogAnswers.push(command.path);
      break;
    case 'answer-question':
      questionAnswers.push(command.button);
      break;
    case 'click-menu':
      clickMenu(command.label);
      break;
    case 'kill-service':
      for (const service of services) service.kill();
      break;
    case 'quit':
      app.quit();
  }
});
// The test that started this process is gone.
process.on('disconnect', () => process.exit(1));

function clickMenu(label: string): void {
  const items = menu.flatMap(({ submenu }) => (Array.isArray(submenu) ? submenu : []));
  const item = items.find((candidate) => candidate.label?.replaceAll('&', '') === label);
  if (item?.click === undefined) throw new Error(`The menu has no "${label}".`);
  item.click({} as MenuItem, undefined, {});
}

function notify(notice: ControlNotice): void {
  process.send?.(notice);
}
