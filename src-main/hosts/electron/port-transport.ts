import { failure, type Result } from '../../../shared/result.ts';
import type { Port } from '../../../shared/trainer-protocol.ts';
import type { Transport } from '../../../shared/transport.ts';
import type { ClientMessage, ServiceMessage } from '../wire.ts';

/** A transport whose other end may die and be replaced. */
export interface PortTransport extends Transport {
  /** From now on the service is reached through this port; requests that wait are sent. */
  attach(port: Port<ClientMessage, ServiceMessage>): void;
  /** The service is gone: what it had not answered fails, and so does what is asked until the next `attach`. */
  detach(): void;
}

interface PendingRequest {
  message: ClientMessage;
  resolve: (result: Result<unknown>) => void;
}

/** Event of the transport itself, not of the service: its payload is `lost` or `open`. */
export const connectionEvent = 'connection';

const lostMessage =
  'Winnow’s service stopped unexpectedly and is being started again. Every decision that was shown as saved is on disk; try again in a moment.';

/** Requests and answers over message ports, for the window's preload and for the main process alike. */
export function createPortTransport(): PortTransport {
  const pending = new Map<number, PendingRequest>();
  const listeners = new Map<string, Set<(payload: unknown) => void>>();
  let port: Port<ClientMessage, ServiceMessage> | null = null;
  let isLost = false;
  let nextId = 1;

  const emit = (event: string, payload: unknown): void => {
    for (const listener of listeners.get(event) ?? []) listener(payload);
  };
  const receive = (message: ServiceMessage): void => {
    if ('event' in message) {
      emit(message.event, message.payload);
      return;
    }
    const request = pending.get(message.id);
    pending.delete(message.id);
    request?.resolve(message.result);
  };
  return {
    invoke(method, input) {
      if (isLost) return Promise.resolve(failure('internal', lostMessage));
      return new Promise((resolve) => {
        const message = { id: nextId++, method, input };
        pending.set(message.id, { message, resolve });
        port?.post(message);
      });
    },
    subscribe(event, listener) {
      const ofEvent = listeners.get(event) ?? new Set();
      listeners.set(event, ofEvent.add(listener));
      return () => void ofEvent.delete(listener);
    },
    attach(attached) {
      port = attached;
      attached.onMessage((message) => {
        // Late words of a service that was given up must not answer anything.
        if (port === attached) receive(message);
      });
      // Before the first port, requests have only been kept.
      for (const { message } of pending.values()) attached.post(message);
      if (!isLost) return;
      isLost = false;
      emit(connectionEvent, 'open');
    },
    detach() {
      port = null;
      isLost = true;
      const failed = [...pending.values()];
      pending.clear();
      for (const { resolve } of failed) resolve(failure('internal', lostMessage));
      emit(connectionEvent, 'lost');
    },
  };
}
