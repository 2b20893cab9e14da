import { EventEmitter } from 'node:events';
import process from 'node:process';
import type { UtilityMessage } from './ports.ts';

/* Loaded before the service process: gives it the `process.parentPort` that Electron's utility processes have. */

class ChildPort extends EventEmitter {
  readonly id: number;
  #started = false;
  #waiting: unknown[] = [];

  constructor(id: number) {
    super();
    this.id = id;
  }

  postMessage(data: unknown): void {
    send({ kind: 'port', port: this.id, data });
  }

  start(): void {
    this.#started = true;
    for (const data of this.#waiting.splice(0)) this.emit('message', { data, ports: [] });
  }

  close(): void {
    send({ kind: 'port-closed', port: this.id });
  }

  receive(data: unknown): void {
    if (this.#started) this.emit('message', { data, ports: [] });
    else this.#waiting.push(data);
  }
}

const ports = new Map<number, ChildPort>();
const parentPort = Object.assign(new EventEmitter(), {
  postMessage: (data: unknown) => send({ kind: 'message', data, ports: [] }),
});
const early: unknown[] = [];
parentPort.on('newListener', (event: string) => {
  if (event === 'message')
    setImmediate(() => early.splice(0).forEach((message) => parentPort.emit('message', message)));
});
Object.defineProperty(process, 'parentPort', { value: parentPort });

process.on('message', (message: UtilityMessage) => {
  switch (message.kind) {
    case 'message': {
      const received = message.ports.map((id) => new ChildPort(id));
      for (const port of received) ports.set(port.id, port);
      const event = { data: message.data, ports: received };
      if (parentPort.listenerCount('message') > 0) parentPort.emit('message', event);
      else early.push(event);
      break;
    }
    case 'port':
      ports.get(message.port)?.receive(message.data);
      break;
    case 'port-closed':
      ports.get(message.port)?.emit('close');
      ports.delete(message.port);
  }
});
// A utility process ends with its browser process.
process.on('disconnect', () => process.exit(0));

function send(message: UtilityMessage): void {
  process.send?.(message);
}
