import * as tf from '@tensorflow/tfjs-core';
import { runMatrixProduct, type MatrixProduct, type MatrixSource } from './webgpu-matrix-product.ts';
import { componentsFor, type WebgpuBackend } from './webgpu-program.ts';

/*
 * A convolution and its two gradients as matrix products. tfjs's gradients have one thread per output, which walks the whole batch
 * alone. x is `[batch, height, width, inputs]`, the filter `[size, size, inputs, outputs]`, dy like the convolution's output.
 */

type Shape4D = [number, number, number, number];

export interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/*
 * What brings usual numbers amid the range of f16, whose smallest full precision is 6e-5. Pictures between normalisations are about 1, up to
 * 10; filters 0.01 to 0.5; gradients, of a mean over the batch, mostly 1e-8 to 1e-5, up to 3e-4 (seen in the compact network).
 */
const halfScales = { picture: 1, filter: 16, gradient: 65_536 };

/** y = x * filter: patches of x `[pixels of y, taps · inputs]` times the filter `[taps · inputs, outputs]`. */
export function convolve(
  backend: WebgpuBackend,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(x.shape as Shape4D, filter.shape as Shape4D, attributes);
  const { batchSize, outHeight, outWidth, outChannels, inChannels, filterHeight, filterWidth } = info;
  const components = { x: componentsFor(inChannels), filter: componentsFor(outChannels) };
  return runMatrixProduct(backend, {
    name: 'convolution',
    key: keyOf(info),
    inputs: [
      { tensor: x, declaration: { name: 'x', components: components.x } },
      { tensor: filter, declaration: { name: 'kernel', components: components.filter } },
    ],
    outputShape: info.outShape,
    declarations: constantsOf(info) + patchCode(components.x),
    setup: `let rowCount = ${batchOf('x', components.x, 'height * width * inputs')} * outHeight * outWidth; let depthCount = taps * inputs;`,
    a: {
      components: components.x,
      alongDepth: true,
      halfScale: halfScales.picture,
      element: 'return patchAt(outer, depth);',
    },
    b: rowsOf('kernel', components.filter, halfScales.filter),
    columns: outChannels,
    rowStart: 'return row * outputs;',
    largestRows: batchSize * outHeight * outWidth,
    largestDepth: filterHeight * filterWidth * inChannels,
    phases: 1,
  });
}

/** Patches of x, turned `[taps · inputs, pixels of y]`, times dy `[pixels of y, outputs]`; a long depth and a small result. */
export function filterGradient(
  backend: WebgpuBackend,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  filterShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(x.shape as Shape4D, filterShape, attributes);
  const { batchSize, outHeight, outWidth, outChannels, inChannels, filterHeight, filterWidth } = info;
  const components = { x: componentsFor(inChannels), dy: componentsFor(outChannels) };
  return runMatrixProduct(backend, {
    name: 'filterGradient',
    key: keyOf(info),
    inputs: [
      { tensor: x, declaration: { name: 'x', components: components.x } },
      { tensor: dy, declaration: { name: 'dy', components: components.dy } },
    ],
    outputShape: filterShape,
    declarations: constantsOf(info) + patchCode(components.x),
    setup: `let rowCount = taps * inputs; let depthCount = ${batchOf('x', components.x, 'height * width * inputs')} * outHeight * outWidth;`,
    a: {
      components: components.x,
      alongDepth: false,
      halfScale: halfScales.picture,
      element: 'return patchAt(depth, outer);',
    },
    b: rowsOf('dy', components.dy, halfScales.gradient),
    columns: outChannels,
    rowStart: 'return row * outputs;',
    largestRows: filterHeight * filterWidth * inChannels,
    largestDepth: batchSize * outHeight * outWidth,
    phases: 1,
  });
}

/**
 * Patches of dy `[pixels of x, taps · outputs]` times the turned filter `[taps · outputs, inputs]`. With a stride s a pixel of x was seen
 * by a part of the taps alone, the same for all pixels of its place (y mod s, x mod s): each such place is a product of its own.
 */
