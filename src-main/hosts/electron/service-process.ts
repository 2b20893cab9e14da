import process from 'node:process';
import type { MessagePortMain } from 'electron';
import type { Choice } from '../../../shared/api.ts';
import { createLogger } from '../../../shared/logger.ts';
import { createService } from '../../app/service.ts';
import { createConnection } from '../connection.ts';
import type { DialogRequest, ServiceCommand, ServiceNotice, ServiceStart } from './service-messages.ts';

/* Electron's utility process: the service, away from the windows, so that no query can freeze one. */

const start = JSON.parse(process.argv.at(-1) ?? '') as ServiceStart;
const logger = createLogger((entry) => void process.stderr.write(`${entry}\n`));
const openDialogs = new Map<number, (choice: Choice) => void>();
let nextDialog = 1;

const service = createService({
  ...start,
  host: 'electron',
  logger,
  shell: {
    chooseFolder: (title) => ask({ kind: 'folder', title }),
    chooseProjectFile: () => ask({ kind: 'project-file' }),
    chooseSavePath: (title, suggestedName) => ask({ kind: 'save', title, suggestedName }),
  },
});

process.parentPort.on('message', ({ data, ports }) => {
  const command = data as ServiceCommand;
  switch (command.kind) {
    case 'connect':
      if (ports[0] !== undefined) serveClient(ports[0]);
      break;
    case 'read-image':
      service.readImage(command.request.id, command.request.size).then(
        (image) => notify({ kind: 'image', id: command.id, image }),
        (error: unknown) => {
          logger.error(`Image ${command.request.id} could not be read`, error);
          notify({ kind: 'image', id: command.id, image: null });
        },
      );
      break;
    case 'dialog-closed':
      openDialogs.get(command.id)?.(command.choice);
      openDialogs.delete(command.id);
      break;
    case 'end':
      void service.close().finally(() => process.exit(0));
  }
});

function serveClient(port: MessagePortMain): void {
  const connection = createConnection(service, logger, (message) => port.postMessage(message));
  port.on('message', ({ data }) => connection.receive(data));
  port.on('close', () => connection.close());
  port.start();
}

function ask(dialog: DialogRequest): Promise<Choice> {
  return new Promise((resolve) => {
    const id = nextDialog++;
    openDialogs.set(id, resolve);
    notify({ kind: 'dialog', id, dialog });
  });
}

function notify(notice: ServiceNotice): void {
  process.parentPort.postMessage(notice);
}
