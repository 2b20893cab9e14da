import { fork, type ChildProcess } from 'node:child_process';
import { EventEmitter } from 'node:events';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { ForkOptions } from 'electron';
import type { StandInPort } from './ports.ts';
import type { RemoteEnd, UtilityMessage } from './ports.ts';

/** A real child process with the ports of Electron's utility process. */
class StandInUtilityProcess extends EventEmitter {
  readonly stderr: Readable | null;
  readonly #child: ChildProcess;
  readonly #ports = new Map<number, RemoteEnd>();
  #nextPort = 1;

  constructor(program: string, args: string[]) {
    super();
    this.#child = fork(program, args, {
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'pipe', 'ipc'],
      execArgv: ['--import', fileURLToPath(new URL('./utility-register.ts', import.meta.url))],
    });
    this.stderr = this.#child.stderr;
    this.#child.on('spawn', () => this.emit('spawn'));
    this.#child.on('message', (message: UtilityMessage) => {
      if (message.kind === 'message') this.emit('message', message.data);
      if (message.kind === 'port') this.#ports.get(message.port)?.post(message.data);
      if (message.kind === 'port-closed') this.#ports.get(message.port)?.close();
    });
    this.#child.on('exit', (code, signal) => {
      for (const port of this.#ports.values()) port.close();
      this.emit('exit', code ?? (signal === null ? 1 : 128));
    });
  }

  get pid(): number | undefined {
    return this.#child.exitCode === null && this.#child.signalCode === null ? this.#child.pid : undefined;
  }

  postMessage(data: unknown, transfer: StandInPort[] = []): void {
    const ports = transfer.map((port) => {
      const id = this.#nextPort++;
      this.#ports.set(
        id,
        port.transfer((message) => this.#send({ kind: 'port', port: id, data: message })),
      );
      port.once('close', () => this.#send({ kind: 'port-closed', port: id }));
      return id;
    });
    this.#send({ kind: 'message', data, ports });
  }

  kill(): boolean {
    return this.#child.kill('SIGKILL');
  }

  #send(message: UtilityMessage): void {
    if (this.#child.connected) this.#child.send(message);
  }
}

export const utilityProcess = {
  fork: (program: string, args: string[], _options: ForkOptions) => new StandInUtilityProcess(program, args),
};
