// For its side effect: it registers every operation's gradient, which tfjs-core's own entry leaves out.
import '@tensorflow/tfjs';
import type { EngineName } from '../../shared/domain.ts';
import type { Precision } from './precision.ts';
import type { Program, TensorWork } from './program.ts';
import { loadTensorflow } from './tensorflow.ts';
import { loadWasm } from './wasm.ts';
import { loadWebgpu } from './webgpu.ts';

/** A backend that is loaded and chosen; from here on the generic tfjs API runs on it. */
export interface LoadedEngine {
  name: EngineName;
  /** For example "CPU, 2 threads". */
  device: string;
  /** Of its matrix products; null where it has but one. */
  precision: Precision | null;
  version: string;
  /** Where its native library came from; null when it needs none. */
  source: string | null;
  /** Rejects when the device is lost or refuses an operation, so that nothing it says can be trusted; null where that cannot be. */
  broken: Promise<never> | null;
  /**
   * Makes one program of work that is done many times, where the engine gains by it. What the work does may depend on the inputs, on
   * their shapes and on the values of variables; anything else, such as a number drawn at random, may stay as it was the first time.
   */
  compile(work: TensorWork): Program;
}

/**
 * Loads one engine into this process; a process serves one engine for its whole life.
 * @param earlierPrecision that of the run that is to go on, which one with a choice takes again; null where none is
 * @throws Error with the reason when it cannot be had
 */
export async function loadEngine(
  name: EngineName,
  engineFolder: string | null,
  earlierPrecision: Precision | null = null,
): Promise<LoadedEngine> {
  switch (name) {
    case 'tensorflow':
      return loadTensorflow(engineFolder);
    case 'webgpu':
      return loadWebgpu(earlierPrecision);
    case 'wasm':
      return loadWasm();
  }
}
