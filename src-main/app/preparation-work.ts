import { Worker } from 'node:worker_threads';
import type { LayoutInput } from './map-layout.ts';
import type { StoredPrints } from './print-file.ts';

/** What the thread of `preparation-worker.ts` is asked for, once in its life. */
export type WorkRequest = { kind: 'map'; input: LayoutInput } | { kind: 'groups'; prints: StoredPrints };

export type WorkReport = { kind: 'progress'; share: number } | { kind: 'done'; result: Float32Array | Int32Array };

export interface WorkOptions {
  /** Entry of the thread. */
  program: string;
  /** Moved to the thread; the caller cannot use them afterwards. */
  transfer: ArrayBuffer[];
  onProgress: (share: number) => void;
  signal: AbortSignal;
}

/** Places of a layout, `[n, 2]`. */
export function layOutInThread(input: LayoutInput, options: WorkOptions): Promise<Float32Array> {
  return runInThread({ kind: 'map', input }, options) as Promise<Float32Array>;
}

/** For each picture the index of the first of its group; see `groupNearDuplicates`. `[pictures]` */
export function groupInThread(prints: StoredPrints, options: WorkOptions): Promise<Int32Array> {
  return runInThread({ kind: 'groups', prints }, options) as Promise<Int32Array>;
}

/** Rejects when the thread throws or ends without an answer, and with the signal's reason when it is aborted; then the thread is gone. */
async function runInThread(
  request: WorkRequest,
  { program, transfer, onProgress, signal }: WorkOptions,
): Promise<Float32Array | Int32Array> {
  signal.throwIfAborted();
  const worker = new Worker(program, { execArgv: [] });
  let stop = (): void => undefined;
  try {
    return await new Promise((resolve, reject) => {
      stop = () => reject(signal.reason as Error);
      signal.addEventListener('abort', stop, { once: true });
      worker.on('message', (report: WorkReport) => {
        if (report.kind === 'done') resolve(report.result);
        else onProgress(report.share);
      });
      worker.once('error', reject);
      worker.once('exit', (code) => reject(new Error(`The thread ended with code ${code} before it was done.`)));
      worker.postMessage(request, transfer);
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
