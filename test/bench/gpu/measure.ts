/*
 * What is measured of the WebGPU engine on a card, one task per process; `run.mjs` puts the tasks together. Each prints JSON to standard output.
 * usage: measure.ts choice | parity | speed NETWORK RESOLUTION BATCH STEPS | profile NETWORK RESOLUTION BATCH | kernels NETWORK RESOLUTION BATCH
 * WINNOW_BENCH_VARIANTS names the ways to compute, for example 'f32, f32 plain, f16 8, f16 16 plain': the precision, the length of sums in half
 * precision, and plain for no use of subgroups. A way that the adapter does not have is left out.
 */
import * as tf from '@tensorflow/tfjs-core';
import { createRequire } from 'node:module';
import type { NetworkName } from '../../../shared/domain.ts';
import { loadEngine } from '../../../src-main/engine/engines.ts';
import {
  halfSumChoices,
  usualArithmetic,
  useArithmetic,
  type Arithmetic,
} from '../../../src-main/engine/webgpu-arithmetic.ts';
import type { WebgpuBackend } from '../../../src-main/engine/webgpu-program.ts';
import { createRandom } from '../../../src-main/domain/random.ts';
import { satCrossEntropy } from '../../../src-main/sat/losses.ts';
import { logitsOf, type Network } from '../../../src-main/sat/models/network.ts';
import { networks } from '../../../src-main/sat/models/networks.ts';
import { createMeasuredStep } from '../../../src-main/trainer/measured-step.ts';

const classes = 10;
/**
 * Of a whole step beside WebAssembly. Units of ReLU that change sides are most of it: in single precision too, weights that are changed by 2⁻¹¹
 * change gradients by up to a tenth.
 */
const halfTolerance = 0.2;
const [task = 'parity', ...args] = process.argv.slice(2);
const [networkName = 'compact', ...numbers] = args;
const [resolution = 32, batch = 256, steps = 20] = numbers.map(Number);
const definition = networks[networkName as NetworkName];
/** The compact network's can be set, so that a rehearsal on a processor ends. */
const width = Number(process.env['WINNOW_BENCH_WIDTH'] ?? definition.usualWidth);

// tfjs's own kernels, before ours take their places.
createRequire(import.meta.url)('@tensorflow/tfjs-backend-webgpu');
const convolutionKernels = [tf.Conv2D, tf.Conv2DBackpropFilter, tf.Conv2DBackpropInput] as const;
const originals = new Map(convolutionKernels.map((name) => [name, tf.getKernel(name, 'webgpu').kernelFunc]));
if (task === 'parity') await loadEngine('wasm', null);
const started = performance.now();
const engine = await loadEngine('webgpu', null);
const startSeconds = (performance.now() - started) / 1000;
const { device } = tf.backend() as WebgpuBackend;
const variants = readVariants(process.env['WINNOW_BENCH_VARIANTS'] ?? 'f32');
engine.broken?.catch((error: unknown) => {
  console.error(error);
  process.exit(1);
});

switch (task) {
  case 'choice':
    print({ device: engine.device, precision: engine.precision, startSeconds, features: [...device.features] });
    break;
  case 'parity':
    print(await compareSteps());
    break;
  case 'speed':
    print({
      device: engine.device,
      forwardGflop: definition.gflop(width, resolution),
      imagesPerSecond: await timeSteps(),
    });
    break;
  case 'profile':
    print(await profileStep());
    break;
  case 'kernels':
    print(await compareKernels());
    break;
  default:
    throw new Error(`There is no task "${task}".`);
}
// Dawn keeps the process alive as long as somebody holds its adapter.
process.exit(0);

/** Sets how what follows is computed; the first of the variants where none is named. */
function use(variant: string | undefined): void {
  const arithmetic = variants.get(variant ?? [...variants.keys()][0] ?? '');
  if (arithmetic === undefined) throw new Error(`${engine.device} has none of the ways that were asked for.`);
  useArithmetic(device, arithmetic);
}

function readVariants(text: string): ReadonlyMap<string, Arithmetic> {
  const found = new Map<string, Arithmetic>();
  for (const name of text.split(', ')) {
    const words = name.split(' ');
    const usual = usualArithmetic(device);
    const arithmetic: Arithmetic = {
      precision: words[0] === 'f16' ? 'f16' : 'f32',
      halfSums: halfSumChoices.find((choice) => words.includes(String(choice))) ?? usual.halfSums,
      subgroups: !words.includes('plain'),
    };
    const isThere =
      (arithmetic.precision === 'f32' || device.features.has('shader-f16')) &&
      (!arithmetic.subgroups || device.features.has('subgroups'));
    if (isThere) found.set(name, arithmetic);
    else console.error(`${engine.device} does not have "${name}".`);
  }
  return found;
}

