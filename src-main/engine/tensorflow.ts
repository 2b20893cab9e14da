import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { findTensorflow } from './provision/find.ts';
import { registerTensorflowKernels } from './tensorflow-kernels.ts';
import type { LoadedEngine } from './engines.ts';
import { interpret } from './program.ts';
import { compileToGraph } from './tensorflow-program.ts';

/** The part of @tensorflow/tfjs-node-gpu's addon that is used here. */
export interface TensorflowBinding {
  TF_Version: string;
  TF_FLOAT: number;
  TF_ATTR_STRING: number;
  TF_ATTR_INT: number;
  TF_ATTR_FLOAT: number;
  TF_ATTR_BOOL: number;
  TF_ATTR_TYPE: number;
  TF_ATTR_SHAPE: number;
  isUsingGpuDevice(): boolean;
  createTensor(shape: number[], dtype: number, values: ArrayBufferView): TensorHandle;
  executeOp(name: string, attributes: OpAttribute[], inputs: TensorHandle[], outputs: number): TensorflowOutput[];
  /** Loads the graph of `folder/saved_model.pb`; the names of inputs and outputs are `node:output`, separated by commas. */
  loadSavedModel(folder: string, tag: string): number;
  runSavedModel(id: number, inputs: TensorHandle[], inputNames: string, outputNames: string): TensorflowOutput[];
  deleteSavedModel(id: number): void;
}

/** Never given out twice. */
export type TensorHandle = number;

/** What the binding says of a tensor that it has made. */
interface TensorflowOutput {
  id: TensorHandle;
  shape: number[];
  dtype: number;
}

export interface OpAttribute {
  name: string;
  type: number;
  value: number | string | boolean | number[];
}

/** The part of its `NodeJSKernelBackend` that is used here. */
export interface TensorflowBackend extends tf.KernelBackend {
  binding: TensorflowBinding;
  getDTypeInteger(dtype: tf.DataType): number;
  /** Hands over values that tfjs has held back until now. */
  getInputTensorIds(tensors: tf.TensorInfo[]): TensorHandle[];
  createOutputTensor(output: TensorflowOutput): tf.Tensor;
  executeSingleOutput(name: string, attributes: OpAttribute[], inputs: tf.TensorInfo[]): tf.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OpAttribute[],
    inputs: tf.TensorInfo[],
    outputs: number,
  ): tf.Tensor[];
}

/**
 * Loads libtensorflow and makes it tfjs's backend.
 * @throws Error when it is not installed or its addon does not load; the message says why
 */
export async function loadTensorflow(engineFolder: string | null): Promise<LoadedEngine> {
  const install = findTensorflow(engineFolder);
  if (install === null) {
    throw new Error('libtensorflow is not installed; "npm run setup" fetches it (about 300 MB).');
  }
  // TensorFlow's C++ log would interleave with the progress lines; errors are still written.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '2';
  // By default a GPU's whole memory is taken at once, which starves whatever else the user runs.
  process.env['TF_FORCE_GPU_ALLOW_GROWTH'] ??= 'true';
  const require = createRequire(import.meta.url);
  addRemovedNodeUtilities(require('node:util') as Record<string, unknown>);
  const binding = require(install.addonPath) as TensorflowBinding;
  const { NodeJSKernelBackend } = require('@tensorflow/tfjs-node-gpu/dist/nodejs_kernel_backend') as {
    NodeJSKernelBackend: new (binding: TensorflowBinding, packageName: string) => TensorflowBackend;
  };
  require('@tensorflow/tfjs-node-gpu/dist/register_all_kernels');
  registerTensorflowKernels();
  const backend = new NodeJSKernelBackend(binding, '@tensorflow/tfjs-node-gpu');
  tf.registerBackend('tensorflow', () => backend);
  if (!(await tf.setBackend('tensorflow'))) throw new Error(`libtensorflow ${binding.TF_Version} did not start.`);
  await tf.ready();
  return {
    name: 'tensorflow',
    device: binding.isUsingGpuDevice() ? 'GPU (CUDA)' : `CPU, ${availableParallelism()} threads`,
    precision: null,
    version: binding.TF_Version,
    source: install.source,
    broken: null,
    // On a GPU a graph's inputs and outputs, and so all parameters, would travel through the machine's memory in every step.
    compile: (work) => (binding.isUsingGpuDevice() ? interpret(work) : compileToGraph(backend, work)),
  };
}

/** tfjs-node 4.22 still calls two functions that Node 23 removed from `node:util`. */
function addRemovedNodeUtilities(util: Record<string, unknown>): void {
  util['isNullOrUndefined'] ??= (value: unknown) => value === null || value === undefined;
  util['isArray'] ??= Array.isArray;
}
