import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import type { OptimizerName, Schedule } from '../../shared/domain.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { labelAttack } from '../../src-main/sat/attack.ts';
import { linearProbeAccuracy } from '../../src-main/sat/linear-probe.ts';
import { crossEntropy } from '../../src-main/sat/losses.ts';
import { createOptimizer } from '../../src-main/sat/optimizer.ts';
import { learningRateFactor } from '../../src-main/sat/schedules.ts';

beforeAll(() => loadEngine('wasm', null));

describe('learning rates', () => {
  it('halve at the given epochs', () => {
    const schedule: Schedule = { kind: 'steps', factor: 0.5, epochs: [25, 50] };
    const factors = [0, 24.9, 25, 49, 50].map((epoch) => learningRateFactor(schedule, epoch, 60));
    expect(factors).toEqual([1, 1, 0.5, 0.5, 0.25]);
  });

  it('fall along a cosine to 0, or stay', () => {
    expect([0, 100, 200].map((epoch) => learningRateFactor({ kind: 'cosine' }, epoch, 200))).toEqual([1, 0.5, 0]);
    expect(learningRateFactor({ kind: 'constant' }, 7, 10)).toBe(1);
  });

  it('rise and fall in one cycle', () => {
    const factors = [0, 2, 6, 10].map((epoch) => learningRateFactor({ kind: 'one-cycle' }, epoch, 10));
    expect(factors[1]).toBeCloseTo(1);
    expect(factors[0]).toBeLessThan(0.1);
    expect(factors[2]).toBeCloseTo(0.5, 1);
    expect(factors[3]).toBeCloseTo(0.001);
  });
});

describe('optimizers', () => {
  /** Two steps on one matrix and one vector with gradient 1 everywhere, from 1, rate 0.1, decay 0.5. */
  it.each<[OptimizerName, number, number]>([
    // g = 1 + 0.5θ; v: 1.5, then 0.9·1.5 + (1 + 0.5·0.85)
    ['sgd', 0.5725, 0.5725],
    // The vector is not decayed: look-ahead 1 + 0.9·1 = 1.9, then 1 + 0.9·1.9
    ['sgd-nesterov', 1 - 0.285 - 0.1 * (1.3575 + 0.9 * (1.35 + 1.3575)), 1 - 0.19 - 0.271],
    // Equal gradients: each step is the rate itself.
    ['adam', 0.8, 0.8],
  ])('%s', (name, matrixAfter, vectorAfter) => {
    const matrix = tf.variable(tf.ones([1, 1]));
    const vector = tf.variable(tf.ones([1]));
    const optimizer = createOptimizer(
      name,
      new Map<string, tf.Variable>([
        ['m', matrix],
        ['v', vector],
      ]),
      0.5,
    );
    for (let step = 0; step < 2; step++) {
      optimizer.step({ m: tf.ones([1, 1]), v: tf.ones([1]) }, tf.tensor1d(optimizer.rates(0.1)));
    }
    expect(matrix.dataSync()[0]).toBeCloseTo(matrixAfter, 4);
    expect(vector.dataSync()[0]).toBeCloseTo(vectorAfter, 4);
    optimizer.dispose();
  });
});

describe('an attack', () => {
  it('stays in its ball and in [0, 1], makes the loss larger, and repeats itself for the same seed', () => {
    const random = createRandom(1);
    const images = tf.tensor2d(
      Float32Array.from({ length: 12 * 8 }, () => random.next()),
      [12, 8],
    );
    const weights = tf.tensor2d(
      Float32Array.from({ length: 8 * 3 }, () => random.normal()),
      [8, 3],
    );
    const labels = tf.oneHot(tf.tensor1d(Int32Array.from({ length: 12 }, (_, i) => i % 3)), 3).toFloat() as tf.Tensor2D;
    const classify = (x: tf.Tensor2D): tf.Tensor2D => tf.matMul(x, weights);
    const settings = { radius: 0.05, stepSize: 0.02, steps: 6 };
    const attacked = labelAttack(classify, images, labels, settings, createRandom(2));
    const again = labelAttack(classify, images, labels, settings, createRandom(2));
    expect(again.arraySync()).toEqual(attacked.arraySync());
    expect(tf.max(tf.abs(tf.sub(attacked, images))).dataSync()[0]).toBeLessThanOrEqual(0.05 + 1e-6);
    expect(tf.min(attacked).dataSync()[0]).toBeGreaterThanOrEqual(0);
    expect(tf.max(attacked).dataSync()[0]).toBeLessThanOrEqual(1);
    const lossOf = (x: tf.Tensor2D): number => crossEntropy(classify(x), labels).dataSync()[0]!;
    expect(lossOf(attacked)).toBeGreaterThan(lossOf(images) + 0.01);
  });
});

describe('a linear probe', () => {
  it('finds a linear rule and nothing in noise', async () => {
    const random = createRandom(3);
    const draw = (count: number): { features: Float32Array; labels: Int32Array } => {
      const labels = Int32Array.from({ length: count }, () => random.integer(3));
      // Class c is shifted along axis c; the scales of the axes differ a thousandfold.
      const features = Float32Array.from({ length: count * 4 }, (_, i) => {
        const shift = labels[Math.floor(i / 4)] === i % 4 ? 4 : 0;
        return (random.normal() + shift) * (i % 4 === 1 ? 1000 : 1);
      });
      return { features, labels };
    };
    const train = draw(300);
    const test = draw(200);
    expect(await linearProbeAccuracy(train, test, 3)).toBeGreaterThan(0.95);
    const noise = { features: train.features.map(() => random.normal()), labels: train.labels };
    expect(await linearProbeAccuracy(noise, test, 3)).toBeLessThan(0.6);
  });
});
