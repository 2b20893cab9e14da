import { expect, it } from 'vitest';
import {
  alongAxes,
  chooseLandmarks,
  fitIntoSquare,
  nearestRows,
  placeBetween,
  principalAxes,
} from '../../src-main/domain/map-layout.ts';
import { createRandom } from '../../src-main/domain/random.ts';

/** Points that vary most along (3, 4, 0) / 5, then along the third axis, and hardly otherwise. */
function flatCloud(): Float32Array {
  const random = createRandom(2);
  return Float32Array.from(
    Array.from({ length: 500 }, () => {
      const [along, up, rest] = [10 * random.normal(), 3 * random.normal(), 0.1 * random.normal()];
      return [1 + 0.6 * along - 0.8 * rest, 2 + 0.8 * along + 0.6 * rest, 3 + up];
    }).flat(),
  );
}

it('finds the axes of greatest variance', () => {
  const cloud = flatCloud();
  const axes = principalAxes(cloud, 3, 2, createRandom(1));
  const [first, second] = [axes.directions.subarray(0, 3), axes.directions.subarray(3, 6)];
  expect([...first].map(Math.abs)).toEqual([0.6, 0.8, 0].map((value) => expect.closeTo(value, 1) as number));
  expect([...second].map(Math.abs)).toEqual([0, 0, 1].map((value) => expect.closeTo(value, 1) as number));
  expect(Math.hypot(...first)).toBeCloseTo(1, 6);
  // What is left out is only the thin direction, so that distances stay.
  const flat = alongAxes(cloud, axes);
  const distance = (rows: Float32Array, d: number): number =>
    Math.hypot(...Array.from({ length: d }, (_, j) => rows[j]! - rows[d + j]!));
  expect(distance(flat, 2)).toBeCloseTo(distance(cloud, 3), 0);
});

it('gives rows that are all the same one place', () => {
  const axes = principalAxes(new Float32Array(30).fill(0.5), 3, 3, createRandom(1));
  expect([...alongAxes(new Float32Array(6).fill(0.5), axes)]).toEqual(
    Array.from({ length: 6 }, () => expect.closeTo(0, 9) as number),
  );
});

it('takes landmarks of every class, however rare, and all samples where they are few', () => {
  const classes = Uint16Array.from({ length: 5000 }, (_, i) => (i === 17 ? 2 : i % 1000 === 3 ? 1 : 0));
  const landmarks = chooseLandmarks(classes, 100, 10, createRandom(1));
  expect(landmarks).toHaveLength(100);
  expect(new Set(landmarks)).toHaveLength(100);
  const ofClass = (id: number): number => landmarks.filter((position) => classes[position] === id).length;
  expect([ofClass(2), ofClass(1)]).toEqual([1, 5]);
  expect(chooseLandmarks(classes, 100, 10, createRandom(1))).toEqual(landmarks);
  expect(chooseLandmarks(classes, 100, 10, createRandom(2))).not.toEqual(landmarks);
  expect([...chooseLandmarks(classes.subarray(0, 4), 100, 10, createRandom(1))]).toEqual([0, 1, 2, 3]);
});

it('finds the nearest rows exactly, in more dimensions than it looks at first', () => {
  const random = createRandom(4);
  const dimension = 20;
  const draw = (count: number): Float32Array => Float32Array.from({ length: count * dimension }, () => random.normal());
  const [rows, others] = [draw(40), draw(90)];
  const { indexes, distances } = nearestRows(rows, others, dimension, 5);
  for (let row = 0; row < 40; row++) {
    const expected = Array.from({ length: 90 }, (_, other) => {
      let sum = 0;
      for (let j = 0; j < dimension; j++) sum += (rows[row * dimension + j]! - others[other * dimension + j]!) ** 2;
      return { other, sum };
    })
      .sort((a, b) => a.sum - b.sum)
      .slice(0, 5);
    expect([...indexes.subarray(5 * row, 5 * row + 5)]).toEqual(expected.map(({ other }) => other));
    expect([...distances.subarray(5 * row, 5 * row + 5)]).toEqual(
      expected.map(({ sum }) => expect.closeTo(sum, 6) as number),
    );
  }
});

it('places a landmark where it is, and others between theirs, nearer to the nearer', () => {
  const landmarks = Float32Array.from([0, 10, 30]);
  const places = Float32Array.from([0, 0, 10, 0, 10, 40]);
  const placed = placeBetween(places, nearestRows(Float32Array.from([10, 2, 5]), landmarks, 1, 2));
  expect([placed[0], placed[1]]).toEqual([10, 0]);
  expect(placed[2]).toBeGreaterThan(0);
  expect(placed[2]).toBeLessThan(2);
  expect(placed[4]).toBeCloseTo(5, 5);
});

it('fits any places into the square without stretching them, and parts those that coincide', () => {
  const places = Float32Array.from({ length: 2000 }, (_, i) => (i % 2 === 0 ? 500 + (i % 7) * 20 : -3 + (i % 3) * 20));
  fitIntoSquare(places, createRandom(1));
  expect(places.every((value) => value >= -1 && value <= 1)).toBe(true);
  expect(new Set(places).size).toBeGreaterThan(1500);
  const [xs, ys] = [places.filter((_, i) => i % 2 === 0), places.filter((_, i) => i % 2 === 1)];
  const range = (list: Float32Array): number =>
    list.reduce((a, b) => Math.max(a, b)) - list.reduce((a, b) => Math.min(a, b));
  // 120 across and 40 down, and a little more by the spread.
  expect(range(xs) / range(ys)).toBeCloseTo(3, 0);

  const one = Float32Array.from([7, 7]);
  fitIntoSquare(one, createRandom(1));
  expect(one.every((value) => value >= -1 && value <= 1)).toBe(true);
});
