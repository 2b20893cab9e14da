/*
 * How threads share a job: one ticket says which job is under way and which of its chunks is next, so that taking a chunk and making
 * sure that the job is still the same are one step. Threads that come late, or not at all, cost time and change nothing.
 */

/** Words of the control block. The ticket is 64 bits long: the next chunk below, the job's number above. */
export const control = { ticket: 0, job: 1, done: 2, chunks: 3, program: 4, arguments: 6, words: 40 } as const;

export type ChunkPrograms = readonly ((argumentsPointer: number, chunk: number, thread: number) => void)[];

/** What one thread needs to work on jobs. */
export interface Workplace {
  words: Int32Array;
  tickets: BigInt64Array;
  programs: ChunkPrograms;
  argumentsPointer: number;
  thread: number;
}

/**
 * @param pointer of the control block
 * @param programs of the module's exports, in the order of their indices
 */
export function createWorkplace(
  memory: WebAssembly.Memory,
  pointer: number,
  programs: ChunkPrograms,
  thread: number,
): Workplace {
  return {
    words: new Int32Array(memory.buffer, pointer, control.words),
    tickets: new BigInt64Array(memory.buffer, pointer, 1),
    programs,
    argumentsPointer: pointer + control.arguments * 4,
    thread,
  };
}

/** Does chunks of the job under way until none is left. */
export function workOnJob({ words, tickets, programs, argumentsPointer, thread }: Workplace): void {
  for (;;) {
    const ticket = Atomics.load(tickets, control.ticket);
    const chunk = Number(ticket & chunkMask);
    const chunks = Atomics.load(words, control.chunks);
    const program = Atomics.load(words, control.program);
    if (chunk >= chunks) return;
    // From here on the job cannot end before this chunk is done, so what was read of it holds.
    if (Atomics.compareExchange(tickets, control.ticket, ticket, ticket + 1n) !== ticket) continue;
    programs[program]!(argumentsPointer, chunk, thread);
    if (Atomics.add(words, control.done, 1) + 1 === chunks) Atomics.notify(words, control.done);
  }
}

/** Sets up a job of so many chunks; the arguments are in their place already. */
export function openJob({ words, tickets }: Workplace, program: number, chunks: number): void {
  const job = Atomics.load(tickets, control.ticket) >> chunkBits;
  Atomics.store(words, control.program, program);
  Atomics.store(words, control.chunks, chunks);
  Atomics.store(words, control.done, 0);
  Atomics.store(tickets, control.ticket, (job + 1n) << chunkBits);
  if (chunks > 1) Atomics.notify(words, control.job);
}

/** From here on nobody takes a chunk of the last job, so that the next can be written down. */
export function closeJob({ tickets }: Workplace): void {
  Atomics.or(tickets, control.ticket, chunkMask);
}

/**
 * Returns once the word differs from `value`. Looks at it for a while before it sleeps: jobs follow each other within
 * microseconds, and waking a thread takes longer.
 * @returns whether it did within the time
 */
export function waitWhile(words: Int32Array, word: number, value: number, milliseconds = Infinity): boolean {
  for (let look = 0; look < looksBeforeSleep; look++) if (Atomics.load(words, word) !== value) return true;
  return Atomics.wait(words, word, value, milliseconds) !== 'timed-out';
}

const chunkBits = 32n;
const chunkMask = 0xffffffffn;

/** Some 50 microseconds. */
const looksBeforeSleep = 5000;