/** A step of a network on WebGPU in every variant beside the same on WebAssembly: the largest difference of loss, gradients and running averages. */
async function compareSteps(): Promise<object[]> {
  const results: object[] = [];
  const cases = (process.env['WINNOW_BENCH_PARITY'] ?? 'compact 24 32 4, compact 24 96 4, resnet18 16 32 4')
    .split(', ')
    .map((text) => text.split(' '));
  for (const [name = '', ...shape] of cases) {
    const [networkWidth = 24, side = 32, count = 4] = shape.map(Number);
    const run = async (backend: string): Promise<Map<string, Float32Array>> => {
      await tf.setBackend(backend);
      const settings = { width: networkWidth, resolution: side, outputs: classes, seed: 1 };
      const network = networks[name as NetworkName].create(settings);
      const { value, grads } = tf.variableGrads(
        () => lossOf(network, pictures(count, side)),
        [...network.parameters.values()],
      );
      const tensors: [string, tf.Tensor][] = [
        ['loss', value],
        ...[...network.parameters].map(([key, variable]): [string, tf.Tensor] => [key, grads[variable.name]!]),
        ...network.statistics,
      ];
      const read = async ([key, tensor]: [string, tf.Tensor]): Promise<[string, Float32Array]> => [
        key,
        await tensor.data<'float32'>(),
      ];
      return new Map(await Promise.all(tensors.map(read)));
    };
    const reference = await run('wasm');
    for (const [variant, { precision }] of variants) {
      use(variant);
      const ours = await run('webgpu');
      let worst = { difference: 0, tensor: '' };
      for (const [key, expected] of reference) {
        const difference = largestDifference(ours.get(key)!, expected);
        // Not smaller, rather than larger: no number is a difference too.
        if (!(difference <= worst.difference)) worst = { difference, tensor: key };
      }
      const allowed = precision === 'f16' ? halfTolerance : 2e-3;
      const passed = worst.difference < allowed;
      results.push({ network: name, width: networkWidth, resolution: side, batch: count, variant, ...worst, passed });
    }
  }
  return results;
}

/** Images per second of each step in every variant, the result of a step read while the next is under way, as the trainer does. */
async function timeSteps(): Promise<Record<string, number[]>> {
  const step = createStep();
  const speeds: Record<string, number[]> = {};
  for (const variant of variants.keys()) {
    use(variant);
    const found: number[] = [];
    let latest: tf.Scalar | null = null;
    // The first three compile, allocate and fill the queue.
    for (let i = 0, started = performance.now(); i < steps + 3; i++) {
      const loss = step();
      await latest?.data();
      latest?.dispose();
      latest = loss;
      const now = performance.now();
      if (i >= 3) found.push(batch / ((now - started) / 1000));
      started = now;
    }
    const [loss] = await latest!.data();
    latest!.dispose();
    if (!Number.isFinite(loss)) throw new Error(`The loss became ${loss} with ${variant}.`);
    speeds[variant] = found;
  }
  return speeds;
}

/** Time on the card of every kind of program in one step, and how many there are. Zero where the adapter measures no times. */
async function profileStep(): Promise<object> {
  use(undefined);
  const step = createStep();
  for (let i = 0; i < 3; i++) await step().data();
  const { kernelMs, ...info } = await tf.time(() => void step());
  const programs = new Map<string, { count: number; milliseconds: number }>();
  const { getExtraProfileInfo } = info as { getExtraProfileInfo?: () => string };
  for (const entry of getExtraProfileInfo?.().split(', ') ?? []) {
    const [name = '', time = ''] = entry.split(': ');
    const known = programs.get(name) ?? { count: 0, milliseconds: 0 };
    programs.set(name, { count: known.count + 1, milliseconds: known.milliseconds + Number(time) });
  }
  const sorted = [...programs].sort(([, a], [, b]) => b.milliseconds - a.milliseconds);
  const count = sorted.reduce((sum, [, program]) => sum + program.count, 0);
  return { device: engine.device, programs: count, milliseconds: kernelMs, byName: Object.fromEntries(sorted) };
}

