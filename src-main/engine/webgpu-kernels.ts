import * as tf from '@tensorflow/tfjs-core';
import {
  batchNormTrainingGradKernel,
  batchNormTrainingKernel,
  moveAverageKernel,
  reluGradKernel,
  sgdStepKernel,
  type SgdStepAttributes,
} from '../../shared/kernels.ts';
import { convolve, filterGradient, inputGradient, type ConvolutionAttributes } from './webgpu-convolution.ts';
import { batchNormGradient, normaliseBatch } from './webgpu-normalisation.ts';
import { componentsFor, declareBuffers, runProgram, typeOf, type WebgpuBackend } from './webgpu-program.ts';

/*
 * What replaces or completes tfjs's WebGPU kernels. A step of a small network is bound by the number of programs as much as by
 * their speed: each costs the CPU a bind group, and each scalar operand a buffer.
 */

export function registerWebgpuKernels(): void {
  replaceForPictures(tf.Conv2D, ({ inputs, attrs, backend }) =>
    convolve(backend as WebgpuBackend, input(inputs, 'x'), input(inputs, 'filter'), attrs as ConvolutionAttributes),
  );
  replaceForPictures(tf.Conv2DBackpropFilter, ({ inputs, attrs, backend }) => {
    const { filterShape, ...convolution } = attrs as ConvolutionAttributes & { filterShape: Shape4D };
    return filterGradient(backend as WebgpuBackend, input(inputs, 'x'), input(inputs, 'dy'), filterShape, convolution);
  });
  replaceForPictures(tf.Conv2DBackpropInput, ({ inputs, attrs, backend }) => {
    const { inputShape, ...convolution } = attrs as ConvolutionAttributes & { inputShape: Shape4D };
    return inputGradient(
      backend as WebgpuBackend,
      input(inputs, 'dy'),
      input(inputs, 'filter'),
      inputShape,
      convolution,
    );
  });
  splitLongSums();
  tf.unregisterKernel(tf.MaxPoolGrad, 'webgpu');
  register(tf.MaxPoolGrad, maxPoolGrad);
  register(batchNormTrainingKernel, batchNormTraining);
  register(batchNormTrainingGradKernel, batchNormTrainingGrad);
  register(reluGradKernel, reluGrad);
  register(moveAverageKernel, moveAverage);
  register(sgdStepKernel, sgdStep);
}

type Shape4D = [number, number, number, number];

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
  backend: unknown;
}

type Kernel = (call: KernelCall) => tf.TensorInfo | tf.TensorInfo[];

function register(kernelName: string, kernelFunc: Kernel): void {
  tf.registerKernel({ kernelName, backendName: 'webgpu', kernelFunc });
}

/** Puts ours in the place of tfjs's for what networks here do; channels first and dilation stay with tfjs's. */
function replaceForPictures(kernelName: string, kernel: Kernel): void {
  const original = tf.getKernel(kernelName, 'webgpu').kernelFunc;
  tf.unregisterKernel(kernelName, 'webgpu');
  register(kernelName, (call) => {
    const { dataFormat = 'NHWC', dilations = 1 } = call.attrs as { dataFormat?: string; dilations?: number | number[] };
    const isPlain = dataFormat === 'NHWC' && [dilations].flat().every((dilation) => dilation === 1);
    return isPlain ? kernel(call) : original(call as Parameters<typeof original>[0]);
  });
}

/** tfjs's sum of many tensors binds all of them to one program, and a program may bind about ten. */
function splitLongSums(): void {
  const original = tf.getKernel(tf.AddN, 'webgpu').kernelFunc;
  tf.unregisterKernel(tf.AddN, 'webgpu');
  register(tf.AddN, ({ inputs, backend }) => {
    const webgpu = backend as WebgpuBackend;
    const sumOf = (tensors: tf.TensorInfo[]): tf.TensorInfo =>
      original({ inputs: tensors as unknown as tf.NamedTensorInfoMap, attrs: {}, backend: webgpu }) as tf.TensorInfo;
    const most = webgpu.device.limits.maxStorageBuffersPerShaderStage - 1;
    const rest = Object.values(inputs) as tf.TensorInfo[];
    let sum = sumOf(rest.splice(0, most));
    while (rest.length > 0) {
      const next = sumOf([sum, ...rest.splice(0, most - 1)]);
      webgpu.disposeData(sum.dataId);
      sum = next;
    }
    return sum;
  });
}

