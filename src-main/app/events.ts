import type { ApiEventName, ApiEvents } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';

type Listener<E extends ApiEventName> = (payload: ApiEvents[E]) => void;

/** Tells every listener of the service what has happened. */
export interface Events {
  emit<E extends ApiEventName>(event: E, payload: ApiEvents[E]): void;
  subscribe<E extends ApiEventName>(event: E, listener: Listener<E>): () => void;
}

/** A listener that throws is logged and disturbs neither the others nor the one who emits. */
export function createEvents(logger: Logger): Events {
  const listeners: { [E in ApiEventName]: Set<Listener<E>> } = {
    importProgress: new Set(),
    training: new Set(),
    projectChanged: new Set(),
    reviewChanged: new Set(),
    settingsChanged: new Set(),
    preparation: new Set(),
  };
  return {
    emit: (event, payload) => {
      for (const listener of listeners[event]) {
        try {
          listener(payload);
        } catch (error) {
          logger.error(`A listener of "${event}" failed`, error);
        }
      }
    },
    subscribe: (event, listener) => {
      // A wrapper of its own, so that one function may listen twice.
      const own: typeof listener = (payload) => listener(payload);
      listeners[event].add(own);
      return () => void listeners[event].delete(own);
    },
  };
}
