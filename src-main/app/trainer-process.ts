import { fork } from 'node:child_process';
import type { Port, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';

/** A trainer that was started; a plain Node process of its own, so that a crashing driver takes only it along. */
export interface TrainerProcess extends Port<TrainerCommand, TrainerEvent> {
  /** Settles when the process has ended, however it did. */
  ended: Promise<TrainerExit>;
  kill(): void;
  pid: number | undefined;
}

export interface TrainerExit {
  code: number | null;
  signal: NodeJS.Signals | null;
  /** The end of what it wrote to standard error, without what engines and Node announce in every process. */
  lastWords: string;
}

const lastWordsLength = 2000;
/** Information of TensorFlow's log, and Node's notes on what is out of date. */
const announcement = /^(?:WARNING: All log messages before absl::|I\d{4} |\(node:\d+\) |\(Use `node --trace-).*\n?/gm;

export function startTrainerProcess({ nodePath, program }: { nodePath: string; program: string }): TrainerProcess {
  const child = fork(program, [], {
    execPath: nodePath,
    // The host's own flags (a debugger's port, a loader) are not the trainer's.
    execArgv: [],
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  let lastWords = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    lastWords = (lastWords + text).slice(-lastWordsLength);
  });
  const ended = new Promise<TrainerExit>((resolve) => {
    let failure = '';
    // 'close', not 'exit': only then has standard error been read to its end.
    child.once('close', (code, signal) =>
      resolve({ code, signal, lastWords: (failure + lastWords.replace(announcement, '')).trim() }),
    );
    child.once('error', (error) => {
      failure = `${error.message}\n`;
      // A process that never started never closes.
      if (child.pid === undefined) resolve({ code: null, signal: null, lastWords: failure.trim() });
    });
  });
  return {
    post: (command) => {
      // Sending to a process that has just died is answered by `ended`, not by a second error.
      if (child.connected) child.send(command, () => undefined);
    },
    onMessage: (listener) => void child.on('message', (message) => listener(message as TrainerEvent)),
    ended,
    kill: () => void child.kill('SIGKILL'),
    pid: child.pid,
  };
}
