import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import {
  confidenceWeights,
  representationLoss,
  representationSpread,
  satCrossEntropy,
  satSelective,
  satSymmetricCrossEntropy,
  toUnitLength,
  updateRepresentations,
  type LossOutput,
} from '../../src-main/sat/losses.ts';

beforeAll(() => loadEngine('wasm', null));

const settings = { targetMomentum: 0.9, startEpoch: 3 };

type Loss = (logits: tf.Tensor2D, targets: tf.Tensor2D, labels: tf.Tensor2D, epoch: number) => LossOutput;
interface LossCase {
  name: string;
  loss: Loss;
  extraLogits: number;
}
const losses: LossCase[] = [
  {
    name: 'SAT',
    extraLogits: 0,
    loss: (logits, targets, _, epoch) => satCrossEntropy(logits, targets, epoch, settings),
  },
  {
    name: 'symmetric SAT',
    extraLogits: 0,
    loss: (logits, targets, _, epoch) => satSymmetricCrossEntropy(logits, targets, epoch, settings),
  },
  {
    name: 'selective SAT',
    extraLogits: 1,
    loss: (logits, targets, labels, epoch) => satSelective(logits, targets, labels, epoch, settings),
  },
];

describe.each(losses)('$name', ({ loss, extraLogits }) => {
  /** Batches of every shape that occurs: two classes, a thousand, a batch smaller than the classes, a single sample. */
  const shapes = [
    { batch: 1, classes: 2 },
    { batch: 4, classes: 2 },
    { batch: 3, classes: 10 },
    { batch: 8, classes: 1000 },
  ];

  it.each(shapes)('keeps targets on the simplex: $batch samples, $classes classes', ({ batch, classes }) => {
    for (const [round, scale] of [0.1, 1, 10, 100].entries()) {
      const { labels, logits } = randomBatch(batch, classes, extraLogits, round, scale);
      let targets = labels;
      for (let epoch = 0; epoch < 8; epoch++) targets = loss(logits, targets, labels, epoch).targets;
      const rows = targets.arraySync();
      for (const row of rows) {
        expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
        expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 4);
      }
    }
  });

  it('leaves targets untouched before E_s and moves them from then on', () => {
    const { labels, logits } = randomBatch(6, 5, extraLogits, 1, 2);
    for (let epoch = 0; epoch < settings.startEpoch; epoch++) {
      expect(loss(logits, labels, labels, epoch).targets.arraySync()).toEqual(labels.arraySync());
    }
    expect(loss(logits, labels, labels, settings.startEpoch).targets.arraySync()).not.toEqual(labels.arraySync());
  });

  it('passes no gradient through the targets', () => {
    const { labels, logits } = randomBatch(6, 5, extraLogits, 2, 2);
    const epoch = settings.startEpoch;
    const { targets } = loss(logits, labels, labels, epoch);
    const gradient = tf.grad((x) => loss(x as tf.Tensor2D, labels, labels, epoch).loss)(logits);
    // With α = 1 the targets are constants, and these are the very ones.
    const constant = { targetMomentum: 1, startEpoch: 0 };
    const byConstants: Record<number, (x: tf.Tensor2D) => tf.Scalar> = {
      0: (x) => satCrossEntropy(x, targets, 0, constant).loss,
      1: (x) => satSelective(x, targets, labels, 0, constant).loss,
    };
    const expected =
      loss === losses[1]!.loss
        ? tf.grad((x) => satSymmetricCrossEntropy(x as tf.Tensor2D, targets, 0, constant).loss)(logits)
        : tf.grad((x) => byConstants[extraLogits]!(x as tf.Tensor2D))(logits);
    expectClose(gradient.dataSync(), expected.dataSync());
  });

  it('is finite at saturated logits, and so is its gradient', () => {
    const { labels } = randomBatch(4, 5, extraLogits, 3, 1);
    const width = 5 + extraLogits;
    const saturated = Float32Array.from({ length: 4 * width }, (_, i) => (i % width === 2 ? 1e4 : -1e4));
    const logits = tf.tensor2d(saturated, [4, width]);
    let targets = labels;
    for (let epoch = 0; epoch < 6; epoch++) {
      const { value, grad } = tf.valueAndGrad((x) => loss(x as tf.Tensor2D, targets, labels, epoch).loss)(logits);
      expect(Number.isFinite(value.dataSync()[0])).toBe(true);
      expect([...grad.dataSync()].every(Number.isFinite)).toBe(true);
      targets = loss(logits, targets, labels, epoch).targets;
    }
  });
});

describe('confidence weights', () => {
  it('average 1 over the batch, whatever the targets', () => {
    for (let seed = 0; seed < 5; seed++) {
      const targets = tf.softmax(randomRows(7, 4, seed, 3));
      const weights = [...confidenceWeights(targets).dataSync()];
      expect(weights.reduce((sum, weight) => sum + weight) / weights.length).toBeCloseTo(1, 5);
      expect(Math.min(...weights)).toBeGreaterThan(0);
    }
  });
});

describe('self-supervised targets', () => {
  it('start as the first representation and are averaged from then on', () => {
    const first = randomRows(3, 4, 1, 2);
    const second = randomRows(3, 4, 2, 2);
    const started = updateRepresentations(tf.zeros([3, 4]), first, 0.7);
    expectClose(started.dataSync(), toUnitLength(first).dataSync());
    const moved = updateRepresentations(started, second, 0.7);
    const expected = tf.add(tf.mul(started, 0.7), tf.mul(toUnitLength(second), 0.3));
    expectClose(moved.dataSync(), expected.dataSync());
  });

  it('are met at a loss of 0, opposed at 4, and pass no gradient', () => {
    const targets = randomRows(5, 8, 3, 1);
    expect(representationLoss(tf.mul(targets, 3), targets).dataSync()[0]).toBeCloseTo(0, 5);
    expect(representationLoss(tf.neg(targets), targets).dataSync()[0]).toBeCloseTo(4, 5);
    const gradient = tf.grad((x) => representationLoss(randomRows(5, 8, 4, 1), x as tf.Tensor2D))(targets);
    expect(Math.max(...gradient.dataSync().map(Math.abs))).toBe(0);
  });

  it('show a collapse: the spread is 0 when all are alike and about 1 when they point everywhere', () => {
    const alike = tf.tile(randomRows(1, 64, 5, 1), [200, 1]);
    expect(representationSpread(alike).dataSync()[0]).toBeLessThan(1e-3);
    expect(representationSpread(randomRows(200, 64, 6, 1)).dataSync()[0]).toBeCloseTo(1, 1);
  });
});

function randomBatch(
  batch: number,
  classes: number,
  extraLogits: number,
  seed: number,
  scale: number,
): { labels: tf.Tensor2D; logits: tf.Tensor2D } {
  const random = createRandom(seed);
  const given = Int32Array.from({ length: batch }, () => random.integer(classes));
  return {
    labels: tf.oneHot(tf.tensor1d(given, 'int32'), classes).toFloat() as tf.Tensor2D,
    logits: randomRows(batch, classes + extraLogits, seed + 50, scale),
  };
}

function randomRows(rows: number, columns: number, seed: number, scale: number): tf.Tensor2D {
  const random = createRandom(seed);
  return tf.tensor2d(
    Float32Array.from({ length: rows * columns }, () => scale * random.normal()),
    [rows, columns],
  );
}

function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length);
  expect(Math.max(...Array.from(expected, (value, i) => Math.abs(value - actual[i]!)))).toBeLessThan(1e-5);
}