export function inputGradient(
  backend: WebgpuBackend,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  inputShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(inputShape, filter.shape as Shape4D, attributes);
  const { batchSize, inHeight, inWidth, inChannels, outChannels, filterHeight, filterWidth } = info;
  const { strideHeight, strideWidth } = info;
  // Both are read along the output channels.
  const components = componentsFor(outChannels);
  return runMatrixProduct(backend, {
    name: 'inputGradient',
    key: keyOf(info),
    inputs: [
      { tensor: dy, declaration: { name: 'dy', components } },
      { tensor: filter, declaration: { name: 'kernel', components } },
    ],
    outputShape: inputShape,
    declarations: `${constantsOf(info)}
/* Of this phase: the first row and column of x, how many there are, the first tap that sees them, and how many do. */
var<private> first: vec2u;
var<private> count: vec2u;
var<private> firstTap: vec2u;
var<private> tapCount: vec2u;`,
    setup: `
  let stride = vec2u(strideHeight, strideWidth);
  let firstHere = vec2u(phaseHere / strideWidth, phaseHere % strideWidth);
  let countHere = (max(vec2u(height, width), firstHere) + stride - 1u - firstHere) / stride;
  let firstTapHere = (firstHere + vec2u(top, left)) % stride;
  let tapCountHere = (max(vec2u(filterHeight, filterWidth), firstTapHere) + stride - 1u - firstTapHere) / stride;
  let rowCount = ${batchOf('dy', components, 'outHeight * outWidth * outputs')} * countHere.x * countHere.y;
  let depthCount = tapCountHere.x * tapCountHere.y * outputs;
  first = firstHere; count = countHere; firstTap = firstTapHere; tapCount = tapCountHere;`,
    a: {
      components,
      alongDepth: true,
      halfScale: halfScales.gradient,
      element: `
  let pixel = vec2u(outer / count.y % count.x, outer % count.y);
  let tap = vec2u(depth / outputs / tapCount.y, depth / outputs % tapCount.y);
  let stride = vec2u(strideHeight, strideWidth);
  let place = vec2i(pixel + (first + vec2u(top, left) - firstTap) / stride) - vec2i(tap);
  if (any(place < vec2i(0)) || place.x >= i32(outHeight) || place.y >= i32(outWidth)) { return ${zeroOf(components)}; }
  let image = outer / count.y / count.x;
  return dy[(((image * outHeight + u32(place.x)) * outWidth + u32(place.y)) * outputs + depth % outputs) / ${components}u];`,
    },
    b: {
      components,
      alongDepth: true,
      halfScale: halfScales.filter,
      element: `
  let tap = firstTap + vec2u(depth / outputs / tapCount.y, depth / outputs % tapCount.y) * vec2u(strideHeight, strideWidth);
  return kernel[(((tap.x * filterWidth + tap.y) * inputs + outer) * outputs + depth % outputs) / ${components}u];`,
    },
    columns: inChannels,
    rowStart: `
  let pixel = first + vec2u(row / count.y % count.x, row % count.y) * vec2u(strideHeight, strideWidth);
  return ((row / count.y / count.x * height + pixel.x) * width + pixel.y) * inputs;`,
    largestRows: batchSize * Math.ceil(inHeight / strideHeight) * Math.ceil(inWidth / strideWidth),
    largestDepth: Math.ceil(filterHeight / strideHeight) * Math.ceil(filterWidth / strideWidth) * outChannels,
    phases: strideHeight * strideWidth,
  } satisfies MatrixProduct);
}

type Geometry = tf.backend_util.Conv2DInfo;

function geometry(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dimRoundingMode }: ConvolutionAttributes,
): Geometry {
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, 1, pad, dimRoundingMode, false);
}

/** The batch size is no constant, so that the rest of an epoch needs no shader of its own. */
function constants(info: Geometry): Record<string, number> {
  return {
    height: info.inHeight,
    width: info.inWidth,
    inputs: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outputs: info.outChannels,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    taps: info.filterHeight * info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    top: info.padInfo.top,
    left: info.padInfo.left,
  };
}

function constantsOf(info: Geometry): string {
  return Object.entries(constants(info))
    .map(([name, value]) => `const ${name} = ${value}u;\n`)
    .join('');
}

function keyOf(info: Geometry): string {
  return Object.values(constants(info)).join();
}

/** The patch of x under the filter at a pixel of y; `tapInput` counts taps · inputs. */
function patchCode(components: 1 | 4): string {
  return `
fn patchAt(pixel: u32, tapInput: u32) -> ${components === 4 ? 'vec4f' : 'f32'} {
  let tap = tapInput / inputs;
  let y = i32(pixel / outWidth % outHeight * strideHeight + tap / filterWidth) - i32(top);
  let column = i32(pixel % outWidth * strideWidth + tap % filterWidth) - i32(left);
  if (y < 0 || y >= i32(height) || column < 0 || column >= i32(width)) { return ${zeroOf(components)}; }
  let image = pixel / outWidth / outHeight;
  return x[(((image * height + u32(y)) * width + u32(column)) * inputs + tapInput % inputs) / ${components}u];
}`;
}

/** A matrix that lies in memory as it is read, row after row of output channels. */
function rowsOf(buffer: string, components: 1 | 4, halfScale: number): MatrixSource {
  return {
    components,
    alongDepth: false,
    halfScale,
    element: `return ${buffer}[(depth * outputs + outer) / ${components}u];`,
  };
}

function batchOf(buffer: string, components: 1 | 4, size: string): string {
  return `arrayLength(&${buffer}) * ${components}u / (${size})`;
}

function zeroOf(components: 1 | 4): string {
  return components === 4 ? 'vec4f()' : '0.0';
}
