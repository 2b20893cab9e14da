import * as tf from '@tensorflow/tfjs-core';
import { batchNormTrainingGradKernel, batchNormTrainingKernel, reluGradKernel } from '../../shared/kernels.ts';

/*
 * What the WebAssembly backend lacks, composed of kernels it has. Its forward convolution (XNNPACK) makes about 25 GFLOP/s per
 * core where its own input gradient makes 2.5, so both gradients are written as forward convolutions.
 */

export function registerWasmKernels(): void {
  // Replaced on purpose; tfjs would warn of a second registration.
  tf.unregisterKernel(tf.Conv2DBackpropInput, 'wasm');
  tf.registerKernel({ kernelName: tf.Conv2DBackpropInput, backendName: 'wasm', kernelFunc: conv2dBackpropInput });
  tf.registerKernel({ kernelName: tf.Conv2DBackpropFilter, backendName: 'wasm', kernelFunc: conv2dBackpropFilter });
  tf.unregisterKernel(tf.MaxPoolGrad, 'wasm');
  tf.registerKernel({ kernelName: tf.MaxPoolGrad, backendName: 'wasm', kernelFunc: maxPoolGrad });
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

interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

interface PoolAttributes extends ConvolutionAttributes {
  filterSize: [number, number] | number;
}

/**
 * The filter's gradient as a convolution: dW[i, j, ci, co] = Σ_{b,h,w} x[b, s·h+i, s·w+j, ci] · dy[b, h, w, co]
 * is x with batch and channels exchanged, convolved with dy (as `[h, w, b, co]`) dilated by the stride s.
 */
function conv2dBackpropFilter({ inputs, attrs }: KernelCall): tf.TensorInfo {
  const { filterShape, ...convolution } = attrs as ConvolutionAttributes & { filterShape: Shape4D };
  const x = tensor(inputs, 'x') as tf.Tensor4D;
  const dy = tensor(inputs, 'dy') as tf.Tensor4D;
  const { strideHeight, strideWidth, top, left, reachHeight, reachWidth } = geometry(x.shape, filterShape, convolution);
  return tf.tidy(() => {
    // Exactly the pixels that the forward pass saw.
    const seen = window(x, -top, -left, reachHeight, reachWidth);
    const gradient = tf.conv2d(
      tf.transpose<tf.Tensor4D>(seen, [3, 1, 2, 0]),
      tf.transpose<tf.Tensor4D>(dy, [1, 2, 0, 3]),
      1,
      'valid',
      'NHWC',
      [strideHeight, strideWidth],
    );
    return tf.transpose(gradient, [1, 2, 0, 3]);
  });
}

/**
 * The input's gradient as a convolution: dy, with s − 1 zeros between its pixels and a border as wide as the filter
 * reaches, convolved with the filter turned by 180° and its channels exchanged.
 */
function conv2dBackpropInput({ inputs, attrs }: KernelCall): tf.TensorInfo {
  const { inputShape, ...convolution } = attrs as ConvolutionAttributes & { inputShape: Shape4D };
  const filter = tensor(inputs, 'filter') as tf.Tensor4D;
  const dy = tensor(inputs, 'dy') as tf.Tensor4D;
  const [filterHeight, filterWidth] = filter.shape;
  const { strideHeight, strideWidth, top, left } = geometry(inputShape, filter.shape, convolution);
  const [, height, width] = inputShape;
  return tf.tidy(() => {
    const turned = tf.transpose<tf.Tensor4D>(tf.reverse<tf.Tensor4D>(filter, [0, 1]), [0, 1, 3, 2]);
    // A 1×1 filter mixes no neighbours, so the zeros can wait until after it.
    if (filterHeight === 1 && filterWidth === 1) {
      const mixed = tf.conv2d(dy, turned, 1, 'valid');
      return window(spread(mixed, strideHeight, strideWidth), top, left, height, width);
    }
    const spreadDy = spread(dy, strideHeight, strideWidth);
    const rows = height + filterHeight - 1;
    const columns = width + filterWidth - 1;
    const bordered = window(spreadDy, top - filterHeight + 1, left - filterWidth + 1, rows, columns);
    return tf.conv2d(bordered, turned, 1, 'valid');
  });
}

/**
 * dy goes to the first largest pixel of its window. tfjs's own kernel starts its search at 0 instead of −∞, so that windows without
 * a positive pixel lose their gradient.
 */
function maxPoolGrad({ inputs, attrs }: KernelCall): tf.TensorInfo {
  const { filterSize, strides, pad, dimRoundingMode } = attrs as PoolAttributes;
  const x = tensor(inputs, 'input') as tf.Tensor4D;
  const y = tensor(inputs, 'output') as tf.Tensor4D;
  const dy = tensor(inputs, 'dy') as tf.Tensor4D;
  const info = tf.backend_util.computePool2DInfo(x.shape, filterSize, strides, 1, pad, dimRoundingMode);
  const { strideHeight, strideWidth, inHeight, inWidth, outHeight, outWidth, padInfo } = info;
  return tf.tidy(() => {
    let dx: tf.Tensor4D = tf.zerosLike(x);
    // 1 for the windows whose largest pixel is still to be met.
    let open: tf.Tensor4D = tf.onesLike(y);
    for (let row = 0; row < info.filterHeight; row++) {
      for (let column = 0; column < info.filterWidth; column++) {
        const [top, left] = [row - padInfo.top, column - padInfo.left];
        const seen = window(x, top, left, outHeight * strideHeight, outWidth * strideWidth, -Infinity);
        const pixels = tf.stridedSlice(seen, [0, 0, 0, 0], seen.shape, [1, strideHeight, strideWidth, 1]);
        const largest = tf.mul<tf.Tensor4D>(tf.cast(tf.equal(pixels, y), 'float32'), open);
        open = tf.sub(open, largest);
        const given = spread(tf.mul(largest, dy), strideHeight, strideWidth);
        dx = tf.add(dx, window(given, -top, -left, inHeight, inWidth));
      }
    }
    return dx;
  });
}

type Shape4D = [number, number, number, number];

function geometry(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dimRoundingMode }: ConvolutionAttributes,
): { strideHeight: number; strideWidth: number; top: number; left: number; reachHeight: number; reachWidth: number } {
  const info = tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode, false);
  return {
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
    // Rows and columns from the first to the last pixel that a filter position touches.
    reachHeight: (info.outHeight - 1) * info.strideHeight + info.filterHeight,
    reachWidth: (info.outWidth - 1) * info.strideWidth + info.filterWidth,
  };
}

