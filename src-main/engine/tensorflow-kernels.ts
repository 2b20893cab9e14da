import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrainingGradKernel, batchNormTrainingKernel, reluGradKernel } from '../../shared/kernels.ts';
import type { OpAttribute, TensorflowBackend } from './tensorflow.ts';

/*
 * Winnow's kernels as single TensorFlow operations: tfjs would compose each of a dozen, and in a small
 * network the memory traffic of those costs more than the convolutions.
 */

export function registerTensorflowKernels(): void {
  tf.registerKernel({ kernelName: batchNormTrainingKernel, backendName: 'tensorflow', kernelFunc: batchNormTraining });
  tf.registerKernel({
    kernelName: batchNormTrainingGradKernel,
    backendName: 'tensorflow',
    kernelFunc: batchNormTrainingGrad,
  });
  tf.registerKernel({ kernelName: reluGradKernel, backendName: 'tensorflow', kernelFunc: reluGrad });
  replaceStridedGradients();
}

/**
 * The gradients of a strided 1×1 convolution as matrix products: only every stride-th pixel takes part. oneDNN's own gradient of
 * the filter writes outside its memory (seen with TensorFlow 2.21: 8 → 16 channels, batch 125, two threads), and that of the input takes
 * half as long again.
 */
function replaceStridedGradients(): void {
  replaceKernel(tf.Conv2DBackpropFilter, (call, original) => {
    const { strides, pad, filterShape } = call.attrs as unknown as tf.Conv2DBackpropFilterAttrs;
    const stride = strideOfPixels(filterShape, strides, pad);
    if (stride === null) return original(call);
    return tf.tidy(() => {
      const seen = everyPixel(input(call.inputs, 'x') as tf.Tensor4D, stride);
      const dy = rows(input(call.inputs, 'dy') as tf.Tensor);
      return tf.reshape(tf.matMul(rows(seen), dy, true, false), filterShape);
    });
  });
  replaceKernel(tf.Conv2DBackpropInput, (call, original) => {
    const { strides, pad, inputShape } = call.attrs as unknown as tf.Conv2DBackpropInputAttrs;
    const filter = input(call.inputs, 'filter') as tf.Tensor4D;
    const stride = strideOfPixels(filter.shape, strides, pad);
    const [batch, height, width, channels] = inputShape;
    if (stride === null || height % stride[0] !== 0 || width % stride[1] !== 0) return original(call);
    const [vertical, horizontal] = stride;
    return tf.tidy(() => {
      const dy = rows(input(call.inputs, 'dy') as tf.Tensor);
      const seen = tf.matMul(dy, tf.reshape<tf.Rank.R2>(filter, [channels, dy.shape[1]]), false, true);
      // Zeros behind the channels of a pixel are pixels once the shape is read anew; the same for rows.
      const spread = tf.pad(tf.reshape(seen, [(batch * height) / vertical, 1, width / horizontal, channels]), [
        [0, 0],
        [0, vertical - 1],
        [0, 0],
        [0, (horizontal - 1) * channels],
      ]);
      return tf.reshape(spread, inputShape);
    });
  });
}

/** Steps down and right between the pixels that a 1×1 filter reads; null if it reads all, or is no 1×1 filter. */
function strideOfPixels(
  [filterHeight, filterWidth]: readonly number[],
  strides: number | [number, number],
  pad: unknown,
): [number, number] | null {
  const [vertical, horizontal] = typeof strides === 'number' ? [strides, strides] : strides;
  const isWhole = vertical === 1 && horizontal === 1;
  if (filterHeight !== 1 || filterWidth !== 1 || isWhole || (pad !== 'same' && pad !== 'valid')) return null;
  return [vertical, horizontal];
}

