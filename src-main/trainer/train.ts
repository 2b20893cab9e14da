import * as tf from '@tensorflow/tfjs-core';
import { setImmediate } from 'node:timers/promises';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { createRandom, permutation } from '../domain/random.ts';
import { randomCropAndFlip } from '../sat/augmentation.ts';
import { satCrossEntropy } from '../sat/losses.ts';
import { createCompactNetwork } from '../sat/models/compact.ts';
import { createSgd } from '../sat/optimizer.ts';
import { oneCycle } from '../sat/schedules.ts';
import { openPixelFeed } from './feed.ts';

export type TrainCommand = Extract<TrainerCommand, { kind: 'train' }>;

/** Thrown when the loss is no number any more; nothing later can be trusted. */
export class DivergedError extends Error {}

const momentum = 0.9;
const millisecondsBetweenReports = 250;

/**
 * Runs supervised self-adaptive training and reports each epoch: plain cross-entropy before E_s, then SAT.
 * Between batches it yields to the event loop, so that `isCancelled` can change.
 * @returns whether all epochs were run
 */
export async function train(
  { runId, plan, pixels, labels }: TrainCommand,
  report: (event: TrainerEvent) => void,
  isCancelled: () => boolean,
): Promise<boolean> {
  const { classes, batchSize, resolution, epochs } = plan;
  const samples = labels.length;
  // Separate streams, so that e.g. another batch size leaves the initial weights as they were.
  const order = createRandom(plan.seed + 1);
  const views = createRandom(plan.seed + 2);
  const feed = openPixelFeed(pixels);
  const network = createCompactNetwork({ width: plan.width, resolution, outputs: classes, seed: plan.seed });
  const parameters = new Map([...network.parameters.values()].map((parameter) => [parameter.name, parameter]));
  const optimizer = createSgd(parameters, { momentum, weightDecay: plan.weightDecay });
  const targets = oneHot(labels, classes);
  const probabilities = targets.slice();
  const batches = batchBounds(samples, batchSize);
  const started = performance.now();
  let seen = 0;
  let lastReport = 0;
  try {
    for (let epoch = 0; epoch < epochs; epoch++) {
      const epochStarted = performance.now();
      const sequence = permutation(samples, order);
      let lossSum = 0;
      let agreeing = 0;
      let learningRate = 0;
      for (const [batch, { start, end }] of batches.entries()) {
        if (isCancelled()) return false;
        const indices = sequence.subarray(start, end);
        learningRate = plan.learningRate * oneCycle((epoch + batch / batches.length) / epochs);
        const input = new Float32Array(indices.length * feed.size);
        feed.read(indices, input);
        const step = tf.tidy(() => {
          const images = tf.tensor4d(input, [indices.length, resolution, resolution, 3]);
          const view = randomCropAndFlip(images, views);
          const given = tf.tensor2d(gatherRows(targets, indices, classes), [indices.length, classes]);
          const output: { targets?: tf.Tensor2D; probabilities?: tf.Tensor2D } = {};
          const { value, grads } = tf.variableGrads(() => {
            const result = satCrossEntropy(network.forward(view), given, epoch, plan);
            output.targets = tf.keep(result.targets);
            output.probabilities = tf.keep(result.probabilities);
            return result.loss;
          }, [...parameters.values()]);
          optimizer.step(grads, learningRate);
          const read = {
            loss: value.dataSync<'float32'>()[0] ?? NaN,
            targets: output.targets?.dataSync<'float32'>() ?? new Float32Array(),
            probabilities: output.probabilities?.dataSync<'float32'>() ?? new Float32Array(),
          };
          tf.dispose([output.targets, output.probabilities] as tf.Tensor[]);
          return read;
        });
        if (!Number.isFinite(step.loss)) {
          throw new DivergedError(
            `The loss became ${step.loss} in epoch ${epoch + 1} of ${epochs}. What was learned until epoch ${epoch} is kept; ` +
              'start again with another seed or budget.',
          );
        }
        scatterRows(step.targets, targets, indices, classes);
        scatterRows(step.probabilities, probabilities, indices, classes);
        lossSum += step.loss * indices.length;
        agreeing += countAgreeing(step.probabilities, indices, labels, classes);
        seen += indices.length;
        const now = performance.now();
        if (now - lastReport > millisecondsBetweenReports) {
          lastReport = now;
          const rate = end / ((now - epochStarted) / 1000);
          report({
            kind: 'batch',
            runId,
            epoch,
            fraction: end / samples,
            loss: lossSum / end,
            imagesPerSecond: rate,
            secondsLeft: (samples * epochs - seen) / rate,
          });
        }
        await setImmediate();
      }
      const now = performance.now();
      const rate = samples / ((now - epochStarted) / 1000);
      report({
        kind: 'epoch',
        runId,
        epoch,
        loss: lossSum / samples,
        accuracy: agreeing / samples,
        learningRate,
        imagesPerSecond: rate,
        seconds: (now - started) / 1000,
        secondsLeft: (samples * (epochs - epoch - 1)) / rate,
        targets,
        probabilities,
      });
    }
    return true;
  } finally {
    feed.close();
    optimizer.dispose();
    tf.dispose([...parameters.values()]);
  }
}

/** Equal parts of about `size`, so that no batch is a handful whose statistics would mislead the normalisation. */
function batchBounds(samples: number, size: number): { start: number; end: number }[] {
  const count = Math.max(1, Math.round(samples / size));
  return Array.from({ length: count }, (_, index) => ({
    start: Math.floor((index * samples) / count),
    end: Math.floor(((index + 1) * samples) / count),
  }));
}

/** `[samples, classes]` */
function oneHot(labels: Int32Array, classes: number): Float32Array {
  const rows = new Float32Array(labels.length * classes);
  labels.forEach((label, sample) => (rows[sample * classes + label] = 1));
  return rows;
}

function gatherRows(from: Float32Array, indices: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, row) => rows.set(from.subarray(index * width, (index + 1) * width), row * width));
  return rows;
}

function scatterRows(rows: Float32Array, into: Float32Array, indices: Int32Array, width: number): void {
  indices.forEach((index, row) => into.set(rows.subarray(row * width, (row + 1) * width), index * width));
}

function countAgreeing(probabilities: Float32Array, indices: Int32Array, labels: Int32Array, classes: number): number {
  let count = 0;
  indices.forEach((index, row) => {
    const own = row * classes + labels[index]!;
    let largest = row * classes;
    for (let c = row * classes; c < (row + 1) * classes; c++) {
      if (probabilities[c]! > probabilities[largest]!) largest = c;
    }
    if (largest === own) count++;
  });
  return count;
}
