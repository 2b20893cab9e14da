import * as tf from '@tensorflow/tfjs-core';

/*
 * Runs a shader of our own among those of tfjs's WebGPU backend: in the same pass, on its buffers. The backend's own way knows one output,
 * and uploads shapes with every call; ours has them as constants in the shader, and reads the batch size from a buffer's length.
 */

/** The part of tfjs's `WebGPUBackend` (4.22) that is used here. */
export interface WebgpuBackend extends tf.KernelBackend {
  device: GPUDevice;
  tensorMap: { get(dataId: tf.DataId): { resource: GPUBuffer } };
  /** Programs in the pass that is being written. */
  dispatchCountInPass: number;
  commandEncoder: GPUCommandEncoder | null;
  computePassEncoder: GPUComputePassEncoder | null;
  /** Data that may be let go only after the next submission. */
  commandQueueOwnedIds: WeakSet<object>;
  /** Where `tf.time` collects the times of programs; absent while nobody asks. */
  activeTimers?: { name: string; query: Promise<number> }[];
  supportTimestampQuery: boolean;
  querySet: GPUQuerySet | null;
  querySetCount: number;
  getQueryTime(): Promise<number>;
  ensureCommandEncoderReady(): void;
  endComputePassEncoder(): void;
  submitQueue(): void;
  makeTensorInfo(shape: number[], dtype: tf.DataType, values?: Float32Array): tf.TensorInfo;
  uploadToGPU(dataId: tf.DataId): void;
  incRef(dataId: tf.DataId): void;
}

export interface Program {
  /** For profiles, and part of what a compiled shader is found again by. */
  name: string;
  /** Everything else that the shader's text depends on. */
  key: string;
  /** WGSL with an entry point `main`; see `declareBuffers` for the bindings. Made once per key. */
  code: () => string;
  inputs: tf.TensorInfo[];
  outputShapes: number[][];
  workgroups: [number, number?, number?];
}

/** @returns the outputs, float32 */
export function runProgram(backend: WebgpuBackend, program: Program): tf.TensorInfo[] {
  const { name, inputs, outputShapes, workgroups } = program;
  const outputs = outputShapes.map((shape) => backend.makeTensorInfo(shape, 'float32'));
  const tensors = [...outputs, ...inputs];
  for (const { dataId } of tensors) backend.uploadToGPU(dataId);
  const pipeline = pipelineOf(backend.device, program);
  const bindGroup = backend.device.createBindGroup({
    layout: pipeline.getBindGroupLayout(0),
    entries: tensors.map(({ dataId }, binding) => ({
      binding,
      resource: { buffer: backend.tensorMap.get(dataId).resource },
    })),
  });
  for (const { dataId } of tensors) backend.commandQueueOwnedIds.add(dataId);
  const timers = backend.activeTimers;
  const pass = beginPass(backend, timers !== undefined);
  pass.setPipeline(pipeline);
  pass.setBindGroup(0, bindGroup);
  pass.dispatchWorkgroups(...workgroups);
  backend.dispatchCountInPass += 1;
  if (timers !== undefined) {
    backend.endComputePassEncoder();
    timers.push({ name, query: backend.getQueryTime() });
  } else if (backend.dispatchCountInPass >= tf.env().getNumber('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE')) {
    backend.endComputePassEncoder();
    backend.submitQueue();
  }
  return outputs;
}

export interface BufferDeclaration {
  name: string;
  /** Floats per element: 4 where rows are a multiple of 16 bytes, else 1. */
  components: 1 | 4;
}

/** Declares the buffers in the order of `Program`: outputs, then inputs. */
export function declareBuffers(outputs: BufferDeclaration[], inputs: BufferDeclaration[]): string {
  const declare = (access: string, { name, components }: BufferDeclaration, binding: number): string =>
    `@group(0) @binding(${binding}) var<storage, ${access}> ${name}: array<${typeOf(components)}>;`;
  return [
    ...outputs.map((buffer, i) => declare('read_write', buffer, i)),
    ...inputs.map((buffer, i) => declare('read', buffer, outputs.length + i)),
  ].join('\n');
}

/** Whether a row can be read four floats at a time. */
export function componentsFor(rowLength: number): 1 | 4 {
  return rowLength % 4 === 0 ? 4 : 1;
}

export function typeOf(components: 1 | 4): string {
  return components === 4 ? 'vec4f' : 'f32';
}

const pipelines = new WeakMap<GPUDevice, Map<string, GPUComputePipeline>>();

function pipelineOf(device: GPUDevice, { name, key, code }: Program): GPUComputePipeline {
  const known = pipelines.get(device) ?? new Map<string, GPUComputePipeline>();
  pipelines.set(device, known);
  const fullKey = `${name} ${key}`;
  let pipeline = known.get(fullKey);
  if (pipeline === undefined) {
    const module = device.createShaderModule({ code: code(), label: name });
    pipeline = device.createComputePipeline({ layout: 'auto', compute: { module, entryPoint: 'main' }, label: name });
    known.set(fullKey, pipeline);
  }
  return pipeline;
}

/** The pass that is open, or a new one; a program that is timed gets a pass of its own. */
function beginPass(backend: WebgpuBackend, isTimed: boolean): GPUComputePassEncoder {
  backend.ensureCommandEncoderReady();
  if (isTimed && backend.supportTimestampQuery) {
    backend.endComputePassEncoder();
    backend.querySet ??= backend.device.createQuerySet({ type: 'timestamp', count: backend.querySetCount });
    backend.computePassEncoder = backend.commandEncoder!.beginComputePass({
      timestampWrites: { querySet: backend.querySet, beginningOfPassWriteIndex: 0, endOfPassWriteIndex: 1 },
    });
  }
  backend.computePassEncoder ??= backend.commandEncoder!.beginComputePass();
  return backend.computePassEncoder;
}
