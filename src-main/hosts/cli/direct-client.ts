import type { ApiEventName, ApiEvents } from '../../../shared/api.ts';
import { createClient, createDispatcher } from '../../../shared/transport.ts';
import { createService, type Service } from '../../app/service.ts';
import { createCall, type Call } from '../call.ts';
import { dataFolder, programPaths } from '../paths.ts';
import { shellWithoutDialogs } from '../server/shell.ts';
import { createCliLogger } from './logger.ts';

/** The service in this process: every method answers with its value or throws `AppError`. */
export interface DirectClient {
  call: Call;
  subscribe<E extends ApiEventName>(event: E, listener: (payload: ApiEvents[E]) => void): () => void;
  readImage: Service['readImage'];
}

/** Runs a command with the service and closes it whatever happens. Inputs are checked as for any other client. */
export async function withService<T>(run: (client: DirectClient) => Promise<T>): Promise<T> {
  const logger = createCliLogger();
  const { version, nodePath, trainerProgram, workerProgram } = programPaths();
  const service = createService({
    host: 'cli',
    version,
    dataFolder: dataFolder(),
    nodePath,
    trainerProgram,
    workerProgram,
    shell: shellWithoutDialogs,
    logger,
  });
  const invoke = createDispatcher(service.handlers, (method, error) => logger.error(`"${method}" failed`, error));
  const call = createCall(createClient({ invoke, subscribe: () => () => undefined }));
  try {
    return await run({
      call,
      subscribe: (event, listener) => service.subscribe(event, listener),
      readImage: (id, size) => service.readImage(id, size),
    });
  } finally {
    await service.close();
  }
}
