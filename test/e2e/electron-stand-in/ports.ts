import { EventEmitter } from 'node:events';

/** Moves the messages of a port that was handed to another process or page. */
export interface RemoteEnd {
  /** The remote end has posted. */
  post(message: unknown): void;
  /** The remote end is gone. */
  close(): void;
}

/** One end of a message channel; what arrives before `start` waits. */
export class StandInPort extends EventEmitter {
  #other: StandInPort | null = null;
  #sink: ((message: unknown) => void) | null = null;
  #waiting: unknown[] = [];

  static pair(): [StandInPort, StandInPort] {
    const [one, other] = [new StandInPort(), new StandInPort()];
    one.#other = other;
    other.#other = one;
    return [one, other];
  }

  postMessage(message: unknown): void {
    // As Electron does: the other side gets a copy, and what cannot be cloned throws here.
    this.#other?.deliver(structuredClone(message));
  }

  start(): void {
    this.#open((data) => this.emit('message', { data, ports: [] }));
  }

  close(): void {
    const other = this.#other;
    this.#other = null;
    if (other === null) return;
    other.#other = null;
    other.emit('close');
  }

  /** Hands this end to someone else; `deliver` brings what is posted to it. */
  transfer(deliver: (message: unknown) => void): RemoteEnd {
    this.#open(deliver);
    return { post: (message) => this.#other?.deliver(message), close: () => this.close() };
  }

  #open(sink: (message: unknown) => void): void {
    this.#sink = sink;
    for (const message of this.#waiting.splice(0)) sink(message);
  }

  /** Called by the other end. */
  deliver(message: unknown): void {
    // A port is never synchronous.
    setImmediate(() => {
      if (this.#sink === null) this.#waiting.push(message);
      else this.#sink(message);
    });
  }
}

/** What travels between the stand-in's main process and a utility process, over Node's IPC. */
export type UtilityMessage =
  | { kind: 'message'; data: unknown; ports: number[] }
  | { kind: 'port'; port: number; data: unknown }
  | { kind: 'port-closed'; port: number };
