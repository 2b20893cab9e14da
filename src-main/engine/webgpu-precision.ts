import * as tf from '@tensorflow/tfjs-core';
import { precisions, type Precision } from './precision.ts';
import { arithmeticOf, useArithmetic } from './webgpu-arithmetic.ts';
import { convolve, filterGradient, inputGradient } from './webgpu-convolution.ts';
import type { WebgpuBackend } from './webgpu-program.ts';

/*
 * Whether matrix products multiply in half precision. On some cards that is twice as fast, on others no faster or slower, and nothing that an
 * adapter says of itself tells which; so it is measured (ADR 20).
 */

export interface PrecisionQuestion {
  /** What the user has asked for. */
  wanted: Precision | 'auto';
  /** What the run that is to go on has begun with; null where none goes on. */
  earlier: Precision | null;
  /** Of the adapter. */
  hasHalf: boolean;
  isSoftware: boolean;
  /** Milliseconds that a few usual products take, the first time of each precision with compiling them. */
  time: (precision: Precision) => Promise<number>;
}

/** @throws Error where half precision is asked for and the adapter has none */
export async function choosePrecision(question: PrecisionQuestion): Promise<Precision> {
  const { wanted, earlier, hasHalf, isSoftware, time } = question;
  if (wanted === 'f16' && !hasHalf) {
    throw new Error(
      'This GPU, or its driver, has no half precision (shader-f16), which WINNOW_GPU_PRECISION=f16 asks for.',
    );
  }
  if (wanted !== 'auto') return wanted;
  if (!hasHalf) return 'f32';
  if (earlier !== null) return earlier;
  // Such a one multiplies in single precision whatever it is asked for.
  if (isSoftware) return 'f32';
  return (await measureGain(time)) >= clearGain ? 'f16' : 'f32';
}

/** What `WINNOW_GPU_PRECISION` says. @throws Error where that is none of the known words */
export function wantedPrecision(): Precision | 'auto' {
  const wanted = process.env['WINNOW_GPU_PRECISION'] ?? 'auto';
  const known = (['auto', ...precisions] as const).find((word) => word === wanted);
  if (known === undefined)
    throw new Error(`WINNOW_GPU_PRECISION is "${wanted}"; it can be auto, ${precisions.join(' or ')}.`);
  return known;
}

/** Half precision costs digits, and a measurement is uncertain by a few percent. */
const clearGain = 1.15;
const rounds = { least: 3, most: 5 };
/** After this much measured time a slow card is known well enough. */
const enoughMilliseconds = 200;

/** How many times as fast half precision is: the median of rounds of both, since a card's clock and other programs change with time. */
async function measureGain(time: PrecisionQuestion['time']): Promise<number> {
  for (const precision of precisions) if (!Number.isFinite(await time(precision))) return 0;
  const gains: number[] = [];
  let spent = 0;
  while (gains.length < rounds.most && (gains.length < rounds.least || spent < enoughMilliseconds)) {
    const single = await time('f32');
    const half = await time('f16');
    gains.push(single / half);
    spent += single + half;
  }
  return gains.sort((a, b) => a - b)[gains.length >> 1]!;
}

/** Long beside what a submission and reading its end take. */
const leastMilliseconds = 8;
const mostRuns = 32;

/** `[batch, height, width, channels]` of the pictures that are timed, and of the filter; 3.6 GFLOP in all three products. */
const pictureShape: Shape4D = [64, 16, 16, 64];
const filterShape: Shape4D = [3, 3, 64, 64];
const values = { picture: 0.5, filter: 0.01, gradient: 1e-6 };

type Shape4D = [number, number, number, number];

/**
 * Times a convolution and its two gradients, whose arithmetic it sets. A precision that the driver refuses, or in which it does not compute what it
 * should, takes for ever.
 * @returns `PrecisionQuestion.time`
 */
export function createProductTimer(backend: WebgpuBackend): PrecisionQuestion['time'] {
  const { device } = backend;
  let runs = 1;
  const run = async (): Promise<number> => {
    const started = performance.now();
    const inputs = {
      x: tf.fill(pictureShape, values.picture),
      filter: tf.fill(filterShape, values.filter),
      dy: tf.fill(pictureShape, values.gradient),
    };
    const { x, filter, dy } = inputs;
    const results: tf.TensorInfo[] = [];
    for (let i = 0; i < runs; i++) {
      results.push(
        convolve(backend, x, filter, attributes),
        inputGradient(backend, dy, filter, pictureShape, attributes),
        filterGradient(backend, x, dy, filterShape, attributes),
      );
    }
    // The last is the smallest, and there when all are.
    const gradient = await backend.read(results.at(-1)!.dataId);
    tf.dispose(inputs);
    for (const { dataId } of results) backend.disposeData(dataId);
    return isRight(gradient as Float32Array) ? performance.now() - started : Infinity;
  };
  return async (precision) => {
    useArithmetic(device, { ...arithmeticOf(device), precision });
    try {
      // What is refused here would otherwise be the end of the engine.
      for (const kind of errorKinds) device.pushErrorScope(kind);
      let milliseconds = await run();
      while (milliseconds < leastMilliseconds && runs < mostRuns) {
        runs *= 2;
        milliseconds = await run();
      }
      const errors = await Promise.all(errorKinds.map(() => device.popErrorScope()));
      return errors.every((error) => error === null) ? milliseconds / runs : Infinity;
    } catch {
      // A device that was lost over it says so to whoever uses the engine.
      return Infinity;
    }
  };
}

const attributes = { strides: 1, pad: 'same' } as const;
const errorKinds = ['validation', 'internal'] as const;

/** Of the filter's gradient: the tap in the middle sees every pixel. */
function isRight(gradient: Float32Array): boolean {
  const [batch, height, width, channels] = pictureShape;
  const expected = batch * height * width * values.picture * values.gradient;
  return Math.abs(gradient[4 * channels * channels]! / expected - 1) < 0.01;
}
