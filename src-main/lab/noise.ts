import { AppError } from '../../shared/result.ts';
import { permutation, type Random } from '../domain/random.ts';

/*
 * The noise of the paper's experiments. Everything follows from a seeded `Random`, so that every method of an experiment is
 * given the very same wrong labels and pictures.
 */

export const pixelNoises = ['gaussian', 'random-pixels', 'shuffled-pixels'] as const;
export type PixelNoise = (typeof pixelNoises)[number];
export const noiseKinds = ['uniform', 'asymmetric', ...pixelNoises] as const;
export type NoiseKind = (typeof noiseKinds)[number];

/** What a training's labels or pictures suffer before it starts; rates are shares of the training images, 0..1. */
export type Noise =
  | { kind: 'none' }
  | { kind: 'uniform'; rate: number }
  | { kind: 'asymmetric'; rate: number; confusion: Confusion }
  | { kind: PixelNoise; rate: number };

/** Class that each class is mistaken for, by name; classes that are not named keep their labels. */
export type Confusion = Readonly<Record<string, string>>;

/** Look-alikes of CIFAR-10 (Patrini et al. 2017, "Making Deep Neural Networks Robust to Label Noise"). */
export const cifar10Confusion: Confusion = {
  truck: 'automobile',
  bird: 'airplane',
  deer: 'horse',
  cat: 'dog',
  dog: 'cat',
};

/**
 * A share `rate` of the labels is redrawn uniformly over all K classes, the true one among them: the share of wrong labels
 * is about rate · (1 − 1/K). The authors' protocol (Huang et al. 2020, section 3.1).
 */
export function uniformNoise(labels: Int32Array, classes: number, rate: number, random: Random): Int32Array {
  const noisy = labels.slice();
  for (const sample of chosen(labels.length, rate, random)) noisy[sample] = random.integer(classes);
  return noisy;
}

/**
 * In every class with an entry in `confusion`, a share `rate` of the samples gets that entry's label (Patrini et al. 2017).
 * @param confusion class index by class index; −1 for classes that keep their labels
 */
export function asymmetricNoise(labels: Int32Array, confusion: Int32Array, rate: number, random: Random): Int32Array {
  const noisy = labels.slice();
  confusion.forEach((mistakenFor, label) => {
    if (mistakenFor === -1) return;
    const members = [...labels.keys()].filter((sample) => labels[sample] === label);
    for (const member of chosen(members.length, rate, random)) noisy[members[member]!] = mistakenFor;
  });
  return noisy;
}

/** A confusion by index. Throws `AppError` 'invalid-input' that names the class when one is unknown or is mistaken for itself. */
export function confusionIndices(confusion: Confusion, classes: readonly string[]): Int32Array {
  const indices = new Int32Array(classes.length).fill(-1);
  for (const [label, mistakenFor] of Object.entries(confusion)) {
    for (const name of [label, mistakenFor]) {
      if (!classes.includes(name))
        throw new AppError(
          'invalid-input',
          `The confusion names the class "${name}"; the classes are ${classes.join(', ')}.`,
        );
    }
    if (label === mistakenFor)
      throw new AppError('invalid-input', `The confusion mistakes the class "${label}" for itself.`);
    indices[classes.indexOf(label)] = classes.indexOf(mistakenFor);
  }
  return indices;
}

/**
 * Spoils the pixels of a share `rate` of the pictures and keeps all labels (Zhang et al. 2017, "Understanding deep learning
 * requires rethinking generalization", section 2.1; Huang et al. 2020, section 3.1):
 * `gaussian` draws every pixel from a normal distribution with the mean and variance of the data set, channel by channel;
 * `random-pixels` permutes the pixels of each picture in an order of its own; `shuffled-pixels` permutes those of all in the
 * same order.
 * @param pixels uint8 `[samples, side, side, 3]`; a changed copy is returned
 */
export function corruptPixels(
  pixels: Uint8Array,
  { samples, kind, rate }: { samples: number; kind: PixelNoise; rate: number },
  random: Random,
): Uint8Array {
  const size = pixels.length / samples;
  // Not `slice`, which gives a view where the pixels are a Buffer.
  const spoiled = new Uint8Array(pixels);
  const spoil = pixelSpoiler(kind, pixels, size / 3, random);
  for (const sample of chosen(samples, rate, random)) spoil(spoiled.subarray(sample * size, (sample + 1) * size));
  return spoiled;
}

/** round(rate · count) of the numbers 0 … count−1, without repetition. */
function chosen(count: number, rate: number, random: Random): Int32Array {
  return permutation(count, random).subarray(0, Math.round(rate * count));
}

function pixelSpoiler(
  kind: PixelNoise,
  all: Uint8Array,
  positions: number,
  random: Random,
): (picture: Uint8Array) => void {
  switch (kind) {
    case 'gaussian': {
      const channels = channelStatistics(all);
      return (picture) => {
        for (let i = 0; i < picture.length; i++) {
          const { mean, deviation } = channels[i % 3]!;
          picture[i] = Math.min(255, Math.max(0, Math.round(mean + deviation * random.normal())));
        }
      };
    }
    case 'random-pixels':
      return (picture) => reorder(picture, permutation(positions, random));
    case 'shuffled-pixels': {
      const order = permutation(positions, random);
      return (picture) => reorder(picture, order);
    }
  }
}

function reorder(picture: Uint8Array, order: Int32Array): void {
  const before = picture.slice();
  order.forEach((from, to) => picture.set(before.subarray(from * 3, from * 3 + 3), to * 3));
}

function channelStatistics(pixels: Uint8Array): { mean: number; deviation: number }[] {
  const sum = [0, 0, 0];
  const sumOfSquares = [0, 0, 0];
  for (let i = 0; i < pixels.length; i++) {
    sum[i % 3]! += pixels[i]!;
    sumOfSquares[i % 3]! += pixels[i]! ** 2;
  }
  const count = pixels.length / 3;
  return sum.map((total, channel) => {
    const mean = total / count;
    return { mean, deviation: Math.sqrt(Math.max(0, sumOfSquares[channel]! / count - mean ** 2)) };
  });
}
