import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import { softwareDevice } from './choice.ts';
import type { LoadedEngine } from './engines.ts';
import type { Precision } from './precision.ts';
import { interpret } from './program.ts';
import { arithmeticOf, useArithmetic } from './webgpu-arithmetic.ts';
import type { WebgpuBackend } from './webgpu-program.ts';
import { registerWebgpuKernels } from './webgpu-kernels.ts';
import { choosePrecision, createProductTimer, wantedPrecision } from './webgpu-precision.ts';

/** The GPU is gone: its driver was reset or updated, or the card was taken away. What it held is lost; another process can go on. */
export class DeviceLostError extends Error {}

/** What `winnow engines` says of an adapter, and what decides whether it is used. */
interface AdapterInfo {
  vendor: string;
  architecture: string;
  /** The card's name, in lower case with dashes. */
  device: string;
  /** Of the driver, with its version. */
  description: string;
  isFallbackAdapter: boolean;
}

/** The parts of WebGPU that the types of tfjs are too old for. */
type Adapter = GPUAdapter & { info: AdapterInfo };

/**
 * Makes WebGPU tfjs's backend: any card with a Vulkan, Metal or Direct3D 12 driver, through Dawn. `WINNOW_GPU` names (a part of) the
 * card where there are several. A software adapter is far slower than the CPU engines and is refused; `WINNOW_SOFTWARE_GPU=1` allows it.
 * `WINNOW_GPU_PRECISION` says what matrix products multiply in, where that is not to be measured.
 * @param earlierPrecision that of the run that is to go on; null where none is
 * @throws Error when there is no adapter, or none but a software one; the message says what would help
 */
export async function loadWebgpu(earlierPrecision: Precision | null): Promise<LoadedEngine> {
  const wantsPrecision = wantedPrecision();
  const require = createRequire(import.meta.url);
  const { create, globals } = require('webgpu') as { create: (options: string[]) => GPU; globals: object };
  const wanted = process.env['WINNOW_GPU'] ?? '';
  const gpu = create(wanted === '' ? [] : [`adapter=${wanted}`]);
  const adapter = (await gpu.requestAdapter({ powerPreference: 'high-performance' })) as Adapter | null;
  if (adapter === null) throw new Error(noAdapterMessage(wanted));
  const { info } = adapter;
  const isSoftware = isSoftwareAdapter(info);
  if (isSoftware && process.env['WINNOW_SOFTWARE_GPU'] !== '1') {
    throw new Error(
      `The only graphics adapter is ${describeAdapter(info)}, which computes on the CPU and is slower than the other engines. ` +
        'Install the driver of your GPU, or choose another engine.',
    );
  }
  const device = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(raisedLimits.map((limit) => [limit, adapter.limits[limit]])),
  });
  const broken = watch(device);
  // Before there is a `navigator.gpu`: with one, the package would register a backend on an adapter of its own choice.
  const { WebGPUBackend } = require('@tensorflow/tfjs-backend-webgpu') as {
    WebGPUBackend: new (device: GPUDevice, info: AdapterInfo) => WebgpuBackend;
  };
  // The backend expects the names that a browser has.
  Object.assign(globalThis, globals);
  Object.defineProperty(globalThis.navigator, 'gpu', { value: gpu, configurable: true });
  registerWebgpuKernels();
  // Every submission crosses into the driver; by default there is one for every 15 programs.
  tf.env().set('WEBGPU_DEFERRED_SUBMIT_BATCH_SIZE', 64);
  tf.registerBackend('webgpu', () => new WebGPUBackend(device, info));
  if (!(await tf.setBackend('webgpu'))) throw new Error('The WebGPU backend did not start.');
  await tf.ready();
  const backend = tf.backend() as WebgpuBackend;
  const precision = await choosePrecision({
    wanted: wantsPrecision,
    earlier: earlierPrecision,
    hasHalf: device.features.has('shader-f16'),
    isSoftware,
    time: createProductTimer(backend),
  });
  useArithmetic(device, { ...arithmeticOf(device), precision });
  const { version } = require('webgpu/package.json') as { version: string };
  return {
    name: 'webgpu',
    device: `${isSoftware ? softwareDevice : ''}${describeAdapter(info)}${precision === 'f16' ? ', half precision' : ''}`,
    precision,
    version,
    source: null,
    broken,
    compile: interpret,
  };
}

/** Adapters that compute on the CPU call themselves fallback; the names are for drivers that do not. */
export function isSoftwareAdapter({ isFallbackAdapter, device, description, architecture }: AdapterInfo): boolean {
  return isFallbackAdapter || softwareNames.test(`${device} ${description} ${architecture}`);
}

const softwareNames = /swiftshader|llvmpipe|lavapipe|basic render|\bwarp\b/i;

/** Times of single programs, where a profile is asked for; half precision; sums within a subgroup. */
const wantedFeatures = ['timestamp-query', 'shader-f16', 'subgroups'] as GPUFeatureName[];

const raisedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupsPerDimension',
] as const satisfies (keyof GPUSupportedLimits)[];

function describeAdapter({ vendor, device, description }: AdapterInfo): string {
  const details = [vendor, description].filter(Boolean).join(', ');
  return `${device.replace(/-+$/, '') || 'a GPU'}${details === '' ? '' : ` (${details})`}`;
}

function noAdapterMessage(wanted: string): string {
  const which = wanted === '' ? 'No GPU was found' : `No GPU named "${wanted}" (WINNOW_GPU) was found`;
  const needs =
    process.platform === 'linux' ? ' and the Vulkan loader (libvulkan.so.1, in the package libvulkan1)' : '';
  return `${which}. WebGPU needs a GPU with a current driver${needs}.`;
}

/**
 * Rejects when the device is lost or refuses a program or an allocation. Unwatched, a lost device would answer zeros, or not at all.
 */
function watch(device: GPUDevice): Promise<never> {
  const broken = new Promise<never>((_, reject) => {
    void device.lost.then(({ reason, message }) =>
      reject(new DeviceLostError(`The GPU was lost (${[reason, message].filter(Boolean).join(': ')}).`)),
    );
    device.addEventListener('uncapturederror', (event) => {
      const { error } = event as GPUUncapturedErrorEvent;
      const outOfMemory = error.constructor.name === 'GPUOutOfMemoryError';
      reject(
        new Error(
          outOfMemory
            ? 'The GPU has no memory left. Close other programs that use it, or choose a smaller budget.'
            : `The GPU refused an operation: ${error.message}`,
        ),
      );
    });
  });
  // Whoever runs something listens; until then it must not end the process.
  broken.catch(() => undefined);
  return broken;
}