/** The pixels from (top, left) on, `fill` where `x` has none. */
function window(x: tf.Tensor4D, top: number, left: number, height: number, width: number, fill = 0): tf.Tensor4D {
  const [batch, xHeight, xWidth, channels] = x.shape;
  const border: [number, number][] = [
    [0, 0],
    [Math.max(0, -top), Math.max(0, top + height - xHeight)],
    [Math.max(0, -left), Math.max(0, left + width - xWidth)],
    [0, 0],
  ];
  const padded = tf.pad(x, border, fill);
  return tf.slice4d(padded, [0, Math.max(0, top), Math.max(0, left), 0], [batch, height, width, channels]);
}

/** Puts stride − 1 zeros after every pixel. */
function spread(x: tf.Tensor4D, strideHeight: number, strideWidth: number): tf.Tensor4D {
  if (strideHeight === 1 && strideWidth === 1) return x;
  const [batch, height, width, channels] = x.shape;
  // Zeros behind the channels of a pixel are pixels once the shape is read anew; the same for rows.
  const columns = tf.pad(tf.reshape(x, [batch * height, width, channels]), [
    [0, 0],
    [0, 0],
    [0, (strideWidth - 1) * channels],
  ]);
  const wide = width * strideWidth * channels;
  const rows = tf.pad(tf.reshape(columns, [batch * height, wide]), [
    [0, 0],
    [0, (strideHeight - 1) * wide],
  ]);
  return tf.reshape(rows, [batch, height * strideHeight, width * strideWidth, channels]);
}

/** y, mean and unbiased variance; then what the gradient wants back: mean, 1/σ and nothing, so the third is an empty tensor. */
function batchNormTraining({ inputs, attrs }: KernelCall): tf.TensorInfo[] {
  const { epsilon } = attrs as { epsilon: number };
  return tf.tidy(() => {
    const x = rows(tensor(inputs, 'x'));
    const mean = columnMeans(x);
    const centred = tf.sub<tf.Tensor2D>(x, mean);
    const variance = columnMeans(tf.square<tf.Tensor2D>(centred));
    const inverseDeviation = tf.rsqrt(tf.add(variance, epsilon));
    const y = tf.add(tf.mul(centred, tf.mul(inverseDeviation, tensor(inputs, 'scale'))), tensor(inputs, 'offset'));
    const unbiased = tf.mul(variance, x.shape[0] / Math.max(1, x.shape[0] - 1));
    // The mean is given twice, and every output is disposed on its own.
    return [tf.reshape(y, tensor(inputs, 'x').shape), mean, unbiased, mean.clone(), inverseDeviation, tf.tensor1d([])];
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
