import type { TensorInfo, DataType } from '@tensorflow/tfjs-core';
import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';
import type { SharedMemory } from './tfjs-module.ts';
import type { Threads } from './threads.ts';

/** What kernels work with: threads, the memory that they share, and tfjs's book of where its tensors lie. */
export interface Machine extends Pick<Threads, 'run' | 'room'> {
  pointerOf(tensor: TensorInfo): number;
  makeOutput(shape: number[]): TensorInfo;
  /**
   * The same values as another tensor, without a copy. tfjs clones what a gradient will want; its own kernel for this backend
   * copies it all.
   */
  share(tensor: TensorInfo): TensorInfo;
  /** The tensor's values as they lie in memory. */
  values(tensor: TensorInfo): Float32Array;
  /** Memory for the time of the work. */
  withMemory<T>(sizes: readonly number[], work: (...pointers: number[]) => T): T;
  writeIntegers(pointer: number, values: readonly number[]): void;
  readFloats(pointer: number, count: number): Float32Array;
  /** Memory full of zeros, as long as any tensor's channels. */
  zeros(floats: number): number;
}

export function createMachine(backend: BackendWasm, { memory, malloc, free }: SharedMemory, threads: Threads): Machine {
  const zeros = { pointer: 0, floats: 0 };
  const pointerOf = ({ dataId }: TensorInfo): number => backend.dataIdMap.get(dataId).memoryOffset;
  const readFloats = (pointer: number, count: number): Float32Array => new Float32Array(memory.buffer, pointer, count);
  return {
    run: threads.run,
    room: threads.room,
    pointerOf,
    makeOutput: (shape) => backend.makeOutput(shape, 'float32' satisfies DataType),
    share: ({ dataId, shape, dtype }) => {
      backend.incRef(dataId);
      return { dataId, shape, dtype };
    },
    values: (tensor) =>
      readFloats(
        pointerOf(tensor),
        tensor.shape.reduce((product, side) => product * side, 1),
      ),
    withMemory(sizes, work) {
      const pointers: number[] = [];
      try {
        for (const size of sizes) pointers.push(malloc(Math.max(16, size)));
        return work(...pointers);
      } finally {
        pointers.forEach(free);
      }
    },
    writeIntegers: (pointer, values) => new Int32Array(memory.buffer, pointer, values.length).set(values),
    readFloats,
    zeros(floats) {
      if (floats > zeros.floats) {
        if (zeros.pointer !== 0) free(zeros.pointer);
        Object.assign(zeros, { pointer: malloc(floats * 4), floats });
        readFloats(zeros.pointer, floats).fill(0);
      }
      return zeros.pointer;
    },
  };
}
