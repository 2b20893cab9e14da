import * as tf from '@tensorflow/tfjs-core';
import { setWasmPaths, version_wasm } from '@tensorflow/tfjs-backend-wasm';
import { createRequire } from 'node:module';
import { dirname, sep } from 'node:path';
import type { LoadedEngine } from './engines.ts';
import { registerWasmKernels } from './wasm-kernels.ts';

/** Makes WebAssembly tfjs's backend: no download, one thread, on every machine. */
export async function loadWasm(): Promise<LoadedEngine> {
  const main = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm');
  setWasmPaths(dirname(main) + sep);
  registerWasmKernels();
  if (!(await tf.setBackend('wasm'))) throw new Error('The WebAssembly backend did not start.');
  await tf.ready();
  return { name: 'wasm', device: 'CPU, 1 thread', version: version_wasm, source: null, broken: null };
}
