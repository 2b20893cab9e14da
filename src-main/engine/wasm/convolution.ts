import * as tf from '@tensorflow/tfjs-core';
import type { Machine } from './machine.ts';
import {
  addBorder,
  convolutionChunk,
  convolutionScratch,
  convolve,
  filterGradient,
  gradientScratch,
  packPanels,
  sumChunk,
  sumSplits,
  tileColumns,
  tileRows,
} from './programs.ts';

/*
 * A convolution and its two gradients as products of matrices whose rows are gathered where they lie. The input's gradient is a
 * convolution of dy again: one for each remainder of the stride, with those taps of the filter that meet it, so that a
 * strided convolution multiplies no zeros.
 */

type Shape4D = [number, number, number, number];

interface ConvolutionAttributes {
  strides: [number, number] | number;
  pad: 'valid' | 'same' | number | tf.backend_util.ExplicitPadding;
  dimRoundingMode?: 'floor' | 'round' | 'ceil';
  dilations?: [number, number] | number;
}

interface Tap {
  /** Row and column of x that the tap reads at the grid's first pixel. */
  height: number;
  width: number;
  /** Its matrix `[inputs, outputs]` among the filter's. */
  index: number;
}

interface Grid {
  taps: Tap[];
  images: number;
  size: [number, number];
  inStep: [number, number];
  outStep: [number, number];
  outStart: [number, number];
}

export function conv2d(
  machine: Machine,
  x: tf.TensorInfo,
  filter: tf.TensorInfo,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(x.shape as Shape4D, filter.shape as Shape4D, attributes);
  const y = machine.makeOutput(info.outShape);
  withPictures(machine, x, info, (pictures, taps) =>
    runGrid(machine, pictures, filter, 'forward', y, {
      taps,
      images: info.batchSize,
      size: [info.outHeight, info.outWidth],
      inStep: [info.strideHeight, info.strideWidth],
      outStep: [1, 1],
      outStart: [0, 0],
    }),
  );
  return y;
}

/** dx[s · g + r] = Σ dy[g + (r − t) / s] · Wᵀ[t] over the taps t that leave the remainder r. */
export function conv2dInputGradient(
  machine: Machine,
  dy: tf.TensorInfo,
  filter: tf.TensorInfo,
  inputShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(inputShape, filter.shape as Shape4D, attributes);
  const { strideHeight, strideWidth, inHeight, inWidth } = info;
  const dx = machine.makeOutput(inputShape);
  for (let row = 0; row < Math.min(strideHeight, inHeight); row++) {
    for (let column = 0; column < Math.min(strideWidth, inWidth); column++) {
      const taps = tapsOf(info).map(({ height, width, index }) => ({
        height: (row - height) / strideHeight,
        width: (column - width) / strideWidth,
        index,
      }));
      runGrid(machine, picturesOf(machine, dy), filter, 'transposed', dx, {
        taps: taps.filter(({ height, width }) => Number.isInteger(height) && Number.isInteger(width)),
        images: info.batchSize,
        size: [Math.ceil((inHeight - row) / strideHeight), Math.ceil((inWidth - column) / strideWidth)],
        inStep: [1, 1],
        outStep: [strideHeight, strideWidth],
        outStart: [row, column],
      });
    }
  }
  return dx;
}

/** dW[t] = Σ x[s · p + t]ᵀ · dy[p] over all pixels p. */
export function conv2dFilterGradient(
  machine: Machine,
  x: tf.TensorInfo,
  dy: tf.TensorInfo,
  filterShape: Shape4D,
  attributes: ConvolutionAttributes,
): tf.TensorInfo {
  const info = geometry(x.shape as Shape4D, filterShape, attributes);
  const { outChannels, outHeight, outWidth, batchSize } = info;
  const filter = machine.makeOutput(filterShape);
  withPictures(machine, x, info, (pictures, taps) => {
    const { channels } = pictures;
    const lines = batchSize * outHeight;
    // Chunks enough for any number of threads, but each with enough to add up.
    const wanted = Math.min(Math.ceil(wantedChunks / taps.length), Math.ceil((lines * outWidth) / leastPixels));
    const linesPerSplit = Math.ceil(lines / wanted);
    const splits = Math.ceil(lines / linesPerSplit);
    const splitBytes = taps.length * ceilTo(channels, tileRows) * ceilTo(outChannels, tileColumns) * 4;
    const scratchBytes = gradientScratch(outWidth);
    machine.withMemory(
      [splits * splitBytes, taps.length * 8, scratchBytes * machine.room],
      (parts, tapOffsets, scratch) => {
        machine.writeIntegers(
          tapOffsets,
          taps.flatMap(({ height, width }) => [height, width]),
        );
        const values = {
          ...pictures,
          stepHeight: info.strideHeight,
          stepWidth: info.strideWidth,
          dy: machine.pointerOf(dy),
          outHeight,
          outWidth,
          outChannels,
          taps: taps.length,
          tapOffsets,
          lines,
          linesPerSplit,
          parts,
          scratch,
          scratchBytes,
        };
        machine.run(filterGradient, values, taps.length * splits);
        const rows = taps.length * channels;
        const sums = { parts, splits, splitBytes, channels, outChannels, rows };
        machine.run(sumSplits, { ...sums, filter: machine.pointerOf(filter) }, Math.ceil(rows / sumChunk));
      },
    );
  });
  return filter;
}

