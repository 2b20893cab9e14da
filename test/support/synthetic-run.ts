import { createRandom, type Random } from '../../src-main/domain/random.ts';

/* What training would have made of synthetic samples: predictions after each epoch, and embeddings. */

/** What the pictures are, unknown to the model. */
export interface Nature {
  classes: number;
  /** What each picture shows. `[samples]` */
  truths: Int32Array;
  /** What each is labelled. `[samples]` */
  labels: Int32Array;
  /** How hard each is to tell from what resembles it, 0..1, mostly near 0. `[samples]` */
  difficulties: Float32Array;
  /** The sample of which this is another take, or itself. `[samples]` */
  originals: Int32Array;
}

/** The class that this one is most often taken for. */
export function lookAlikeOf(classIndex: number, classes: number): number {
  const other = classIndex ^ 1;
  return other < classes ? other : classIndex - 1;
}

export interface Predictor {
  /** Probabilities after an epoch, `[samples, classes]`; the same array each time. */
  after(epoch: number): Float32Array;
}

/**
 * A network that learns what is shown before it learns wrong labels by heart: evidence for the shown class grows with the epochs, of hard
 * samples more slowly; those lean to the look-alike; and late in the training the given label gains.
 */
export function createPredictor(nature: Nature, epochs: number, seed: number): Predictor {
  const { classes, truths, labels, difficulties } = nature;
  const samples = truths.length;
  const random = createRandom(seed);
  const quirks = Float32Array.from({ length: samples * classes }, () => 1.4 * (random.next() + random.next() - 1));
  const probabilities = new Float32Array(samples * classes);
  return {
    after(epoch) {
      const byHeart = Math.max(0, (epoch + 1) / epochs - 0.5);
      for (let i = 0; i < samples; i++) {
        const difficulty = difficulties[i]!;
        const learned = 1 - Math.exp((-6 * (epoch + 1) * (1 - 0.7 * difficulty)) / epochs);
        const start = i * classes;
        let sum = 0;
        for (let j = 0; j < classes; j++) {
          let logit = quirks[start + j]! + 0.5 * (random.next() - 0.5);
          if (j === truths[i]) logit += learned * (6.5 - 5.5 * difficulty);
          else if (j === lookAlikeOf(truths[i]!, classes)) logit += learned * (0.5 + 3.5 * difficulty);
          if (j === labels[i]) logit += 0.8 + byHeart * 1.6;
          sum += probabilities[start + j] = Math.exp(logit);
        }
        for (let j = 0; j < classes; j++) probabilities[start + j]! /= sum;
      }
      return probabilities;
    },
  };
}

/** Probability with which a recipe with an abstention class would abstain, `[samples]`. */
export function drawAbstentions({ difficulties }: Nature, seed: number): Float32Array {
  const random = createRandom(seed);
  return difficulties.map((difficulty) => 1 / (1 + Math.exp(4 - 6 * difficulty + random.normal())));
}

/**
 * Embeddings, each of length 1, `[samples, dimension]`: each class lies around a few centres, hard samples lie towards the
 * look-alike, takes of the same picture side by side.
 */
export function drawEmbeddings(nature: Nature, dimension: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const draw = scatter(
    nature,
    dimension,
    { spread: 0.9, noise: 0.55 / Math.sqrt(dimension), take: 0.02 / Math.sqrt(dimension) },
    random,
  );
  for (let i = 0; i < nature.truths.length; i++) {
    const row = draw.subarray(i * dimension, (i + 1) * dimension);
    const length = Math.hypot(...row);
    for (let j = 0; j < dimension; j++) row[j]! /= length;
  }
  return draw;
}

/** A place in the plane for each sample, within −1..1, `[samples, 2]`. */
export function drawMap(nature: Nature, seed: number): Float32Array {
  const positions = scatter(nature, 2, { spread: 0.35, noise: 0.12, take: 0.002 }, createRandom(seed));
  let largest = 0;
  for (const value of positions) largest = Math.max(largest, Math.abs(value));
  return positions.map((value) => value / largest);
}

const centresPerClass = 5;

function scatter(
  { classes, truths, difficulties, originals }: Nature,
  dimension: number,
  { spread, noise, take }: { spread: number; noise: number; take: number },
  random: Random,
): Float32Array {
  const directions = (count: number, length: number): Float32Array[] =>
    Array.from({ length: count }, () => {
      const direction = Float32Array.from({ length: dimension }, () => random.normal());
      const scale = length / Math.hypot(...direction);
      return direction.map((value) => value * scale);
    });
  const centres = directions(classes, 1).map((centre) =>
    directions(centresPerClass, spread).map((shift) => centre.map((value, j) => value + shift[j]!)),
  );
  const values = new Float32Array(truths.length * dimension);
  for (let i = 0; i < truths.length; i++) {
    const original = originals[i]!;
    const start = i * dimension;
    if (original < i) {
      for (let j = 0; j < dimension; j++)
        values[start + j] = values[original * dimension + j]! + take * random.normal();
      continue;
    }
    const which = random.integer(centresPerClass);
    const centre = centres[truths[i]!]![which]!;
    const lookAlike = centres[lookAlikeOf(truths[i]!, classes)]![which]!;
    const lean = 0.6 * difficulties[i]!;
    for (let j = 0; j < dimension; j++) {
      values[start + j] = (1 - lean) * centre[j]! + lean * lookAlike[j]! + noise * random.normal();
    }
  }
  return values;
}