/** `[batch, ⌈height / vertical⌉, ⌈width / horizontal⌉, channels]` */
function everyPixel(x: tf.Tensor4D, [vertical, horizontal]: [number, number]): tf.Tensor4D {
  const [batch, height, width, channels] = x.shape;
  if (height % vertical !== 0 || width % horizontal !== 0) {
    return tf.stridedSlice(x, [0, 0, 0, 0], x.shape, [1, vertical, horizontal, 1]) as tf.Tensor4D;
  }
  // Where it comes out even, the wanted pixels are the first of each group, and to cut those off is eight times as quick.
  const [seenHeight, seenWidth] = [height / vertical, width / horizontal];
  const groups = tf.reshape<tf.Rank.R4>(x, [batch * seenHeight, vertical, seenWidth, horizontal * channels]);
  const first = tf.slice4d(groups, [0, 0, 0, 0], [batch * seenHeight, 1, seenWidth, channels]);
  return tf.reshape(first, [batch, seenHeight, seenWidth, channels]);
}

/** `[…, channels]` as `[rows, channels]` */
function rows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape<tf.Rank.R2>(x, [-1, x.shape.at(-1) ?? 1]);
}

type Kernel = tf.KernelConfig['kernelFunc'];

/** tfjs would warn of a second registration. */
function replaceKernel(
  kernelName: string,
  kernel: (call: Parameters<Kernel>[0], original: Kernel) => ReturnType<Kernel>,
): void {
  const original = tf.getKernel(kernelName, 'tensorflow').kernelFunc;
  tf.unregisterKernel(kernelName, 'tensorflow');
  tf.registerKernel({ kernelName, backendName: 'tensorflow', kernelFunc: (call) => kernel(call, original) });
}

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
  backend: unknown;
}

/** FusedBatchNormV3 → y, mean, unbiased variance and three opaque reserves; the reserves are what its gradient wants back. */
function batchNormTraining({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const tensorflow = backend as TensorflowBackend;
  const { epsilon } = attrs as { epsilon: number };
  return tf.tidy(() => {
    const none = tf.tensor1d([]);
    return tensorflow.executeMultipleOutputs(
      'FusedBatchNormV3',
      [
        ...batchNormAttributes(tensorflow, epsilon),
        { name: 'exponential_avg_factor', type: tensorflow.binding.TF_ATTR_FLOAT, value: 1 },
      ],
      [input(inputs, 'x'), input(inputs, 'scale'), input(inputs, 'offset'), none, none],
      6,
    );
  });
}

function batchNormTrainingGrad({ inputs, attrs, backend }: KernelCall): tf.TensorInfo[] {
  const tensorflow = backend as TensorflowBackend;
  const { epsilon } = attrs as { epsilon: number };
  const names = ['dy', 'x', 'scale', 'saved0', 'saved1', 'saved2'];
  return tf.tidy(() =>
    tensorflow
      .executeMultipleOutputs(
        'FusedBatchNormGradV3',
        batchNormAttributes(tensorflow, epsilon),
        names.map((name) => input(inputs, name)),
        5,
      )
      .slice(0, 3),
  );
}

function reluGrad({ inputs, backend }: KernelCall): tf.TensorInfo {
  const tensorflow = backend as TensorflowBackend;
  const type = { name: 'T', type: tensorflow.binding.TF_ATTR_TYPE, value: tensorflow.binding.TF_FLOAT };
  return tensorflow.executeSingleOutput('ReluGrad', [type], [input(inputs, 'dy'), input(inputs, 'y')]);
}

function batchNormAttributes({ binding }: TensorflowBackend, epsilon: number): OpAttribute[] {
  return [
    { name: 'T', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'U', type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT },
    { name: 'epsilon', type: binding.TF_ATTR_FLOAT, value: epsilon },
    { name: 'data_format', type: binding.TF_ATTR_STRING, value: 'NHWC' },
    { name: 'is_training', type: binding.TF_ATTR_BOOL, value: true },
  ];
}

function input(inputs: KernelCall['inputs'], name: string): tf.TensorInfo {
  const tensor = inputs[name];
  if (tensor === undefined) throw new Error(`The kernel has no input "${name}".`);
  return tensor;
}
