import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrainingGradKernel, batchNormTrainingKernel, reluGradKernel } from '../../shared/kernels.ts';

/*
 * What the WebAssembly backend lacks, composed of kernels it has.
 */

export function registerWasmKernels(): void {
  tf.registerKernel({ kernelName: tf.Conv2DBackpropFilter, backendName: 'wasm', kernelFunc: conv2dBackpropFilter });
  tf.registerKernel({ kernelName: batchNormTrainingKernel, backendName: 'wasm', kernelFunc: batchNormTraining });
  tf.registerKernel({
    kernelName: batchNormTrainingGradKernel,
    backendName: 'wasm',
    kernelFunc: batchNormTrainingGrad,
  });
  tf.registerKernel({ kernelName: reluGradKernel, backendName: 'wasm', kernelFunc: reluGrad });
}

interface KernelCall {
  inputs: Record<string, tf.TensorInfo | undefined>;
  attrs?: unknown;
}

/**
 * The filter's gradient as a convolution: dW[i, j, ci, co] = Σ_{b,h,w} x[b, s·h+i, s·w+j, ci] · dy[b, h, w, co]
 * is x with batch and channels exchanged, convolved with dy (as `[h, w, b, co]`) dilated by the stride s.
 */
function conv2dBackpropFilter({ inputs, attrs }: KernelCall): tf.TensorInfo {
  const { strides, pad, dimRoundingMode, filterShape } = attrs as {
    strides: [number, number] | number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
    filterShape: [number, number, number, number];
  };
  const x = tensor(inputs, 'x') as tf.Tensor4D;
  const dy = tensor(inputs, 'dy') as tf.Tensor4D;
  const info = tf.backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, pad, dimRoundingMode, false);
  const { top, left } = info.padInfo;
  const [, height, width] = x.shape;
  // Pad (or crop) so that every filter position finds exactly the pixels that the forward pass saw.
  const paddedHeight = (info.outHeight - 1) * info.strideHeight + info.filterHeight;
  const paddedWidth = (info.outWidth - 1) * info.strideWidth + info.filterWidth;
  return tf.tidy(() => {
    const padded = tf.pad4d(x, [
      [0, 0],
      [top, Math.max(0, paddedHeight - height - top)],
      [left, Math.max(0, paddedWidth - width - left)],
      [0, 0],
    ]);
    const seen = tf.slice4d(padded, [0, 0, 0, 0], [x.shape[0], paddedHeight, paddedWidth, x.shape[3]]);
    const gradient = tf.conv2d(
      tf.transpose<tf.Tensor4D>(seen, [3, 1, 2, 0]),
      tf.transpose<tf.Tensor4D>(dy, [1, 2, 0, 3]),
      1,
      'valid',
      'NHWC',
      [info.strideHeight, info.strideWidth],
    );
    return tf.transpose(gradient, [1, 2, 0, 3]);
  });
}

/** Saves mean, 1/σ and nothing: the third reserve is an empty tensor. */
function batchNormTraining({ inputs, attrs }: KernelCall): tf.TensorInfo[] {
  const { epsilon } = attrs as { epsilon: number };
  return tf.tidy(() => {
    const x = rows(tensor(inputs, 'x'));
    const mean = columnMeans(x);
    const centred = tf.sub<tf.Tensor2D>(x, mean);
    const inverseDeviation = tf.rsqrt(tf.add(columnMeans(tf.square<tf.Tensor2D>(centred)), epsilon));
    const y = tf.add(tf.mul(centred, tf.mul(inverseDeviation, tensor(inputs, 'scale'))), tensor(inputs, 'offset'));
    return [tf.reshape(y, tensor(inputs, 'x').shape), mean, inverseDeviation, tf.tensor1d([])];
  });
}

/** dx = γ/σ · (dy − mean(dy) − x̂ · mean(dy · x̂)) */
function batchNormTrainingGrad({ inputs }: KernelCall): tf.TensorInfo[] {
  return tf.tidy(() => {
    const dy = rows(tensor(inputs, 'dy'));
    const inverseDeviation = tensor(inputs, 'saved1');
    const normalised = tf.mul(tf.sub(rows(tensor(inputs, 'x')), tensor(inputs, 'saved0')), inverseDeviation);
    const meanGradient = columnMeans(dy);
    const meanProduct = columnMeans(tf.mul<tf.Tensor2D>(dy, normalised));
    const count = dy.shape[0];
    const dx = tf.mul(
      tf.sub(tf.sub(dy, meanGradient), tf.mul(normalised, meanProduct)),
      tf.mul(tensor(inputs, 'scale'), inverseDeviation),
    );
    return [tf.reshape(dx, tensor(inputs, 'x').shape), tf.mul(meanProduct, count), tf.mul(meanGradient, count)];
  });
}

function reluGrad({ inputs }: KernelCall): tf.TensorInfo {
  return tf.tidy(() => tf.mul(tensor(inputs, 'dy'), tf.step(tensor(inputs, 'y'))));
}

/** `[…, channels]` as `[rows, channels]` */
function rows(x: tf.Tensor): tf.Tensor2D {
  return tf.reshape<tf.Rank.R2>(x, [-1, x.shape.at(-1) ?? 1]);
}

/** Means over the rows, as a matrix product: this backend's reduction would transpose the whole tensor first. `[channels]` */
function columnMeans(x: tf.Tensor2D): tf.Tensor1D {
  const weights = tf.fill<tf.Rank.R2>([1, x.shape[0]], 1 / x.shape[0]);
  return tf.reshape(tf.matMul(weights, x), [x.shape[1]]);
}

function tensor(inputs: KernelCall['inputs'], name: string): tf.Tensor {
  const value = inputs[name];
  if (value === undefined) throw new Error(`The kernel has no input "${name}".`);
  return value as tf.Tensor;
}
