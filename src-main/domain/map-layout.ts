import { permutation, type Random } from './random.ts';

/*
 * The parts of the map's layout that are plain arithmetic: fewer dimensions, landmarks, the nearest of them, and the places of all
 * other samples between them. All rows are float32, row after row.
 */

/** An affine view of rows: their components along the axes of greatest variance. */
export interface Axes {
  /** `[dimension]` */
  mean: Float64Array;
  /** Orthonormal, greatest variance first. `[axes, dimension]` */
  directions: Float64Array;
  count: number;
}

export interface Nearest {
  /** Nearest first. `[rows, neighbours]` */
  indexes: Int32Array;
  /** Squared Euclidean. `[rows, neighbours]` */
  distances: Float64Array;
  neighbours: number;
}

/** The `count` axes of greatest variance of the rows, by orthogonal iteration on their covariance. */
export function principalAxes(rows: Float32Array, dimension: number, count: number, random: Random): Axes {
  const samples = rows.length / dimension;
  const mean = new Float64Array(dimension);
  for (let i = 0; i < rows.length; i++) mean[i % dimension]! += rows[i]! / samples;
  const covariance = covarianceOf(rows, mean);
  let directions = Float64Array.from({ length: count * dimension }, () => random.normal());
  orthonormalize(directions, dimension);
  for (let iteration = 0; iteration < axisIterations; iteration++) {
    const turned = new Float64Array(count * dimension);
    for (let axis = 0; axis < count; axis++) {
      for (let i = 0; i < dimension; i++) {
        let sum = 0;
        for (let j = 0; j < dimension; j++) sum += covariance[i * dimension + j]! * directions[axis * dimension + j]!;
        turned[axis * dimension + i] = sum;
      }
    }
    directions = turned;
    orthonormalize(directions, dimension);
  }
  return { mean, directions, count };
}

/** Components of the rows along the axes. `[rows, axes]` */
export function alongAxes(rows: Float32Array, { mean, directions, count }: Axes): Float32Array {
  const dimension = mean.length;
  const samples = rows.length / dimension;
  const components = new Float32Array(samples * count);
  const centred = new Float64Array(dimension);
  for (let row = 0; row < samples; row++) {
    for (let j = 0; j < dimension; j++) centred[j] = rows[row * dimension + j]! - mean[j]!;
    for (let axis = 0; axis < count; axis++) {
      const offset = axis * dimension;
      let sum = 0;
      for (let j = 0; j < dimension; j++) sum += centred[j]! * directions[offset + j]!;
      components[row * count + axis] = sum;
    }
  }
  return components;
}

/**
 * `count` positions at random, at least `perClass` of every class where it has so many, so that a rare class has its place on the map.
 */
export function chooseLandmarks(classes: Uint16Array, count: number, perClass: number, random: Random): Int32Array {
  if (classes.length <= count) return Int32Array.from(classes, (_, position) => position);
  const order = permutation(classes.length, random);
  const chosen = new Set<number>();
  const taken = new Map<number, number>();
  for (const position of order) {
    const ofClass = taken.get(classes[position]!) ?? 0;
    if (ofClass >= perClass) continue;
    taken.set(classes[position]!, ofClass + 1);
    chosen.add(position);
  }
  for (const position of order) {
    if (chosen.size >= count) break;
    chosen.add(position);
  }
  return Int32Array.from(chosen).sort();
}

/** The nearest of `others` to each row, exactly. `others` may be the rows themselves; then each is its own nearest. */
export function nearestRows(rows: Float32Array, others: Float32Array, dimension: number, neighbours: number): Nearest {
  const count = rows.length / dimension;
  const otherCount = others.length / dimension;
  const head = Math.min(dimension, headDimensions);
  const indexes = new Int32Array(count * neighbours);
  const distances = new Float64Array(count * neighbours);
  const best = new Float64Array(neighbours);
  const bestIndex = new Int32Array(neighbours);
  for (let row = 0; row < count; row++) {
    best.fill(Infinity);
    const own = row * dimension;
    for (let other = 0; other < otherCount; other++) {
      const offset = other * dimension;
      let distance = 0;
      let j = 0;
      for (; j < head; j++) {
        const difference = rows[own + j]! - others[offset + j]!;
        distance += difference * difference;
      }
      if (distance >= best[neighbours - 1]!) continue;
      for (; j < dimension; j++) {
        const difference = rows[own + j]! - others[offset + j]!;
        distance += difference * difference;
      }
      if (distance >= best[neighbours - 1]!) continue;
      let slot = neighbours - 1;
      for (; slot > 0 && best[slot - 1]! > distance; slot--) {
        best[slot] = best[slot - 1]!;
        bestIndex[slot] = bestIndex[slot - 1]!;
      }
      best[slot] = distance;
      bestIndex[slot] = other;
    }
    indexes.set(bestIndex, row * neighbours);
    distances.set(best, row * neighbours);
  }
  return { indexes, distances, neighbours };
}

