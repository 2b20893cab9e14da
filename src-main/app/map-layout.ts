import { UMAP } from 'umap-js';
import {
  alongAxes,
  chooseLandmarks,
  fitIntoSquare,
  nearestRows,
  placeBetween,
  principalAxes,
  type Nearest,
} from '../domain/map-layout.ts';
import { createRandom, permutation, type Random } from '../domain/random.ts';

/** The embeddings of a run and what tells its classes apart. */
export interface LayoutInput {
  /** float16 as bits, `[samples of the part, dimension]` each, in the order of the run. */
  parts: Uint16Array[];
  dimension: number;
  /** `[n]` */
  classes: Uint16Array;
}

/**
 * Lays the samples out in the plane, alike near alike, within −1..1: UMAP of some of them, and every other between those that it
 * resembles (ADR 10). The same input gives the same map. `[n, 2]`
 */
export function layOutMap(
  { parts, dimension, classes }: LayoutInput,
  onProgress: (share: number) => void,
): Float32Array {
  const random = createRandom(layoutSeed);
  const count = classes.length;
  const axes = principalAxes(
    sampleRows(parts, dimension, count, random),
    dimension,
    Math.min(dimension, mostAxes),
    random,
  );
  // Two at least, so that there is a plane.
  const width = Math.max(2, axes.count);
  const rows = new Float32Array(count * width);
  forEachPart(parts, dimension, (first, values, index) => {
    const components = alongAxes(values, axes);
    for (let i = 0; i < components.length; i++) {
      rows[(first + Math.floor(i / axes.count)) * width + (i % axes.count)] = components[i]!;
    }
    onProgress((sharesUntil.reduced * (index + 1)) / parts.length);
  });
  const landmarks = chooseLandmarks(classes, mostLandmarks, landmarksPerClass, random);
  const landmarkRows = rowsAt(rows, width, landmarks);
  const places = placeLandmarks(landmarkRows, width, random, (share) =>
    onProgress(sharesUntil.reduced + share * (sharesUntil.landmarks - sharesUntil.reduced)),
  );
  const positions = new Float32Array(2 * count);
  for (let first = 0; first < count; first += rowsPerStep) {
    const some = rows.subarray(first * width, (first + rowsPerStep) * width);
    const nearest = nearestRows(some, landmarkRows, width, Math.min(placingNeighbours, landmarks.length));
    positions.set(placeBetween(places, nearest), 2 * first);
    onProgress(sharesUntil.landmarks + (1 - sharesUntil.landmarks) * Math.min(1, (first + rowsPerStep) / count));
  }
  fitIntoSquare(positions, random);
  return positions;
}

const layoutSeed = 1;
/** Axes that are kept of the embeddings; on the measured sets they hold nine tenths of the variance. */
const mostAxes = 32;
/** Rows from which the axes are computed. */
const mostRowsForAxes = 8000;
const mostLandmarks = 4000;
const landmarksPerClass = 10;
/** UMAP's usual neighbours, with fewer epochs than it would take: twice as many are hardly better (ADR 10). */
const neighbours = 15;
const epochs = 200;
/** Half the side of the square in which UMAP starts. */
const startRadius = 10;
/** More would draw a sample toward the middle of its landmarks. */
const placingNeighbours = 3;
const rowsPerStep = 1000;
/** Roughly how far the work is after its steps. */
const sharesUntil = { reduced: 0.1, landmarks: 0.5 };

/** UMAP of the landmarks, from their first two axes on, so that near groups start near. `[landmarks, 2]` */
function placeLandmarks(
  rows: Float32Array,
  width: number,
  random: Random,
  onProgress: (share: number) => void,
): Float32Array {
  const count = rows.length / width;
  const start = startPlaces(rows, width);
  // Too few for a neighbourhood: their first two axes say all there is.
  if (count < 2 * neighbours) return start;
  const umap = new UMAP({ nNeighbors: neighbours, nEpochs: epochs, random: () => random.next() });
  const nearest = nearestRows(rows, rows, width, neighbours);
  umap.setPrecomputedKNN(lists(nearest, nearest.indexes), lists(nearest, nearest.distances.map(Math.sqrt)));
  umap.initializeFit(Array.from({ length: count }, (_, i) => [...rows.subarray(i * width, (i + 1) * width)]));
  // The library starts anywhere; its places are moved in place before the first step.
  const places = umap.getEmbedding();
  places.forEach((place, i) => {
    place[0] = start[2 * i]!;
    place[1] = start[2 * i + 1]!;
  });
  for (let epoch = 0; epoch < epochs; epoch++) {
    umap.step();
    onProgress((epoch + 1) / epochs);
  }
  return Float32Array.from(umap.getEmbedding().flat());
}

function startPlaces(rows: Float32Array, width: number): Float32Array {
  const places = new Float32Array((2 * rows.length) / width);
  let largest = 0;
  for (let i = 0; i < places.length; i++) {
    places[i] = rows[Math.floor(i / 2) * width + (i % 2)]!;
    largest = Math.max(largest, Math.abs(places[i]!));
  }
  return largest === 0 ? places : places.map((value) => (value / largest) * startRadius);
}

function lists({ neighbours: each }: Nearest, values: Int32Array | Float64Array): number[][] {
  return Array.from({ length: values.length / each }, (_, row) => [...values.subarray(row * each, (row + 1) * each)]);
}

function rowsAt(rows: Float32Array, width: number, positions: Int32Array): Float32Array {
  const chosen = new Float32Array(positions.length * width);
  positions.forEach((position, i) => chosen.set(rows.subarray(position * width, (position + 1) * width), i * width));
  return chosen;
}

/** Some rows of the embeddings at random. */
function sampleRows(parts: readonly Uint16Array[], dimension: number, count: number, random: Random): Float32Array {
  const chosen = permutation(count, random).subarray(0, mostRowsForAxes).sort();
  const rows = new Float32Array(chosen.length * dimension);
  let next = 0;
  forEachPart(parts, dimension, (first, values) => {
    const end = first + values.length / dimension;
    for (; next < chosen.length && chosen[next]! < end; next++) {
      const offset = (chosen[next]! - first) * dimension;
      rows.set(values.subarray(offset, offset + dimension), next * dimension);
    }
  });
  return rows;
}

function forEachPart(
  parts: readonly Uint16Array[],
  dimension: number,
  visit: (first: number, values: Float32Array, index: number) => void,
): void {
  let first = 0;
  for (const [index, part] of parts.entries()) {
    const values = new Float32Array(new Float16Array(part.buffer, part.byteOffset, part.length));
    // A run that diverged may have left numbers that are none.
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) values[i] = 0;
    visit(first, values, index);
    first += values.length / dimension;
  }
}