interface PoolAttributes extends ConvolutionAttributes {
  filterSize: [number, number] | number;
}

/**
 * dy goes to the first largest pixel of its window. tfjs's kernel gives it to another one where several are largest or none is positive.
 * One thread per pixel of x: of each window that it lies in, it looks whether it is the one.
 */
function maxPoolGrad({ inputs, attrs, backend }: KernelCall): tf.TensorInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as PoolAttributes;
  const x = input(inputs, 'input');
  const info = tf.backend_util.computePool2DInfo(x.shape as Shape4D, filterSize, strides, 1, pad, dimRoundingMode);
  const { inHeight, inWidth, outHeight, outWidth, filterHeight, filterWidth, inChannels } = info;
  const { strideHeight, strideWidth, padInfo } = info;
  const size = x.shape.reduce((product, side) => product * side, 1);
  const buffers = ['dy', 'x', 'y'].map((name) => ({ name, components: 1 as const }));
  const [dx] = runProgram(backend as WebgpuBackend, {
    name: 'maxPoolGrad',
    key: [
      inHeight,
      inWidth,
      inChannels,
      filterHeight,
      filterWidth,
      strideHeight,
      strideWidth,
      padInfo.top,
      padInfo.left,
    ]
      .concat(outHeight, outWidth)
      .join(),
    code: () => `
${declareBuffers([{ name: 'dx', components: 1 }], buffers)}
const channels = ${inChannels}u;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&dx); i += groups.x * ${threads}u) {
    let channel = i % channels;
    let column = i32(i / channels % ${inWidth}u);
    let row = i32(i / channels / ${inWidth}u % ${inHeight}u);
    let image = i32(i / channels / ${inWidth * inHeight}u);
    var sum = 0.0;
    for (var tapRow = 0; tapRow < ${filterHeight}; tapRow++) {
      for (var tapColumn = 0; tapColumn < ${filterWidth}; tapColumn++) {
        let top = row + ${padInfo.top} - tapRow;
        let left = column + ${padInfo.left} - tapColumn;
        let window = vec2i(top, left) / vec2i(${strideHeight}, ${strideWidth});
        let isWindow = all(window * vec2i(${strideHeight}, ${strideWidth}) == vec2i(top, left));
        if (!isWindow || top < 0 || left < 0 || window.x >= ${outHeight} || window.y >= ${outWidth}) { continue; }
        let place = u32((image * ${outHeight} + window.x) * ${outWidth} + window.y) * channels + channel;
        var isFirst = x[i] == y[place];
        for (var earlier = 0; earlier < tapRow * ${filterWidth} + tapColumn; earlier++) {
          let otherRow = top - ${padInfo.top} + earlier / ${filterWidth};
          let otherColumn = left - ${padInfo.left} + earlier % ${filterWidth};
          if (otherRow < 0 || otherColumn < 0 || otherColumn >= ${inWidth}) { continue; }
          let other = x[u32((image * ${inHeight} + otherRow) * ${inWidth} + otherColumn) * channels + channel];
          isFirst = isFirst && other != y[place];
        }
        sum += select(0.0, dy[place], isFirst);
      }
    }
    dx[i] = sum;
  }
}`,
    inputs: [input(inputs, 'dy'), x, input(inputs, 'output')],
    outputShapes: [x.shape],
    workgroups: [Math.min(65_535, Math.ceil(size / threads))],
  });
  return dx!;
}

