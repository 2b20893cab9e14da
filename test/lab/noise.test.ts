import { describe, expect, it, test } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import {
  asymmetricNoise,
  cifar10Confusion,
  confusionIndices,
  corruptPixels,
  pixelNoises,
  uniformNoise,
} from '../../src-main/lab/noise.ts';
import { balancedSubset } from '../../src-main/lab/subset.ts';

const seeds = [1, 2, 3, 4, 5];

describe('uniform noise', () => {
  test.each(seeds)('redraws the share over all classes, seed %i', (seed) => {
    const [samples, classes, rate] = [20_000, 10, 0.4];
    const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
    const noisy = uniformNoise(labels, classes, rate, createRandom(seed));
    const wrong = noisy.filter((label, i) => label !== labels[i]).length / samples;
    // The true error is r (1 − 1/K) = 0.36; five standard deviations of 8,000 redrawn labels are 0.0067.
    expect(Math.abs(wrong - rate * (1 - 1 / classes))).toBeLessThan(0.007);
    const counts = new Array<number>(classes).fill(0);
    for (const label of noisy) counts[label]!++;
    for (const count of counts) expect(Math.abs(count - samples / classes)).toBeLessThan(0.1 * (samples / classes));
    expect(uniformNoise(labels, classes, rate, createRandom(seed))).toEqual(noisy);
    expect(uniformNoise(labels, classes, rate, createRandom(seed + 100))).not.toEqual(noisy);
  });

  it('leaves everything as it is at rate 0, and the given labels untouched at rate 1', () => {
    const labels = Int32Array.from([0, 1, 2, 3]);
    expect(uniformNoise(labels, 4, 0, createRandom(1))).toEqual(labels);
    uniformNoise(labels, 4, 1, createRandom(1));
    expect([...labels]).toEqual([0, 1, 2, 3]);
  });
});

describe('asymmetric noise', () => {
  const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

  it('gives the share of each named class the label of its look-alike, and no other', () => {
    const labels = Int32Array.from({ length: 1000 }, (_, i) => i % 10);
    const confusion = confusionIndices(cifar10Confusion, classes);
    const noisy = asymmetricNoise(labels, confusion, 0.3, createRandom(1));
    const moves = new Map<string, number>();
    labels.forEach((label, i) => {
      if (noisy[i] !== label) {
        const move = `${classes[label]!} → ${classes[noisy[i]!]!}`;
        moves.set(move, (moves.get(move) ?? 0) + 1);
      }
    });
    expect(Object.fromEntries(moves)).toEqual({
      'truck → automobile': 30,
      'bird → airplane': 30,
      'deer → horse': 30,
      'cat → dog': 30,
      'dog → cat': 30,
    });
  });

  it('refuses a class that is not there, and one that is mistaken for itself', () => {
    expect(() => confusionIndices({ cat: 'lion' }, classes)).toThrow(/"lion".*airplane/);
    expect(() => confusionIndices({ cat: 'cat' }, classes)).toThrow(/itself/);
  });
});

describe('spoiled pixels', () => {
  const [samples, side] = [40, 8];
  const size = side * side * 3;
  const random = createRandom(9);
  // Every channel has a mean and a variance of its own; every pixel of a picture is different.
  const pixels = Uint8Array.from({ length: samples * size }, (_, i) =>
    Math.round([60, 120, 180][i % 3]! + [10, 20, 5][i % 3]! * Math.max(-3, Math.min(3, random.normal()))),
  );
  const picture = (from: Uint8Array, i: number): Uint8Array => from.subarray(i * size, (i + 1) * size);
  const changed = (spoiled: Uint8Array): number[] =>
    [...Array(samples).keys()].filter((i) => !picture(spoiled, i).every((value, j) => value === picture(pixels, i)[j]));

  test.each(pixelNoises)('%s changes the share of the pictures and leaves the given ones alone', (kind) => {
    const before = pixels.slice();
    // As files are read: a slice of a Buffer is no copy.
    const spoiled = corruptPixels(Buffer.from(pixels.buffer), { samples, kind, rate: 0.25 }, createRandom(1));
    expect(changed(spoiled)).toHaveLength(10);
    expect(pixels).toEqual(before);
  });

  it('shuffles all pictures in the same order, and random pixels each in its own', () => {
    // A picture's position p holds p in every channel, so that a spoiled picture shows the order itself.
    const numbered = Uint8Array.from({ length: samples * size }, (_, i) => Math.floor((i % size) / 3));
    const orders = (kind: 'random-pixels' | 'shuffled-pixels'): string[] => {
      const spoiled = corruptPixels(numbered, { samples, kind, rate: 1 }, createRandom(1));
      return [...Array(samples).keys()].map((i) => {
        const order = picture(spoiled, i).filter((_, j) => j % 3 === 0);
        expect([...order].sort((a, b) => a - b)).toEqual([...Array(side * side).keys()]);
        // Pixels move whole.
        expect(picture(spoiled, i).filter((_, j) => j % 3 === 2)).toEqual(order);
        return order.join();
      });
    };
    expect(new Set(orders('shuffled-pixels')).size).toBe(1);
    expect(new Set(orders('random-pixels')).size).toBe(samples);
  });

  it('draws Gaussian pictures with the mean and deviation of each channel', () => {
    const spoiled = corruptPixels(pixels, { samples, kind: 'gaussian', rate: 1 }, createRandom(1));
    const moments = (of: Uint8Array, channel: number): [number, number] => {
      const values = of.filter((_, i) => i % 3 === channel);
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
      return [mean, Math.sqrt(variance)];
    };
    for (const channel of [0, 1, 2]) {
      const [[mean, deviation], [spoiledMean, spoiledDeviation]] = [
        moments(pixels, channel),
        moments(spoiled, channel),
      ];
      expect(Math.abs(spoiledMean - mean)).toBeLessThan(0.15 * deviation);
      expect(Math.abs(spoiledDeviation / deviation - 1)).toBeLessThan(0.1);
    }
  });
});

describe('a balanced part', () => {
  it('has every class as often as it can, once each sample', () => {
    // 5 of class 0, 50 of class 1, 45 of class 2.
    const labels = Int32Array.from({ length: 100 }, (_, i) => (i < 5 ? 0 : i < 55 ? 1 : 2));
    const part = balancedSubset(labels, 3, 31, createRandom(1));
    const counts = [0, 0, 0];
    for (const sample of part) counts[labels[sample]!]!++;
    expect(part).toHaveLength(31);
    expect(new Set(part).size).toBe(31);
    expect(counts).toEqual([5, 13, 13]);
    expect(balancedSubset(labels, 3, 31, createRandom(1))).toEqual(part);
    expect(balancedSubset(labels, 3, 500, createRandom(1))).toHaveLength(100);
  });
});
