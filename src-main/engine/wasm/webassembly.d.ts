/* The part of WebAssembly's interface that the engine uses; TypeScript declares it among the browser's types alone. */
declare namespace WebAssembly {
  type Module = object;
  const Module: new (binary: Uint8Array<ArrayBuffer>) => Module;
  class Instance {
    constructor(module: Module, imports: Imports);
    readonly exports: Record<string, ExportValue>;
  }
  class Memory {
    constructor(limits: { initial: number; maximum: number; shared: true });
    readonly buffer: SharedArrayBuffer;
    grow(pages: number): number;
  }
  type ExportValue = Memory | ((...values: never[]) => unknown);
  type Imports = Record<string, Record<string, Memory | ((...values: never[]) => unknown)>>;
  function instantiate(
    binary: Uint8Array<ArrayBuffer>,
    imports: Imports,
  ): Promise<{ module: Module; instance: Instance }>;
}
