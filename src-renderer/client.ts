import { decodeMessage } from '../shared/binary-message.ts';
import type { SampleId } from '../shared/domain.ts';
import { failure, type Result } from '../shared/result.ts';
import type { Transport } from '../shared/transport.ts';

/** What Electron's preload exposes. */
export interface HostBridge extends Transport {
  /** The path of a file or folder that was dropped on the window. */
  pathForFile(file: File): string;
}

export type ConnectionStatus = 'connecting' | 'open' | 'lost';

/** The way to the service, and what the host can do beyond it. */
export interface Link {
  transport: Transport;
  /** Calls back at once and on every change until the returned function is called. */
  watchConnection(listener: (status: ConnectionStatus) => void): () => void;
  /** Null where the host gives no path for a dropped file, as in a browser. */
  pathForFile: ((file: File) => string) | null;
}

declare global {
  interface Window {
    winnow?: HostBridge;
  }
}

/** Electron's bridge where there is one, else a WebSocket to the server that served this page. */
export function connect(): Link {
  const bridge = window.winnow;
  if (bridge !== undefined) {
    return {
      transport: bridge,
      watchConnection: (listener) => {
        listener('open');
        // The bridge's own event: the service process died, or runs again.
        return bridge.subscribe('connection', (status) => {
          listener(status as ConnectionStatus);
        });
      },
      pathForFile: (file) => bridge.pathForFile(file),
    };
  }
  const url = new URL('/api', window.location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  return connectSocket(url.href);
}

/** A link over one WebSocket that is opened again, with growing pauses, whenever it closes. */
export function connectSocket(url: string): Link & { close(): void } {
  const pending = new Map<number, Pending>();
  const eventListeners = new Map<string, Set<(payload: unknown) => void>>();
  const statusListeners = new Set<(status: ConnectionStatus) => void>();
  let socket: WebSocket | null = null;
  let status: ConnectionStatus = 'connecting';
  let nextId = 1;
  let attempt = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closed = false;

  function setStatus(next: ConnectionStatus): void {
    if (next === status) return;
    status = next;
    for (const listener of statusListeners) listener(next);
  }

  function open(): void {
    const opening = new WebSocket(url);
    opening.binaryType = 'arraybuffer';
    socket = opening;
    opening.addEventListener('open', () => {
      attempt = 0;
      for (const request of pending.values()) send(opening, request);
      setStatus('open');
    });
    opening.addEventListener('message', (event) => {
      receive(decodeMessage(event.data as string | ArrayBuffer) as ServerMessage);
    });
    opening.addEventListener('close', () => {
      if (closed) return;
      // What was sent may or may not have been done: only the service knows, so it is not sent twice.
      for (const [id, request] of pending) {
        if (!request.sent) continue;
        pending.delete(id);
        request.resolve(failure('internal', lostMessage));
      }
      setStatus('lost');
      retry = setTimeout(open, retryDelayMs(attempt));
      attempt += 1;
    });
  }

  function receive(message: ServerMessage): void {
    if ('event' in message) {
      for (const listener of eventListeners.get(message.event) ?? []) listener(message.payload);
      return;
    }
    const request = pending.get(message.id);
    pending.delete(message.id);
    request?.resolve(message.result);
  }

  open();
  return {
    transport: {
      invoke: (method, input) =>
        new Promise((resolve) => {
          // While the first connection is being made, calls wait for it; after a loss, they fail at once and say so.
          if (status === 'lost') {
            resolve(failure('internal', lostMessage));
            return;
          }
          const request: Pending = { id: nextId, method, input, resolve, sent: false };
          nextId += 1;
          pending.set(request.id, request);
          if (socket?.readyState === WebSocket.OPEN) send(socket, request);
        }),
      subscribe: (event, listener) => {
        const listeners = eventListeners.get(event) ?? new Set();
        listeners.add(listener);
        eventListeners.set(event, listeners);
        return () => listeners.delete(listener);
      },
    },
    watchConnection: (listener) => {
      statusListeners.add(listener);
      listener(status);
      return () => statusListeners.delete(listener);
    },
    pathForFile: null,
    close: () => {
      closed = true;
      clearTimeout(retry);
      socket?.close();
    },
  };
}

/** Address of a sample's picture. `version` changes with the file's content, so the picture can be cached for ever. */
export function imageUrl(id: SampleId, size: 'thumbnail' | 'full', version: string): string {
  const base = window.winnow === undefined ? `/image/${id}` : `winnow://sample/${id}`;
  return `${base}?size=${size}&v=${encodeURIComponent(version)}`;
}

/** Milliseconds to wait before the next try: 0.25 s, doubling to 5 s. */
export function retryDelayMs(attempt: number): number {
  return Math.min(5000, 250 * 2 ** attempt);
}

interface Pending {
  id: number;
  method: string;
  input: unknown;
  resolve: (result: Result<unknown>) => void;
  sent: boolean;
}

type ServerMessage = { id: number; result: Result<unknown> } | { event: string; payload: unknown };

const lostMessage = 'The connection to Winnow is lost. It is tried again by itself; check that the program still runs.';

function send(socket: WebSocket, request: Pending): void {
  request.sent = true;
  socket.send(JSON.stringify({ id: request.id, method: request.method, input: request.input }));
}
