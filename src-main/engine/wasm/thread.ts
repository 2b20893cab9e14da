import { workerData } from 'node:worker_threads';
import { control, createWorkplace, waitWhile, workOnJob, type ChunkPrograms } from './thread-control.ts';

/* A thread of the WebAssembly engine: it works on whatever job is under way, until the process ends. */

export interface ThreadData {
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Names of the programs, in the order of their indices. */
  programs: string[];
  /** Where the control block lies. */
  pointer: number;
  thread: number;
}

const { module, memory, programs, pointer, thread } = workerData as ThreadData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
const ordered = programs.map((name) => exports[name]) as unknown as ChunkPrograms;
const workplace = createWorkplace(memory, pointer, ordered, thread);
for (;;) {
  const job = Atomics.load(workplace.words, control.job);
  workOnJob(workplace);
  waitWhile(workplace.words, control.job, job);
}
