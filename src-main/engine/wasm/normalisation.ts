import type * as tf from '@tensorflow/tfjs-core';
import type { Machine } from './machine.ts';
import { columnMoments, columnProducts, combineColumns, scaleColumns, type Program } from './programs.ts';

/*
 * Batch normalisation in training, each direction in two passes over the batch: sums of each channel, then the result. Sums of a
 * chunk are made with 32 bits, those over chunks with 64.
 */

/** y, mean and unbiased variance; then what the gradient wants back: mean, 1/σ and nothing, so the third is an empty tensor. */
export function batchNormTraining(
  machine: Machine,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  epsilon: number,
): tf.TensorInfo[] {
  const table = tableOf(x);
  const { rows, channels } = table;
  const [scales, offsets] = [machine.values(scale), machine.values(offset)];
  const y = machine.makeOutput(x.shape);
  const mean = vector(machine, channels);
  const unbiased = vector(machine, channels);
  const inverseDeviation = vector(machine, channels);
  const parts = readParts(machine, columnMoments, { x: machine.pointerOf(x) }, table);
  machine.withMemory([channels * 4, channels * 4], (factor, summand) => {
    const factors = machine.readFloats(factor, channels);
    const summands = machine.readFloats(summand, channels);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (const { first } of parts) sum += first[channel]!;
      const average = sum / rows;
      // Chan et al. (1983): what a chunk's mean is off by counts for each of its rows.
      let squares = 0;
      for (const { first, second, count } of parts) {
        squares += second[channel]! + count * (first[channel]! / count - average) ** 2;
      }
      const deviation = 1 / Math.sqrt(squares / rows + epsilon);
      mean.values[channel] = average;
      unbiased.values[channel] = squares / Math.max(1, rows - 1);
      inverseDeviation.values[channel] = deviation;
      factors[channel] = scales[channel]! * deviation;
      summands[channel] = offsets[channel]! - average * scales[channel]! * deviation;
    }
    const pointers = { x: machine.pointerOf(x), scale: factor, offset: summand, y: machine.pointerOf(y) };
    machine.run(scaleColumns, { ...pointers, ...table.sizes }, table.chunks);
  });
  // The mean is given twice, and every output is disposed on its own.
  const savedMean = vector(machine, channels);
  savedMean.values.set(mean.values);
  return [y, mean.info, unbiased.info, savedMean.info, inverseDeviation.info, machine.makeOutput([0])];
}

/** dx = γ/σ · (dy − mean(dy) − x̂ · mean(dy · x̂)), dγ = Σ dy · x̂, dβ = Σ dy, where x̂ = (x − mean) / σ */
export function batchNormTrainingGradient(
  machine: Machine,
  dy: tf.TensorInfo,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  mean: tf.TensorInfo,
  inverseDeviation: tf.TensorInfo,
): tf.TensorInfo[] {
  const table = tableOf(x);
  const { rows, channels } = table;
  const [scales, means, deviations] = [scale, mean, inverseDeviation].map((tensor) => machine.values(tensor)) as [
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const dx = machine.makeOutput(x.shape);
  const scaleGradient = vector(machine, channels);
  const offsetGradient = vector(machine, channels);
  const inputs = { dy: machine.pointerOf(dy), x: machine.pointerOf(x) };
  const parts = readParts(machine, columnProducts, { ...inputs, mean: machine.pointerOf(mean) }, table);
  const bytes = channels * 4;
  machine.withMemory([bytes, bytes, bytes], (factor, slope, summand) => {
    const factors = machine.readFloats(factor, channels);
    const slopes = machine.readFloats(slope, channels);
    const summands = machine.readFloats(summand, channels);
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      let products = 0;
      for (const { first, second } of parts) {
        sum += first[channel]!;
        products += second[channel]!;
      }
      const deviation = deviations[channel]!;
      const scaled = scales[channel]! * deviation;
      const steep = (-scaled * deviation ** 2 * products) / rows;
      scaleGradient.values[channel] = products * deviation;
      offsetGradient.values[channel] = sum;
      factors[channel] = scaled;
      slopes[channel] = steep;
      summands[channel] = (-scaled * sum) / rows - means[channel]! * steep;
    }
    const pointers = { ...inputs, scale: factor, slope, offset: summand, dx: machine.pointerOf(dx) };
    machine.run(combineColumns, { ...pointers, ...table.sizes }, table.chunks);
  });
  return [dx, scaleGradient.info, offsetGradient.info];
}

/** Floats of a chunk: two tensors' share of them lie in the nearest cache. */
const floatsPerChunk = 4096;

/** Chunks of the largest tensors; their sums are added up by one thread. */
const mostChunks = 1024;

interface Table {
  rows: number;
  channels: number;
  chunks: number;
  sizes: { rows: number; rowsPerChunk: number; channels: number };
}

function tableOf({ shape }: tf.TensorInfo): Table {
  const channels = shape.at(-1) ?? 1;
  const rows = shape.slice(0, -1).reduce((product, side) => product * side, 1);
  const rowsPerChunk = Math.max(1, Math.floor(floatsPerChunk / channels), Math.ceil(rows / mostChunks));
  return { rows, channels, chunks: Math.ceil(rows / rowsPerChunk), sizes: { rows, rowsPerChunk, channels } };
}

/** Two sums for each channel, of each chunk. */
interface Part {
  first: Float32Array;
  second: Float32Array;
  /** Rows. */
  count: number;
}

function readParts<Name extends string>(
  machine: Machine,
  program: Program<Name | keyof Table['sizes'] | 'parts'>,
  values: Record<Name, number>,
  { rows, channels, chunks, sizes }: Table,
): Part[] {
  return machine.withMemory([chunks * channels * 2 * 4], (parts) => {
    machine.run(program, { ...values, ...sizes, parts }, chunks);
    const all = machine.readFloats(parts, chunks * channels * 2).slice();
    return Array.from({ length: chunks }, (_, chunk) => ({
      first: all.subarray(2 * chunk * channels, (2 * chunk + 1) * channels),
      second: all.subarray((2 * chunk + 1) * channels, (2 * chunk + 2) * channels),
      count: Math.min(sizes.rowsPerChunk, rows - chunk * sizes.rowsPerChunk),
    }));
  });
}

function vector(machine: Machine, channels: number): { info: tf.TensorInfo; values: Float32Array } {
  const info = machine.makeOutput([channels]);
  return { info, values: machine.values(info) };
}
