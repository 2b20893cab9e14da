import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { app, dialog, ipcMain, MessageChannelMain, type BrowserWindow, type WebContents } from 'electron';
import { createLogger } from '../../../shared/logger.ts';
import { errorMessage } from '../../../shared/result.ts';
import { createClient, subscribeTo } from '../../../shared/transport.ts';
import { createCall } from '../call.ts';
import { openTarget, windowQuery } from '../open-target.ts';
import { dataFolder, programPaths } from '../paths.ts';
import type { ServiceMessage } from '../wire.ts';
import { showDialog } from './dialogs.ts';
import { setApplicationMenu } from './menu.ts';
import { createPortTransport } from './port-transport.ts';
import { superviseService, type ServiceSupervisor } from './service-supervisor.ts';
import { appOrigin, registerWindowScheme, serveWindow } from './window-protocol.ts';
import { createWindow, guardAllContents, guardSession } from './window.ts';

/* The Electron shell: it introduces the window to the service, and does nothing else of the app's work. */

const programFolder = path.dirname(fileURLToPath(import.meta.url));
const logger = createLogger((entry) => void process.stderr.write(`${entry}\n`));
// The shell is a client of the service itself, for its menu and for what the system asks it to open.
const transport = createPortTransport();
const call = createCall(createClient(transport));
const paths = programPaths(import.meta.url, app.isPackaged ? process.resourcesPath : null);

let supervisor: ServiceSupervisor | null = null;
let window: BrowserWindow | null = null;
let openProjectPath: string | null = null;
/** What the system asked to open before the window was there. */
let firstTarget = targetOfArguments(process.argv.slice(app.isPackaged ? 1 : 2));
let isTraining = false;
let mayStopTraining = false;
let hasEnded = false;

if (app.requestSingleInstanceLock()) run();
else app.quit();

function run(): void {
  registerWindowScheme();
  guardAllContents();
  app.on('second-instance', (_event, argv, workingFolder) => {
    window?.show();
    window?.focus();
    const target = targetOfArguments(argv.slice(app.isPackaged ? 1 : 2));
    if (target !== null) void openInWindow(path.resolve(workingFolder, target));
  });
  app.on('open-file', (event, file) => {
    event.preventDefault();
    if (window === null) firstTarget = file;
    else void openInWindow(file);
  });
  app.on('window-all-closed', () => app.quit());
  app.on('before-quit', (event) => {
    if (hasEnded || supervisor === null) return;
    event.preventDefault();
    if (!mayClose()) return;
    void supervisor.end().finally(() => {
      hasEnded = true;
      app.quit();
    });
  });
  ipcMain.on('winnow:connect', ({ sender, senderFrame }) => {
    // Only our own page, and only at the top, gets a way to the service.
    if (senderFrame?.parent === null && senderFrame.url.startsWith(`${appOrigin}/`)) connectWindow(sender);
  });
  subscribeTo(transport, 'projectChanged', (project) => {
    openProjectPath = project?.path ?? null;
    window?.setTitle(project === null ? 'Winnow' : `${project.name} – Winnow`);
    if (project !== null) app.addRecentDocument(project.path);
  });
  subscribeTo(transport, 'training', ({ kind }) => {
    isTraining = kind !== 'ended';
  });
  app.whenReady().then(start, fail);
}

function start(): void {
  guardSession();
  supervisor = superviseService({
    program: path.join(programFolder, 'service.js'),
    start: {
      version: paths.version,
      dataFolder: dataFolder(),
      nodePath: paths.nodePath,
      trainerProgram: paths.trainerProgram,
      workerProgram: paths.workerProgram,
    },
    logger,
    showDialog: (request) => showDialog(window, request),
    onStart: (isRestart) => void (isRestart ? resume() : openFirstWindow()).catch(fail),
    onDeath: onServiceDeath,
  });
  serveWindow(paths.rendererFolder, supervisor.readImage);
  setApplicationMenu(
    {
      openProject: () => void chooseAndOpen('project-file'),
      importFolder: () => void chooseAndOpen('folder'),
      closeProject: () => void attempt(() => call('closeProject', {})),
      undoDecision: () => void attempt(() => call('undo', {})),
      redoDecision: () => void attempt(() => call('redo', {})),
    },
    { isMac: process.platform === 'darwin', isPackaged: app.isPackaged },
  );
}

