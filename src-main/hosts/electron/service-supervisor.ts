import process from 'node:process';
import { utilityProcess, type MessagePortMain, type UtilityProcess } from 'electron';
import type { Choice } from '../../../shared/api.ts';
import type { Logger } from '../../../shared/logger.ts';
import type { ImageRequest } from '../image-request.ts';
import type { DialogRequest, ServedImage, ServiceCommand, ServiceNotice, ServiceStart } from './service-messages.ts';

export interface SupervisorOptions {
  /** Entry of the service process. */
  program: string;
  start: ServiceStart;
  logger: Logger;
  showDialog: (dialog: DialogRequest) => Promise<Choice>;
  /** The service runs, for the first time or again; clients are to be connected. */
  onStart: (isRestart: boolean) => void;
  /** The service died by itself. `lastWords` is the end of what it wrote to standard error. */
  onDeath: (lastWords: string, willRestart: boolean) => void;
}

export interface ServiceSupervisor {
  /** Hands a client's port to the service. */
  connect(port: MessagePortMain): void;
  /** Null if the open project has no such sample. Rejects when the service dies meanwhile. */
  readImage(request: ImageRequest): Promise<ServedImage | null>;
  /** Lets the service close its project and end. */
  end(): Promise<void>;
}

interface PendingImage {
  resolve: (image: ServedImage | null) => void;
  reject: (error: Error) => void;
}

/** A service that dies more often is broken, and starting it again would only flicker. */
const restartsPerMinute = 3;
const longestEndMs = 5000;
const lastWordsLength = 2000;

/** Keeps one service process running. */
export function superviseService(options: SupervisorOptions): ServiceSupervisor {
  const { program, start, logger, showDialog, onStart, onDeath } = options;
  const images = new Map<number, PendingImage>();
  const deaths: number[] = [];
  let nextImage = 1;
  let isEnding = false;
  let isRunning = false;
  let service = launch(false);

  function launch(isRestart: boolean): UtilityProcess {
    const child = utilityProcess.fork(program, [JSON.stringify(start)], {
      serviceName: 'Winnow service',
      stdio: ['ignore', 'inherit', 'pipe'],
    });
    let lastWords = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      process.stderr.write(chunk);
      lastWords = (lastWords + chunk.toString('utf8')).slice(-lastWordsLength);
    });
    child.on('message', (notice: ServiceNotice) => receive(child, notice));
    isRunning = true;
    child.once('spawn', () => onStart(isRestart));
    child.once('exit', (code) => {
      isRunning = false;
      for (const { reject } of images.values()) reject(new Error('The service ended.'));
      images.clear();
      if (isEnding) return;
      logger.error(`The service ended with code ${code}.`);
      const now = Date.now();
      deaths.push(now);
      const willRestart = deaths.filter((time) => now - time < 60_000).length <= restartsPerMinute;
      onDeath(lastWords.trim(), willRestart);
      if (willRestart) service = launch(true);
    });
    return child;
  }

  function receive(child: UtilityProcess, notice: ServiceNotice): void {
    if (notice.kind === 'image') {
      images.get(notice.id)?.resolve(notice.image);
      images.delete(notice.id);
      return;
    }
    showDialog(notice.dialog).then(
      (choice) => post(child, { kind: 'dialog-closed', id: notice.id, choice }),
      (error: unknown) => {
        logger.error('A dialog could not be shown', error);
        post(child, { kind: 'dialog-closed', id: notice.id, choice: { kind: 'cancelled' } });
      },
    );
  }

  return {
    connect: (port) => post(service, { kind: 'connect' }, [port]),
    readImage: (request) =>
      new Promise((resolve, reject) => {
        const id = nextImage++;
        images.set(id, { resolve, reject });
        post(service, { kind: 'read-image', id, request });
      }),
    end() {
      isEnding = true;
      return new Promise((resolve) => {
        if (!isRunning) {
          resolve();
          return;
        }
        const forced = setTimeout(() => service.kill(), longestEndMs);
        service.once('exit', () => {
          clearTimeout(forced);
          resolve();
        });
        post(service, { kind: 'end' });
      });
    },
  };
}

function post(child: UtilityProcess, command: ServiceCommand, ports: MessagePortMain[] = []): void {
  child.postMessage(command, ports);
}
