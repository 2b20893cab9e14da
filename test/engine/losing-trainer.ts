// The real trainer on a GPU that is lost when its first program is compiled, as when a driver is reset.
import { createRequire } from 'node:module';

const { globals } = createRequire(import.meta.url)('webgpu') as {
  globals: { GPUDevice: { prototype: GPUDevice } };
};
const { prototype } = globals.GPUDevice;
const original = Object.getOwnPropertyDescriptor(prototype, 'createComputePipeline')!
  .value as GPUDevice['createComputePipeline'];
prototype.createComputePipeline = function (this: GPUDevice, descriptor) {
  this.destroy();
  return original.call(this, descriptor);
};

await import('../../src-main/trainer/main.ts');
