import { apiInputs, type ApiEventName, type ApiEvents, type ApiHandlers } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError } from '../../shared/result.ts';
import type { Service } from '../../src-main/app/service.ts';

/** A service of a few handlers, to test what carries messages rather than what answers them. */
export function createSmallService(
  handlers: Partial<ApiHandlers>,
  readImage: Service['readImage'] = () => Promise.resolve(null),
): Service & { emit<E extends ApiEventName>(event: E, payload: ApiEvents[E]): void; listeners(): number } {
  const listeners = new Map<string, Set<(payload: never) => void>>();
  const absent = Object.fromEntries(
    Object.keys(apiInputs).map((method) => [
      method,
      () => {
        throw new AppError('not-found', `${method} is not part of this test`);
      },
    ]),
  ) as unknown as ApiHandlers;
  return {
    handlers: { ...absent, ...handlers },
    subscribe(event, listener) {
      const ofEvent = listeners.get(event) ?? new Set();
      listeners.set(event, ofEvent.add(listener));
      return () => void ofEvent.delete(listener);
    },
    readImage,
    close: () => Promise.resolve(),
    emit(event, payload) {
      for (const listener of listeners.get(event) ?? []) listener(payload as never);
    },
    listeners: () => [...listeners.values()].reduce((count, { size }) => count + size, 0),
  };
}

/** Keeps what was logged. */
export function createMemoryLogger(): Logger & { lines: string[] } {
  const lines: string[] = [];
  return {
    lines,
    info: (message) => void lines.push(message),
    warn: (message) => void lines.push(message),
    error: (message) => void lines.push(message),
  };
}
