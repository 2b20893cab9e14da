import * as tf from '@tensorflow/tfjs-core';
import { setImmediate } from 'node:timers/promises';
import type { Beliefs, HeldOut, HeldOutResult, TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { createRandom, permutation } from '../domain/random.ts';
import { averagePredictions, readsAverage } from '../domain/run-view.ts';
import { strongViews } from '../sat/augmentation.ts';
import { linearProbeAccuracy } from '../sat/linear-probe.ts';
import { networks } from '../sat/models/networks.ts';
import type { LoadedEngine } from '../engine/engines.ts';
import { createOptimizer } from '../sat/optimizer.ts';
import type { Learner, Recipe } from '../sat/recipes/recipe.ts';
import { recipeByName } from '../sat/recipes/registry.ts';
import { learningRateFactor } from '../sat/schedules.ts';
import { batchBounds, readBatches } from './batches.ts';
import {
  digestOfFile,
  restoreCheckpoint,
  writeCheckpoint,
  type EpochNumbers,
  type Kept,
  type KeptArrays,
  type Progress,
} from './checkpoint.ts';
import { accuracyUnderAttack, embed, predict, readFeatures, settleStatistics } from './evaluate.ts';
import { openPixelFeed, unitScale, type PixelFeed } from './feed.ts';
import { startFeeder } from './feeder.ts';
import { createSteps, readStep } from './steps.ts';
import { loadEncoder, saveWeights } from './weights.ts';

export type TrainCommand = Extract<TrainerCommand, { kind: 'train' }>;

/** Thrown when the loss is no number any more; nothing later can be trusted. */
export class DivergedError extends Error {}

const millisecondsBetweenReports = 250;

/** How a run and the service that it belongs to get on with each other. */
export interface RunLink {
  report(event: TrainerEvent): void;
  /** Whether it is to stop before the next batch. */
  isStopped(): boolean;
  /** Settles when what was reported of an epoch is stored. */
  whenStored(epoch: number): Promise<void>;
}

/**
 * Runs a recipe and reports each epoch. The loop is the same for all recipes: a view of a batch, the recipe's loss, one step, and the
 * targets as the loss left them. Between batches it yields to the event loop, so that `isStopped` can change.
 *
 * With a checkpoint, an epoch is reported before its checkpoint is written, and reported again by a run that goes on from there. So the
 * service may be killed between the two: it only must not be left behind by more than that epoch, hence the wait for it.
 * @returns whether all epochs were run
 * @throws DivergedError, CheckpointError
 */
export async function train(
  command: TrainCommand,
  engine: Pick<LoadedEngine, 'compile' | 'precision'>,
  link: RunLink,
): Promise<boolean> {
  const { runId, settings, labels, heldOut, startWeights, weightsFile, checkpoint } = command;
  const { classes, batchSize, resolution, epochs } = settings;
  const { report } = link;
  const recipe = requireRecipe(settings.recipe);
  const samples = labels.length;
  // Separate streams, so that e.g. another batch size leaves the initial weights as they were.
  const order = createRandom(settings.seed + 1);
  const feed = openPixelFeed(command.pixels, recipe.inputs === 'unit' ? unitScale : 'standardised');
  const heldOutFeed = heldOut === null ? null : openPixelFeed(heldOut.pixels, feed.scale);
  const learner = recipe.create({
    settings,
    createNetwork: (shape) => networks[settings.network].create({ width: settings.width, resolution, ...shape }),
  });
  const optimizer = createOptimizer(settings.optimizer, byVariableName(learner), settings.weightDecay);
  const steps = createSteps(learner, optimizer, settings, engine);
  const targets = learner.initialTargets(labels);
  const beliefs: Beliefs | null = recipe.usesLabels
    ? {
        targets,
        probabilities: new Float32Array(samples * classes),
        average: null,
        abstention: learner.hasAbstention ? new Float32Array(samples) : null,
      }
    : null;
  const batches = batchBounds(samples, batchSize);
  const feeder = startFeeder(
    { pixels: command.pixels, scale: feed.scale },
    Math.max(...batches.map(({ start, end }) => end - start)),
  );
  const kept: Kept = { learner, optimizer, streams: new Map([['order', order]]), precision: engine.precision };
  const identity = checkpoint === null ? null : { settings, pixels: digestOfFile(command.pixels.path), labels };
  let progress: Progress = { epoch: 0, position: 0, sums: noSums, seconds: 0, report: null };
  let sequence: Int32Array | null = null;
  let lastReported: number | null = null;
  let started = performance.now();

  const reportEpoch = async (numbers: EpochNumbers): Promise<void> => {
    if (checkpoint !== null && lastReported !== null) await link.whenStored(lastReported);
    report({ kind: 'epoch', runId, ...numbers, beliefs });
    lastReported = numbers.epoch;
  };
  const keep = async (): Promise<void> => {
    if (checkpoint === null || identity === null) return;
    // Within an epoch it can no longer be told what the one before has brought.
    if (progress.report === null && lastReported !== null) await link.whenStored(lastReported);
    await writeCheckpoint(checkpoint.file, identity, kept, progress, keptArrays(targets, beliefs, sequence));
  };
  const goOn = async (file: string): Promise<void> => {
    const restored = restoreCheckpoint(file, identity!, kept);
    takeArrays(restored.arrays, targets, beliefs);
    progress = restored.progress;
    sequence = (restored.arrays.get('sequence') as Int32Array | undefined) ?? null;
    started -= 1000 * progress.seconds;
    if (progress.report !== null) await reportEpoch(progress.report);
  };
  const evaluateHeldOut = async (epoch: number): Promise<void> => {
    if (heldOut === null || heldOutFeed === null) return;
    const isLast = epoch === epochs - 1;
    if (!isLast && (epoch + 1) % heldOut.every !== 0) return;
    const result = await measureHeldOut(learner, heldOut, heldOutFeed, classes);
    const linearProbe =
      heldOut.linearProbe && isLast ? await probe(learner, { feed, labels }, heldOut, heldOutFeed, classes) : null;
    report({ kind: 'evaluated', runId, epoch, ...result, linearProbeAccuracy: linearProbe });
  };
  try {
    if (checkpoint?.resume === true) await goOn(checkpoint.file);
    else if (startWeights !== null) loadEncoder(learner.network, startWeights);
    if (epochs === 0) {
      settleStatistics(learner.network, feed);
      await evaluateHeldOut(-1);
    }
    const reporter = createBatchReporter(command, report);
    for (let { epoch } = progress; epoch < epochs; epoch++) {
      const epochStarted = performance.now();
      const first = progress.position;
      sequence ??= permutation(samples, order);
      const sums = { ...progress.sums };
      let learningRate = 0;
      // Takes in what the latest step found, once the next one is under way: a GPU computes while this process reads and prepares.
      let takeIn = async (): Promise<void> => undefined;
      // Where the run goes on within a batch, because batches were larger before, the rest of it is one.
      const left = batches
        .filter(({ end }) => end > first)
        .map((batch) => ({ ...batch, start: Math.max(batch.start, first) }));
      for await (const { number, start, end, indices, pixels, random } of readBatches(
        feeder,
        sequence,
        left,
        epoch,
        settings,
      )) {
        if (link.isStopped()) {
          await takeIn();
          progress = { epoch, position: start, sums, seconds: secondsSince(started), report: null };
          await keep();
          return false;
        }
        learningRate =
          settings.learningRate * learningRateFactor(settings.schedule, epoch + number / batches.length, epochs);
        const tensors = tf.tidy(() => {
          const images = tf.tensor4d(pixels, [indices.length, resolution, resolution, 3]);
          const batch = {
            images: settings.augmentation === 'views' ? strongViews(images, random) : images,
            labels: oneHotRows(labels, indices, classes),
            targets: tf.tensor2d(gatherRows(targets, indices, learner.targetSize), [
              indices.length,
              learner.targetSize,
            ]),
            epoch,
          };
          return steps.take(batch, learningRate);
        });
        await takeIn();
        takeIn = async () => {
          const step = await readStep(tensors);
          if (!Number.isFinite(step.loss)) {
            throw new DivergedError(divergedMessage(`The loss became ${step.loss}`, epoch, epochs));
          }
          scatterRows(step.targets, targets, indices, learner.targetSize);
          if (beliefs !== null && step.probabilities !== null) {
            keepProbabilities(step.probabilities, beliefs, indices, classes);
            sums.agreeing += countAgreeing(beliefs.probabilities, indices, labels, classes);
          }
          sums.loss += step.loss * indices.length;
          sums.spread += (step.spread ?? 0) * indices.length;
          reporter({ epoch, done: end, loss: sums.loss / end });
        };
        await setImmediate();
      }
      await takeIn();
      // The loss of a step is that of the weights before it; the last step's are looked at here.
      if (!(await hasFiniteParameters(learner)))
        throw new DivergedError(divergedMessage('A weight became infinite', epoch, epochs));
      if (beliefs !== null) {
        beliefs.average = readsAverage(settings, epoch)
          ? averagePredictions(beliefs.average, beliefs.probabilities, settings)
          : null;
      }
      const rate = (samples - first) / secondsSince(epochStarted);
      const numbers: EpochNumbers = {
        epoch,
        loss: sums.loss / samples,
        accuracy: recipe.usesLabels ? sums.agreeing / samples : null,
        spread: recipe.usesLabels ? null : sums.spread / samples,
        learningRate,
        imagesPerSecond: rate,
        seconds: secondsSince(started),
        secondsLeft: (samples * (epochs - epoch - 1)) / rate,
      };
      await reportEpoch(numbers);
      if (weightsFile !== null) await saveWeights(learner.network, weightsFile, weightsMetadata(settings, epoch));
      sequence = null;
      progress = { epoch: epoch + 1, position: 0, sums: noSums, seconds: numbers.seconds, report: numbers };
      await keep();
      await evaluateHeldOut(epoch);
    }
    if (command.embed) {
      const dimension = learner.network.featureSize;
      await embed(learner.network, feed, (start, values) =>
        report({ kind: 'embeddings', runId, start, dimension, values }),
      );
    }
    return true;
  } finally {
    await feeder.close();
    feed.close();
    heldOutFeed?.close();
    steps.dispose();
    optimizer.dispose();
    learner.dispose();
  }
}

const noSums: Progress['sums'] = { loss: 0, spread: 0, agreeing: 0 };

function secondsSince(moment: number): number {
  return (performance.now() - moment) / 1000;
}

/**
 * Reports how an epoch goes, but not every batch, and none of the first two: an engine that makes a program of each size of batch does it
 * then, and to go by their pace would tell of hours for a run of minutes.
 */
function createBatchReporter(
  { runId, settings: { epochs }, labels: { length: samples } }: TrainCommand,
  report: RunLink['report'],
): (batch: { epoch: number; done: number; loss: number }) => void {
  let lastReport = 0;
  let counted = { epoch: -1, batches: 0 };
  let pacedFrom = { done: 0, moment: 0 };
  return ({ epoch, done, loss }) => {
    const now = performance.now();
    counted = { epoch, batches: counted.epoch === epoch ? counted.batches + 1 : 1 };
    if (counted.batches === 2) pacedFrom = { done, moment: now };
    if (counted.batches <= 2 || now - lastReport <= millisecondsBetweenReports) return;
    lastReport = now;
    const rate = (done - pacedFrom.done) / ((now - pacedFrom.moment) / 1000);
    report({
      kind: 'batch',
      runId,
      epoch,
      fraction: done / samples,
      loss,
      imagesPerSecond: rate,
      secondsLeft: (samples * (epochs - epoch) - done) / rate,
    });
  };
}

/** What a checkpoint holds of the samples. */
function keptArrays(targets: Float32Array, beliefs: Beliefs | null, sequence: Int32Array | null): KeptArrays {
  const { probabilities = null, average = null, abstention = null } = beliefs ?? {};
  return new Map(
    Object.entries({ targets, probabilities, average, abstention, sequence }).filter(
      (entry): entry is [string, Float32Array | Int32Array] => entry[1] !== null,
    ),
  );
}

/** Sets what is believed to what a checkpoint held. */
function takeArrays(arrays: KeptArrays, targets: Float32Array, beliefs: Beliefs | null): void {
  const take = (name: string, into: Float32Array): void => into.set(arrays.get(name) ?? []);
  take('targets', targets);
  if (beliefs === null) return;
  take('probabilities', beliefs.probabilities);
  if (beliefs.abstention !== null) take('abstention', beliefs.abstention);
  beliefs.average = (arrays.get('average') as Float32Array | undefined) ?? null;
}

/** As tfjs names the gradients. */
function byVariableName({ parameters }: Learner): Map<string, tf.Variable> {
  return new Map([...parameters.values()].map((parameter) => [parameter.name, parameter]));
}

function requireRecipe(name: string): Recipe {
  const recipe = recipeByName(name);
  if (recipe === null) throw new Error(`There is no recipe "${name}".`);
  return recipe;
}

async function measureHeldOut(
  learner: Learner,
  { labels, attack }: HeldOut,
  feed: PixelFeed,
  classes: number,
): Promise<Omit<HeldOutResult, 'linearProbeAccuracy'>> {
  const outputs = await predict(learner.network, feed);
  const all = Int32Array.from(labels.keys());
  const measured: Beliefs = {
    targets: new Float32Array(),
    probabilities: new Float32Array(labels.length * classes),
    average: null,
    abstention: learner.hasAbstention ? new Float32Array(labels.length) : null,
  };
  keepProbabilities(outputs, measured, all, classes);
  return {
    accuracy: countAgreeing(measured.probabilities, all, labels, classes) / labels.length,
    adversarialAccuracy:
      attack === null ? null : await accuracyUnderAttack(learner.network, feed, labels, { classes, attack }),
    probabilities: measured.probabilities,
    abstention: measured.abstention,
  };
}

async function probe(
  { network }: Learner,
  train: { feed: PixelFeed; labels: Int32Array },
  { labels }: HeldOut,
  heldOutFeed: PixelFeed,
  classes: number,
): Promise<number> {
  const features = await readFeatures(network, train.feed);
  const heldOutFeatures = await readFeatures(network, heldOutFeed);
  return linearProbeAccuracy({ features, labels: train.labels }, { features: heldOutFeatures, labels }, classes);
}

async function hasFiniteParameters({ parameters }: Learner): Promise<boolean> {
  const sum = tf.tidy(() => tf.addN([...parameters.values()].map((parameter) => tf.sum(tf.abs(parameter)))));
  const [value] = await sum.data();
  sum.dispose();
  return Number.isFinite(value);
}

function divergedMessage(what: string, epoch: number, epochs: number): string {
  const kept =
    epoch === 0 ? 'Nothing was learned yet.' : `What was learned until epoch ${epoch} is kept and can be reviewed.`;
  return (
    `${what} in epoch ${epoch + 1} of ${epochs}. ${kept} ` +
    'Start again with another seed or budget, and leave numbers that were set by hand to the plan; in the lab, take a smaller learning rate.'
  );
}

function weightsMetadata(settings: TrainCommand['settings'], epoch: number): Record<string, string> {
  const { recipe, network, width, resolution } = settings;
  return {
    program: 'winnow',
    recipe,
    network,
    width: String(width),
    resolution: String(resolution),
    epoch: String(epoch),
  };
}

/** `[indices, classes]` */
function oneHotRows(labels: Int32Array, indices: Int32Array, classes: number): tf.Tensor2D {
  const rows = new Float32Array(indices.length * classes);
  indices.forEach((index, row) => (rows[row * classes + labels[index]!] = 1));
  return tf.tensor2d(rows, [indices.length, classes]);
}

function gatherRows(from: Float32Array, indices: Int32Array, width: number): Float32Array {
  const rows = new Float32Array(indices.length * width);
  indices.forEach((index, row) => rows.set(from.subarray(index * width, (index + 1) * width), row * width));
  return rows;
}

function scatterRows(rows: Float32Array, into: Float32Array, indices: Int32Array, width: number): void {
  indices.forEach((index, row) => into.set(rows.subarray(row * width, (row + 1) * width), index * width));
}

/**
 * Splits a network's outputs into the classes', scaled to sum to 1, and the abstention's.
 * @param outputs `[indices, classes]`, or one more where there is an abstention
 */
function keepProbabilities(outputs: Float32Array, into: Beliefs, indices: Int32Array, classes: number): void {
  const { abstention, probabilities } = into;
  if (abstention === null) return scatterRows(outputs, probabilities, indices, classes);
  indices.forEach((index, row) => {
    const start = row * (classes + 1);
    const ofClasses = outputs.subarray(start, start + classes);
    abstention[index] = outputs[start + classes]!;
    const share = ofClasses.reduce((sum, value) => sum + value, 0);
    // Where it surely abstains, nothing may be left to scale up: all classes alike then.
    for (let c = 0; c < classes; c++) {
      probabilities[index * classes + c] = share > 0 ? ofClasses[c]! / share : 1 / classes;
    }
  });
}

function countAgreeing(probabilities: Float32Array, indices: Int32Array, labels: Int32Array, classes: number): number {
  let count = 0;
  for (const index of indices) {
    const start = index * classes;
    let largest = start;
    for (let c = start; c < start + classes; c++) {
      if (probabilities[c]! > probabilities[largest]!) largest = c;
    }
    if (largest === start + labels[index]!) count++;
  }
  return count;
}