/** Pictures as the programs read them. */
interface Pictures {
  /** Where they start. */
  x: number;
  height: number;
  width: number;
  /** Floats from one pixel to the next. */
  pixel: number;
  /** Floats that a tap reads from a pixel on. */
  channels: number;
}

function picturesOf(machine: Machine, x: tf.TensorInfo): Pictures {
  const [, height, width, channels] = x.shape as Shape4D;
  return { x: machine.pointerOf(x), height, width, pixel: channels, channels };
}

/**
 * Gives pictures and taps to the work. A line of a filter on pictures of few channels becomes a single tap, because the pixels that
 * it covers lie next to each other; with few channels alone a tile stays half empty. Then the pictures have their border about them.
 */
function withPictures(
  machine: Machine,
  x: tf.TensorInfo,
  info: tf.backend_util.Conv2DInfo,
  work: (pictures: Pictures, taps: Tap[]) => void,
): void {
  const { filterHeight, filterWidth, inChannels, dilationHeight, dilationWidth, padInfo } = info;
  if (inChannels >= tileRows || filterWidth === 1 || dilationWidth !== 1) {
    work(picturesOf(machine, x), tapsOf(info));
    return;
  }
  const height = (info.outHeight - 1) * info.strideHeight + (filterHeight - 1) * dilationHeight + 1;
  const width = (info.outWidth - 1) * info.strideWidth + filterWidth;
  const sizes = {
    height: Math.max(height, padInfo.top + info.inHeight),
    width: Math.max(width, padInfo.left + info.inWidth),
  };
  machine.withMemory([info.batchSize * sizes.height * sizes.width * inChannels * 4], (padded) => {
    const values = {
      x: machine.pointerOf(x),
      height: info.inHeight,
      lineBytes: info.inWidth * inChannels * 4,
      top: padInfo.top,
      leftBytes: padInfo.left * inChannels * 4,
      padded,
      paddedHeight: sizes.height,
      paddedBytes: sizes.width * inChannels * 4,
    };
    machine.run(addBorder, values, info.batchSize);
    const taps = Array.from({ length: filterHeight }, (_, index) => ({
      height: index * dilationHeight,
      width: 0,
      index: index * filterWidth,
    }));
    work({ x: padded, ...sizes, pixel: inChannels, channels: filterWidth * inChannels }, taps);
  });
}

const wantedChunks = 32;
const leastPixels = 512;

function runGrid(
  machine: Machine,
  pictures: Pictures,
  filter: tf.TensorInfo,
  direction: 'forward' | 'transposed',
  y: tf.TensorInfo,
  { taps, images, size, inStep, outStep, outStart }: Grid,
): void {
  const [, , inputs, outputs] = filter.shape as Shape4D;
  const { channels } = pictures;
  const [, outHeight, outWidth, outChannels] = y.shape as Shape4D;
  const [depthStride, columnStride] = direction === 'forward' ? [outputs, 1] : [1, outputs];
  const panelCount = Math.ceil(outChannels / tileColumns);
  const scratchBytes = convolutionScratch(taps.length);
  machine.withMemory(
    [panelCount * tileColumns * channels * taps.length * 4, taps.length * 12, scratchBytes * machine.room],
    (panels, tapOffsets, scratch) => {
      const matrixOffsets = tapOffsets + taps.length * 8;
      machine.writeIntegers(tapOffsets, [
        ...taps.flatMap(({ height, width }) => [height, width]),
        ...taps.map(({ index }) => index * inputs * outputs * 4),
      ]);
      const packing = { depth: channels, depthStride, columns: outChannels, columnStride, panels };
      machine.run(
        packPanels,
        { filter: machine.pointerOf(filter), offsets: matrixOffsets, taps: taps.length, ...packing },
        panelCount,
      );
      const rows = images * size[0] * size[1];
      const values = {
        ...pictures,
        rows,
        images,
        gridWidth: size[1],
        inStepHeight: inStep[0],
        inStepWidth: inStep[1],
        taps: taps.length,
        tapOffsets,
        zeros: machine.zeros(channels),
        panels,
        y: machine.pointerOf(y),
        outHeight,
        outWidth,
        outChannels,
        outStepHeight: outStep[0],
        outStepWidth: outStep[1],
        outTop: outStart[0],
        outLeft: outStart[1],
        scratch,
        scratchBytes,
      };
      machine.run(convolve, values, Math.ceil(rows / convolutionChunk));
    },
  );
}

function tapsOf(info: tf.backend_util.Conv2DInfo): Tap[] {
  const { filterHeight, filterWidth, dilationHeight, dilationWidth, padInfo } = info;
  return Array.from({ length: filterHeight * filterWidth }, (_, index) => ({
    height: Math.floor(index / filterWidth) * dilationHeight - padInfo.top,
    width: (index % filterWidth) * dilationWidth - padInfo.left,
    index,
  }));
}

function geometry(
  inputShape: Shape4D,
  filterShape: Shape4D,
  { strides, pad, dimRoundingMode, dilations = 1 }: ConvolutionAttributes,
): tf.backend_util.Conv2DInfo {
  return tf.backend_util.computeConv2DInfo(inputShape, filterShape, strides, dilations, pad, dimRoundingMode, false);
}

function ceilTo(count: number, size: number): number {
  return Math.ceil(count / size) * size;
}