/**
 * A place for each row: the mean of the places of its nearest landmarks, the nearest weighted most. A row that is a landmark is at
 * its place. `places`: `[landmarks, 2]`; answers `[rows, 2]`.
 */
export function placeBetween(places: Float32Array, { indexes, distances, neighbours }: Nearest): Float32Array {
  const count = indexes.length / neighbours;
  const placed = new Float32Array(2 * count);
  for (let row = 0; row < count; row++) {
    const first = row * neighbours;
    const nearest = Math.sqrt(distances[first]!);
    const range = Math.sqrt(distances[first + neighbours - 1]!) - nearest;
    let total = 0;
    let x = 0;
    let y = 0;
    // A landmark is its own nearest, at no distance.
    const used = nearest === 0 ? 1 : neighbours;
    for (let j = first; j < first + used; j++) {
      const weight = range === 0 ? 1 : Math.exp((-sharpness * (Math.sqrt(distances[j]!) - nearest)) / range);
      const landmark = indexes[j]!;
      total += weight;
      x += weight * places[2 * landmark]!;
      y += weight * places[2 * landmark + 1]!;
    }
    placed[2 * row] = x / total;
    placed[2 * row + 1] = y / total;
  }
  return placed;
}

/**
 * Moves and scales places into −1..1, both axes alike, and moves each by a fraction of the usual gap between two, so that
 * alike samples do not hide each other. `[n, 2]`, in place.
 */
export function fitIntoSquare(places: Float32Array, random: Random): void {
  const count = places.length / 2;
  const low = [Infinity, Infinity];
  const high = [-Infinity, -Infinity];
  for (let i = 0; i < places.length; i++) {
    low[i % 2] = Math.min(low[i % 2]!, places[i]!);
    high[i % 2] = Math.max(high[i % 2]!, places[i]!);
  }
  const spread = spreadOfGap / Math.sqrt(count);
  const half = Math.max(high[0]! - low[0]!, high[1]! - low[1]!) / 2 || 1;
  const middle = [(low[0]! + high[0]!) / 2, (low[1]! + high[1]!) / 2];
  for (let i = 0; i < places.length; i++) {
    const scaled = (places[i]! - middle[i % 2]!) / half;
    places[i] = Math.max(-1, Math.min(1, scaled + spread * random.normal()));
  }
}

/** The first axes hold most of a distance; what is too far along them needs no further look. */
const headDimensions = 8;
/** The farthest of the neighbours weighs exp(−this) of the nearest. */
const sharpness = 3;
/** Standard deviation, as a share of the side of the square that each of n samples could have to itself. */
const spreadOfGap = 0.2;
const axisIterations = 20;

function covarianceOf(rows: Float32Array, mean: Float64Array): Float64Array {
  const dimension = mean.length;
  const samples = rows.length / dimension;
  const covariance = new Float64Array(dimension * dimension);
  const centred = new Float64Array(dimension);
  for (let row = 0; row < samples; row++) {
    for (let j = 0; j < dimension; j++) centred[j] = rows[row * dimension + j]! - mean[j]!;
    for (let i = 0; i < dimension; i++) {
      const value = centred[i]! / samples;
      for (let j = 0; j <= i; j++) covariance[i * dimension + j]! += value * centred[j]!;
    }
  }
  for (let i = 0; i < dimension; i++) {
    for (let j = 0; j < i; j++) covariance[j * dimension + i] = covariance[i * dimension + j]!;
  }
  return covariance;
}

/** Gram-Schmidt; a row that depends on those before it becomes zero. */
function orthonormalize(directions: Float64Array, dimension: number): void {
  const count = directions.length / dimension;
  for (let axis = 0; axis < count; axis++) {
    const own = directions.subarray(axis * dimension, (axis + 1) * dimension);
    const before = Math.hypot(...own);
    for (let earlier = 0; earlier < axis; earlier++) {
      const other = directions.subarray(earlier * dimension, (earlier + 1) * dimension);
      let dot = 0;
      for (let j = 0; j < dimension; j++) dot += own[j]! * other[j]!;
      for (let j = 0; j < dimension; j++) own[j]! -= dot * other[j]!;
    }
    const length = Math.hypot(...own);
    const scale = length > before * 1e-9 ? 1 / length : 0;
    for (let j = 0; j < dimension; j++) own[j]! *= scale;
  }
}
