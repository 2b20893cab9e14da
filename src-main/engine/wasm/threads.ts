import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { assemble } from './assembler.ts';
import { functions, type Program } from './programs.ts';
import {
  closeJob,
  control,
  createWorkplace,
  openJob,
  waitWhile,
  workOnJob,
  type ChunkPrograms,
} from './thread-control.ts';
import type { ThreadData } from './thread.ts';

export interface Threads {
  /** Threads that work, the calling one included. */
  readonly count: number;
  /** One more than the highest number that a thread may have. */
  readonly room: number;
  /** Runs a program for chunks 0 … chunks − 1 and returns when all are done. */
  run<Name extends string>(program: Program<Name>, values: Record<Name, number>, chunks: number): void;
}

/** Nobody waits so long for one chunk; a thread that fell silent must not hang the run for ever. */
const patienceMilliseconds = 60_000;

/**
 * Starts the threads. They end with the process and do not keep it alive. Those that cannot be had are done without.
 * @param count of all threads, the calling one included
 */
export async function startThreads(
  count: number,
  memory: WebAssembly.Memory,
  malloc: (bytes: number) => number,
): Promise<Threads> {
  const module = new WebAssembly.Module(assemble(functions));
  const names = functions.map(({ name }) => name);
  const { exports } = new WebAssembly.Instance(module, { env: { memory } });
  const pointer = malloc(control.words * 4);
  const workplace = createWorkplace(memory, pointer, names.map((name) => exports[name]) as unknown as ChunkPrograms, 0);
  const { words } = workplace;
  words.fill(0);
  const others = Array.from({ length: count - 1 }, async (_, index) => {
    const workerData: ThreadData = { module, memory, programs: names, pointer, thread: index + 1 };
    const worker = new Worker(threadFile(), { workerData });
    await once(worker, 'online');
    worker.unref();
  });
  const started = (await Promise.allSettled(others)).filter(({ status }) => status === 'fulfilled');
  return {
    count: 1 + started.length,
    room: count,
    run(program, values, chunks) {
      closeJob(workplace);
      program.names.forEach((name, index) => (words[control.arguments + index] = values[name]));
      openJob(workplace, names.indexOf(program.name), chunks);
      workOnJob(workplace);
      for (let done = 0; done < chunks; done = Atomics.load(words, control.done)) {
        if (!waitWhile(words, control.done, done, patienceMilliseconds)) {
          throw new Error('A thread of the WebAssembly engine does not answer any more.');
        }
      }
    },
  };
}

/** Beside this file: in the sources, or in the build, where it is a program of its own. */
function threadFile(): string {
  const isBuilt = !import.meta.url.endsWith('.ts');
  return fileURLToPath(new URL(isBuilt ? './engine-thread.js' : './thread.ts', import.meta.url));
}
