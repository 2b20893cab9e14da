import * as v from 'valibot';
import {
  apiInputs,
  type ApiClient,
  type ApiEventName,
  type ApiEvents,
  type ApiHandlers,
  type ApiMethod,
} from './api.ts';
import { failure, ok, toErrorValue, type Result } from './result.ts';

/** How a client reaches the service: MessagePort, WebSocket or in memory. */
export interface Transport {
  invoke(method: string, input: unknown): Promise<Result<unknown>>;
  /** Calls back for every event of that name until the returned function is called. */
  subscribe(event: string, listener: (payload: unknown) => void): () => void;
}

/** A client with the methods of `Api` over any transport. */
export function createClient(transport: Transport): ApiClient {
  return new Proxy({} as ApiClient, {
    get: (_target, method) =>
      typeof method === 'string' ? (input: unknown) => transport.invoke(method, input) : undefined,
  });
}

export function subscribeTo<E extends ApiEventName>(
  transport: Transport,
  event: E,
  listener: (payload: ApiEvents[E]) => void,
): () => void {
  return transport.subscribe(event, (payload) => listener(payload as ApiEvents[E]));
}

/**
 * The server's end: checks the method and its input, calls the handler, and turns anything thrown into an error value.
 * `onInternalError` hears of bugs (what was thrown and is no `AppError`), once.
 */
export function createDispatcher(
  handlers: ApiHandlers,
  onInternalError: (method: string, error: unknown) => void,
): (method: string, input: unknown) => Promise<Result<unknown>> {
  return async (method, input) => {
    if (!isApiMethod(method)) return failure('invalid-input', `There is no method "${method}".`);
    const parsed = v.safeParse(apiInputs[method], input);
    if (!parsed.success) {
      const where = v.getDotPath(parsed.issues[0]);
      return failure('invalid-input', `${method}${where === null ? '' : ` (${where})`}: ${parsed.issues[0].message}`);
    }
    try {
      return ok(await (handlers[method] as (input: unknown) => unknown)(parsed.output));
    } catch (error) {
      const value = toErrorValue(error);
      if (value.code === 'internal') onInternalError(method, error);
      return { ok: false, error: value };
    }
  };
}

export function isApiMethod(method: string): method is ApiMethod {
  return Object.hasOwn(apiInputs, method);
}
