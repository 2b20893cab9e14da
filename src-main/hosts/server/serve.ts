import process from 'node:process';
import type { Logger } from '../../../shared/logger.ts';
import { createClient, createDispatcher } from '../../../shared/transport.ts';
import { createService } from '../../app/service.ts';
import { createCall } from '../call.ts';
import { openTarget, windowQuery } from '../open-target.ts';
import { dataFolder, programPaths } from '../paths.ts';
import { startServer } from './server.ts';
import { shellWithoutDialogs } from './shell.ts';

export interface ServeOptions {
  /** A project to open or a folder to import; null opens the home screen. */
  target: string | null;
  port: number | null;
  logger: Logger;
  /** Told the address once the server answers. */
  onListening: (url: string) => void;
}

/** `winnow serve`: the same interface as the app's, for a browser of this machine; ends with SIGINT or SIGTERM. */
export async function serve({ target, port, logger, onListening }: ServeOptions): Promise<void> {
  const { version, nodePath, trainerProgram, workerProgram, rendererFolder } = programPaths();
  const service = createService({
    host: 'server',
    version,
    dataFolder: dataFolder(),
    nodePath,
    trainerProgram,
    workerProgram,
    shell: shellWithoutDialogs,
    logger,
  });
  const ended = nextSignal();
  try {
    const invoke = createDispatcher(service.handlers, (method, error) => logger.error(`"${method}" failed`, error));
    const call = createCall(createClient({ invoke, subscribe: () => () => undefined }));
    const opened = target === null ? { folderToImport: null } : await openTarget(call, target);
    const firstPage = `/${windowQuery(opened.folderToImport)}`;
    const server = await startServer({ service, logger, rendererFolder, port, firstPage });
    onListening(server.url);
    await ended;
    await server.close();
  } finally {
    await service.close();
  }
}

/** Resolves at the first request to end. A second one of the same kind ends the process as the system would. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}
