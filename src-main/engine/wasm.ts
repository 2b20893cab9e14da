import * as tf from '@tensorflow/tfjs-core';
import { BackendWasm, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { interpret } from './program.ts';
import type { LoadedEngine } from './engines.ts';
import { registerKernels } from './wasm/kernels.ts';
import { createMachine } from './wasm/machine.ts';
import { instantiateTfjs } from './wasm/tfjs-module.ts';
import { startThreads } from './wasm/threads.ts';

/**
 * Makes WebAssembly tfjs's backend: no download, on every machine.
 * @param threads at most
 */
export async function loadWasm(threads = availableParallelism()): Promise<LoadedEngine> {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  const shared = await instantiateTfjs(
    new Uint8Array(await readFile(path.join(path.dirname(main), 'tfjs-backend-wasm-threaded-simd.wasm'))),
  );
  const pool = await startThreads(threads, shared.memory, shared.malloc);
  // In place of the package's own loader.
  tf.removeBackend('wasm');
  tf.registerBackend('wasm', () => {
    const backend = new BackendWasm(shared.tfjs);
    registerKernels(createMachine(backend, shared, pool));
    return backend;
  });
  if (!(await tf.setBackend('wasm'))) throw new Error('The WebAssembly backend did not start.');
  await tf.ready();
  const device = pool.count === 1 ? 'CPU, 1 thread' : `CPU, ${pool.count} threads`;
  return {
    name: 'wasm',
    device,
    precision: null,
    version: version_wasm,
    source: null,
    broken: null,
    compile: interpret,
  };
}