/** Ours in every variant and tfjs's own kernel on every convolution of the network, milliseconds each. */
async function compareKernels(): Promise<object[]> {
  const rows: object[] = [];
  const seen = new Set<string>();
  for (const { x, filter, stride, pad } of convolutionsOf()) {
    const key = `${x.join('×')} * ${filter.join('×')} / ${stride} ${pad}`;
    if (seen.has(key)) continue;
    seen.add(key);
    const info = tf.backend_util.computeConv2DInfo(x, filter, stride, 1, pad);
    // As large as in training, or half precision would not be computed as it is there.
    const inputs = {
      x: tf.randomNormal(x),
      filter: tf.randomNormal(filter, 0, 0.05),
      dy: tf.randomNormal(info.outShape, 0, 1e-5),
    };
    const attrs = { strides: stride, pad, dataFormat: 'NHWC', dilations: 1, filterShape: filter, inputShape: x };
    const gflop = (2 * inputs.dy.size * filter[0] * filter[1] * filter[2]) / 1e9;
    for (const name of convolutionKernels) {
      const timed = (kernel: tf.KernelFunc): Promise<Timed> =>
        timeKernel(() => kernel({ inputs, attrs, backend: tf.backend() }) as tf.TensorInfo);
      const tfjs = await timed(originals.get(name)!);
      for (const variant of variants.keys()) {
        use(variant);
        const own = await timed(tf.getKernel(name, 'webgpu').kernelFunc);
        rows.push({
          kernel: name,
          shape: key,
          variant,
          milliseconds: own.milliseconds,
          tfjsMilliseconds: tfjs.milliseconds,
          gflops: gflop / (own.milliseconds / 1000),
          difference: largestDifference(own.values, tfjs.values),
        });
      }
    }
    tf.dispose(inputs);
  }
  return rows;
}

interface Timed {
  milliseconds: number;
  values: Float32Array;
}

/** Median of several rounds of several runs each, so that the queue is never empty. */
async function timeKernel(run: () => tf.TensorInfo): Promise<Timed> {
  const backend = tf.backend() as tf.KernelBackend & {
    submitQueue(): void;
    endComputePassEncoder(): void;
    device: GPUDevice;
  };
  const runs = Number(process.env['WINNOW_BENCH_RUNS'] ?? 20);
  const first = run();
  const values = (await backend.read(first.dataId)) as Float32Array;
  backend.disposeData(first.dataId);
  const times: number[] = [];
  for (let round = 0; round < 5; round++) {
    const started = performance.now();
    for (let i = 0; i < runs; i++) backend.disposeData(run().dataId);
    backend.endComputePassEncoder();
    backend.submitQueue();
    await backend.device.queue.onSubmittedWorkDone();
    times.push((performance.now() - started) / runs);
  }
  return { milliseconds: times.sort((a, b) => a - b)[2]!, values };
}

/** Every convolution of a forward pass, as the network asks for it. */
function convolutionsOf(): Convolution[] {
  const found: Convolution[] = [];
  const { kernelFunc } = tf.getKernel(tf.Conv2D, 'webgpu');
  tf.unregisterKernel(tf.Conv2D, 'webgpu');
  const register = (func: tf.KernelFunc): void =>
    tf.registerKernel({ kernelName: tf.Conv2D, backendName: 'webgpu', kernelFunc: func });
  register((call) => {
    const { x, filter } = call.inputs as Record<'x' | 'filter', tf.TensorInfo>;
    const { strides, pad } = call.attrs as unknown as tf.Conv2DAttrs;
    const [stride] = [strides].flat() as [number];
    found.push({
      x: [batch, ...x.shape.slice(1)] as Shape4D,
      filter: filter.shape as Shape4D,
      stride,
      pad: pad as Convolution['pad'],
    });
    return kernelFunc(call);
  });
  const network = definition.create({ width, resolution, outputs: classes, seed: 1 });
  tf.dispose(logitsOf(network, pictures(1, resolution), 'evaluation'));
  tf.unregisterKernel(tf.Conv2D, 'webgpu');
  register(kernelFunc);
  return found;
}

type Shape4D = [number, number, number, number];

interface Convolution {
  x: Shape4D;
  filter: Shape4D;
  stride: number;
  pad: 'same' | 'valid';
}

/** One training step of the network; gives its loss. */
function createStep(): () => tf.Scalar {
  const network = definition.create({ width, resolution, outputs: classes, seed: 1 });
  const { take } = createMeasuredStep(network, classes, engine);
  const images = pictures(batch, resolution);
  return () => take(images);
}

function lossOf(network: Network, images: tf.Tensor4D): tf.Scalar {
  const targets = tf.fill<tf.Rank.R2>([images.shape[0], classes], 1 / classes);
  const settings = { startEpoch: 0, targetMomentum: 0.9 };
  return satCrossEntropy(logitsOf(network, images, 'training'), targets, 1, settings).loss;
}

function pictures(count: number, side: number): tf.Tensor4D {
  const random = createRandom(2);
  const pixels = Float32Array.from({ length: count * side * side * 3 }, () => random.normal());
  return tf.tensor4d(pixels, [count, side, side, 3]);
}

/** Relative to the largest number that is expected. */
function largestDifference(actual: Float32Array, expected: Float32Array): number {
  let worst = 0;
  let largest = 1e-6;
  for (const [i, value] of expected.entries()) {
    const difference = Math.abs(actual[i]! - value);
    if (!(difference <= worst)) worst = difference;
    largest = Math.max(largest, Math.abs(value));
  }
  return worst / largest;
}

function print(result: object): void {
  console.log(JSON.stringify(result));
}