async function openFirstWindow(): Promise<void> {
  connectShell();
  const target = firstTarget;
  const opened = target === null ? undefined : await attempt(() => openTarget(call, target));
  window = createWindow(path.join(programFolder, 'preload.cjs'), windowQuery(opened?.folderToImport ?? null));
  window.on('close', (event) => {
    if (!mayClose()) event.preventDefault();
  });
  window.on('closed', () => {
    window = null;
  });
}

/** After a death: everybody is connected again, and what was open is opened again. */
async function resume(): Promise<void> {
  const project = openProjectPath;
  connectShell();
  if (project !== null) await attempt(() => call('openProject', { path: project }));
  if (window !== null) connectWindow(window.webContents);
}

/** Closing pauses a running training, so the person is asked once. */
function mayClose(): boolean {
  if (!isTraining || mayStopTraining || window === null) return true;
  const stop = 1;
  const answer = dialog.showMessageBoxSync(window, {
    type: 'question',
    message: 'Winnow is training. Pause it and close?',
    detail: 'It goes on from where it is when you resume it. What it has learned can be reviewed meanwhile.',
    buttons: ['Keep training', 'Pause and close'],
    defaultId: 0,
    cancelId: 0,
  });
  mayStopTraining = answer === stop;
  return mayStopTraining;
}

function onServiceDeath(lastWords: string, willRestart: boolean): void {
  transport.detach();
  isTraining = false;
  window?.webContents.send('winnow:lost');
  if (willRestart) return;
  dialog.showErrorBox(
    'Winnow’s service keeps stopping',
    `Every decision that was shown as saved is on disk. Close Winnow and start it again.\n\n${lastWords}`,
  );
}

function connectShell(): void {
  const { port1, port2 } = new MessageChannelMain();
  transport.attach({
    post: (message) => port1.postMessage(message),
    onMessage: (listener) => {
      port1.on('message', ({ data }) => listener(data as ServiceMessage));
      port1.start();
    },
  });
  supervisor?.connect(port2);
}

function connectWindow(contents: WebContents): void {
  const { port1, port2 } = new MessageChannelMain();
  supervisor?.connect(port1);
  contents.postMessage('winnow:port', null, [port2]);
}

async function chooseAndOpen(kind: 'folder' | 'project-file'): Promise<void> {
  const title = 'Choose a folder of labeled images';
  const choice = await showDialog(window, kind === 'folder' ? { kind, title } : { kind });
  if (choice.kind === 'chosen') await openInWindow(choice.path);
}

/** Begins the window anew, so that it shows where the work on what was opened stands. */
async function openInWindow(target: string): Promise<void> {
  const opened = await attempt(() => openTarget(call, target));
  if (opened !== undefined) await window?.loadURL(`${appOrigin}/${windowQuery(opened.folderToImport)}`);
}

/** Does what the menu or the system asked for; what goes wrong is told in a box. */
async function attempt<T>(action: () => Promise<T>): Promise<T | undefined> {
  try {
    return await action();
  } catch (error) {
    dialog.showErrorBox('Winnow', errorMessage(error));
    return undefined;
  }
}

function fail(error: unknown): void {
  logger.error('Winnow could not start', error);
  dialog.showErrorBox('Winnow could not start', errorMessage(error));
  app.exit(1);
}

/** Switches that begin with a dash are Chromium's. */
function targetOfArguments(values: string[]): string | null {
  return values.find((value) => !value.startsWith('-')) ?? null;
}
