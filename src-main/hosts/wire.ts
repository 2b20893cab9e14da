import type { Result } from '../../shared/result.ts';

/* What travels between a client and the service, over a WebSocket (as JSON) or over Electron's port (by structured clone). */

export interface ClientMessage {
  /** Chosen by the client; the answer carries it back. */
  id: number;
  method: string;
  input: unknown;
}

export type ServiceMessage = ServiceReply | ServiceEvent;

export interface ServiceReply {
  id: number;
  result: Result<unknown>;
}

export interface ServiceEvent {
  event: string;
  payload: unknown;
}
