import type { ApiEventName } from '../../shared/api.ts';
import { failure, type Result } from '../../shared/result.ts';
import { createDispatcher } from '../../shared/transport.ts';
import type { Service } from '../app/service.ts';
import type { Logger } from '../../shared/logger.ts';
import type { ClientMessage, ServiceMessage } from './wire.ts';

/** One client of the service: what it sends goes into `receive`, answers and events come out of `send`. */
export interface Connection {
  receive(message: unknown): void;
  /** Stops the events; answers that are still under way are dropped. */
  close(): void;
}

/** A record, so that an event missing here does not compile. */
const eventNames: Record<ApiEventName, true> = {
  importProgress: true,
  training: true,
  projectChanged: true,
  reviewChanged: true,
  settingsChanged: true,
  preparation: true,
};

/** Serves one client over any channel of messages; used for the WebSocket and for Electron's port alike. */
export function createConnection(
  service: Service,
  logger: Logger,
  send: (message: ServiceMessage) => void,
): Connection {
  let open = true;
  const dispatch = createDispatcher(service.handlers, (method, error) => logger.error(`"${method}" failed`, error));
  const reply = (id: number, result: Result<unknown>): void => {
    if (open) send({ id, result });
  };
  const subscriptions = (Object.keys(eventNames) as ApiEventName[]).map((event) =>
    service.subscribe(event, (payload) => {
      if (open) send({ event, payload });
    }),
  );
  return {
    receive(message) {
      if (!isClientMessage(message)) {
        logger.warn('A client sent a message that is no request; it was ignored.');
        return;
      }
      const { id, method, input } = message;
      dispatch(method, input).then(
        (result) => reply(id, result),
        (error: unknown) => {
          logger.error(`"${method}" could not be answered`, error);
          reply(id, failure('internal', `"${method}" could not be answered.`));
        },
      );
    },
    close() {
      open = false;
      for (const unsubscribe of subscriptions) unsubscribe();
    },
  };
}

function isClientMessage(message: unknown): message is ClientMessage {
  if (typeof message !== 'object' || message === null) return false;
  const { id, method } = message as Record<string, unknown>;
  return typeof id === 'number' && Number.isSafeInteger(id) && typeof method === 'string';
}