function batchNormTraining({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const webgpu = backend as WebgpuBackend;
  const { epsilon } = attrs as { epsilon: number };
  const [y, mean, variance, inverseDeviation] = normaliseBatch(
    webgpu,
    input(inputs, 'x'),
    input(inputs, 'scale'),
    input(inputs, 'offset'),
    epsilon,
  );
  // The mean is given twice, and every output is disposed on its own; the third that may be saved is not needed.
  webgpu.incRef(mean.dataId);
  const none = webgpu.makeTensorInfo([0], 'float32', new Float32Array());
  return [y, mean, variance, { ...mean }, inverseDeviation, none];
}

function batchNormTrainingGrad({ inputs, backend }: KernelCall): tf.TensorInfo[] {
  return batchNormGradient(backend as WebgpuBackend, {
    dy: input(inputs, 'dy'),
    x: input(inputs, 'x'),
    scale: input(inputs, 'scale'),
    mean: input(inputs, 'saved0'),
    inverseDeviation: input(inputs, 'saved1'),
  });
}

function reluGrad({ inputs, backend }: KernelCall): tf.TensorInfo {
  const dy = input(inputs, 'dy');
  const [dx] = runElementwise(backend as WebgpuBackend, {
    name: 'reluGrad',
    inputs: { dy, y: input(inputs, 'y') },
    outputs: ['dx'],
    statement: (type) => `dx[i] = select(${type}(), dy[i], y[i] > ${type}());`,
  });
  return dx!;
}

function moveAverage({ inputs, attrs, backend }: KernelCall): tf.TensorInfo {
  const { share } = attrs as { share: number };
  const [moved] = runElementwise(backend as WebgpuBackend, {
    name: `moveAverage ${share}`,
    inputs: { average: input(inputs, 'average'), latest: input(inputs, 'latest') },
    outputs: ['moved'],
    statement: () => `moved[i] = average[i] * ${1 - share} + latest[i] * ${share};`,
  });
  return moved!;
}

function sgdStep({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const { momentum, weightDecay, nesterov } = attrs as SgdStepAttributes;
  return runElementwise(backend as WebgpuBackend, {
    name: `sgdStep ${momentum} ${weightDecay} ${nesterov}`,
    inputs: {
      parameter: input(inputs, 'parameter'),
      velocity: input(inputs, 'velocity'),
      gradient: input(inputs, 'gradient'),
    },
    scalar: { name: 'rate', tensor: input(inputs, 'learningRate') },
    outputs: ['nextParameter', 'nextVelocity'],
    statement: () => `
    let decayed = gradient[i] + parameter[i] * f32(${weightDecay});
    let moved = velocity[i] * f32(${momentum}) + decayed;
    nextVelocity[i] = moved;
    nextParameter[i] = parameter[i] - rate[0] * ${nesterov ? `(decayed + moved * f32(${momentum}))` : 'moved'};`,
  });
}

interface Elementwise {
  name: string;
  /** All of one size. */
  inputs: Record<string, tf.TensorInfo>;
  /** One number for all, `[1]`. */
  scalar?: { name: string; tensor: tf.TensorInfo };
  outputs: string[];
  /** WGSL that writes the outputs at `i`. */
  statement: (type: string) => string;
}

const threads = 256;

function runElementwise(
  backend: WebgpuBackend,
  { name, inputs, scalar, outputs, statement }: Elementwise,
): tf.TensorInfo[] {
  const [{ shape }] = Object.values(inputs) as [tf.TensorInfo];
  const size = shape.reduce((product, side) => product * side, 1);
  const components = componentsFor(size);
  const declare = (buffer: string): { name: string; components: 1 | 4 } => ({ name: buffer, components });
  return runProgram(backend, {
    name,
    key: `${components}`,
    code: () => `
${declareBuffers(outputs.map(declare), [
  ...Object.keys(inputs).map(declare),
  ...(scalar === undefined ? [] : [{ name: scalar.name, components: 1 as const }]),
])}
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&${outputs[0]!}); i += groups.x * ${threads}u) {
    ${statement(typeOf(components))}
  }
}`,
    inputs: [...Object.values(inputs), ...(scalar === undefined ? [] : [scalar.tensor])],
    outputShapes: outputs.map(() => shape),
    workgroups: [Math.min(65_535, Math.ceil(size / components / threads))],
  });
}

function input(inputs: KernelCall['inputs'], name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`The kernel has no input "${name}".`);
  return tensor;
}
