import type { BackendWasm } from '@tensorflow/tfjs-backend-wasm';

/*
 * tfjs's kernels over shared memory. Its package does so in browsers alone: in Node it takes the build without threads, whose memory
 * no other thread can see, and the loader of the other one starts eight workers from a document's address. What that build needs
 * of its surroundings is little, and here it is given; its own threads are not, because ours do the work.
 */

/** What tfjs's backend asks of the module; Emscripten's names. */
export type TfjsModule = ConstructorParameters<typeof BackendWasm>[0];

interface Exports extends Record<string, WebAssembly.ExportValue> {
  malloc: (bytes: number) => number;
  free: (pointer: number) => void;
  stackSave: () => number;
  stackAlloc: (bytes: number) => number;
  stackRestore: (stack: number) => void;
}

type Call = (name: string, ...values: number[]) => number;

type Kernel = (...values: (number | boolean | Uint8Array)[]) => number;

const pageBytes = 65536;
const initialPages = 256;
/** What 32-bit addresses reach; memory is taken from the system only when it is used. */
const maximumPages = 65536;

/** The memory that tfjs's tensors lie in. */
export interface SharedMemory {
  memory: WebAssembly.Memory;
  /** @throws Error when the memory is exhausted */
  malloc(bytes: number): number;
  free(pointer: number): void;
}

/** @param binary `tfjs-backend-wasm-threaded-simd.wasm` */
export async function instantiateTfjs(binary: Uint8Array<ArrayBuffer>): Promise<SharedMemory & { tfjs: TfjsModule }> {
  const memory = new WebAssembly.Memory({ initial: initialPages, maximum: maximumPages, shared: true });
  // The imports call exports, which there are only afterwards.
  const loaded: { exports?: Exports } = {};
  const call: Call = (name, ...values) => (loaded.exports![name] as Kernel)(...values);
  const { instance } = await WebAssembly.instantiate(binary, surroundings(memory, call));
  const exports = instance.exports as Exports;
  loaded.exports = exports;
  call('__wasm_call_ctors');
  const malloc = (bytes: number): number => {
    const pointer = exports.malloc(bytes) >>> 0;
    if (pointer === 0 && bytes > 0) {
      throw new Error('The 4 GB that WebAssembly can use are full; choose a smaller batch or a smaller resolution.');
    }
    return pointer;
  };
  const module = {
    // A memory that has grown has another buffer.
    get HEAPU8() {
      return new Uint8Array(memory.buffer);
    },
    _malloc: malloc,
    _free: exports.free,
    cwrap: createWrap(memory, exports),
    tfjs: {
      init: () => call('init'),
      initWithThreadsCount: () => call('init_with_threads_count', 1),
      getThreadsCount: () => call('get_threads_count'),
      registerTensor: (id: number, size: number, pointer: number) => call('register_tensor', id, size, pointer),
      disposeData: (id: number) => call('dispose_data', id),
      dispose: () => call('dispose'),
    },
  };
  return { tfjs: module as unknown as TfjsModule, memory, malloc, free: exports.free };
}

function surroundings(memory: WebAssembly.Memory, call: Call): WebAssembly.Imports {
  const missing = (name: string) => (): never => {
    throw new Error(`The WebAssembly backend called "${name}", which it has no use for here.`);
  };
  const env = {
    memory,
    __emscripten_init_main_thread_js: (thread: number) => {
      const [isMainBrowserThread, isMainRuntimeThread, canBlock] = [1, 1, 1];
      call('_emscripten_thread_init', thread, isMainBrowserThread, isMainRuntimeThread, canBlock);
      call('_emscripten_tls_init');
    },
    emscripten_num_logical_cores: () => 1,
    emscripten_get_now: () => performance.now(),
    emscripten_check_blocking_allowed: () => undefined,
    emscripten_get_heap_max: () => maximumPages * pageBytes - 1,
    emscripten_resize_heap: (wanted: number) => grow(memory, wanted >>> 0),
    emscripten_memcpy_big: (to: number, from: number, bytes: number) => {
      new Uint8Array(memory.buffer).copyWithin(to >>> 0, from >>> 0, (from >>> 0) + (bytes >>> 0));
    },
    abort: missing('abort'),
    exit: missing('exit'),
  };
  const others = [
    'emscripten_unwind_to_js_event_loop',
    '_emscripten_set_offscreencanvas_size',
    'emscripten_receive_on_main_thread_js',
    '_emscripten_notify_task_queue',
    '_emscripten_default_pthread_stack_size',
    '__pthread_create_js',
    '__emscripten_thread_cleanup',
  ];
  const files = ['fd_close', 'fd_write', 'fd_seek'];
  return {
    env: { ...Object.fromEntries(others.map((name) => [name, missing(name)])), ...env },
    wasi_snapshot_preview1: Object.fromEntries(files.map((name) => [name, missing(name)])),
  };
}

/** @returns 1 when there is memory for so many bytes, else 0; malloc then answers with a null pointer */
function grow(memory: WebAssembly.Memory, wantedBytes: number): number {
  const bytes = memory.buffer.byteLength;
  // A little more than was asked for, so that a network's first step does not grow it a thousand times.
  const pages = Math.min(maximumPages, Math.ceil(Math.max(wantedBytes, bytes * 1.2) / pageBytes));
  try {
    memory.grow(pages - bytes / pageBytes);
    return 1;
  } catch {
    return 0;
  }
}

/** As Emscripten's `cwrap`: an argument of type "array" is copied to the stack for the time of the call. */
function createWrap(memory: WebAssembly.Memory, exports: Exports) {
  return (name: string, _returnType: unknown, types: readonly string[]): Kernel => {
    const kernel = exports[name] as Kernel;
    if (!types.includes('array')) return kernel;
    return (...values) => {
      const stack = exports.stackSave();
      try {
        return kernel(
          ...values.map((value) => {
            if (!(value instanceof Uint8Array)) return value;
            const pointer = exports.stackAlloc(value.length);
            new Uint8Array(memory.buffer).set(value, pointer);
            return pointer;
          }),
        );
      } finally {
        exports.stackRestore(stack);
      }
    };
  };
}
