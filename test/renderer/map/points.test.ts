import { expect, test } from 'vitest';
import type { EmbeddingMap } from '../../../shared/domain.ts';
import { nextBudget, restingCount } from '../../../src-renderer/map/draw-budget.ts';
import { enclosesArea, extendLasso } from '../../../src-renderer/map/lasso.ts';
import { colorPoints, mixRgb, parseRgb, type PointPalette } from '../../../src-renderer/map/point-colors.ts';

const palette: PointPalette = {
  classes: [
    [10, 0, 0],
    [20, 0, 0],
  ],
  states: [
    [0, 1, 0],
    [0, 2, 0],
    [0, 3, 0],
    [0, 4, 0],
    [0, 5, 0],
  ],
  ramp: [
    [0, 0, 0],
    [255, 255, 255],
  ],
  none: [99, 99, 99],
};

const map: EmbeddingMap = {
  runId: 1,
  ids: Uint32Array.of(7, 8, 9),
  positions: new Float32Array(6),
  given: Uint16Array.of(0, 1, 1),
  suggested: Uint16Array.of(1, 65_535, 0),
  weight: Uint8Array.of(0, 128, 255),
  doubt: Uint8Array.of(255, 0, 64),
  state: Uint8Array.of(0, 4, 2),
  classIds: [5, 6],
};

const rgb = (colors: Uint8Array): number[][] =>
  [0, 1, 2].map((point) => [...colors.subarray(point * 4, point * 4 + 3)]);

test('each property gives every point its colour; no finding has a colour of its own', () => {
  expect(rgb(colorPoints(map, 'given', palette, null))).toEqual([
    [10, 0, 0],
    [20, 0, 0],
    [20, 0, 0],
  ]);
  expect(rgb(colorPoints(map, 'suggested', palette, null))[1]).toEqual([99, 99, 99]);
  expect(rgb(colorPoints(map, 'weight', palette, null))).toEqual([
    [0, 0, 0],
    [128, 128, 128],
    [255, 255, 255],
  ]);
  expect(rgb(colorPoints(map, 'state', palette, null))).toEqual([
    [0, 1, 0],
    [0, 5, 0],
    [0, 3, 0],
  ]);
});

test('points outside the queue step back', () => {
  const colors = colorPoints(map, 'given', palette, (id) => id === 8);
  expect(colors[7]).toBeGreaterThan(4 * colors[3]!);
  expect(colors[3]).toBe(colors[11]);
});

test('colours as numbers', () => {
  expect(parseRgb('#ff8001')).toEqual([255, 128, 1]);
  expect(mixRgb(palette.ramp, 0.5)).toEqual([128, 128, 128]);
});

test('late frames draw fewer points at once, early ones more by and by, within bounds', () => {
  const points = 1_000_000;
  expect(nextBudget(200_000, 60, points)).toBeLessThan(100_000);
  expect(nextBudget(200_000, 1000, points)).toBeGreaterThanOrEqual(20_000);
  expect(nextBudget(200_000, 16.7, points)).toBeGreaterThan(200_000);
  expect(nextBudget(900_000, 16.7, points)).toBe(points);
  expect(nextBudget(50, 60, 3000)).toBe(3000);
  // A machine that draws 10,000 points in a millisecond settles where frames are in time.
  let budget = points;
  for (let frame = 0; frame < 60; frame += 1) budget = nextBudget(budget, Math.max(16.7, 2 + budget / 10_000), points);
  expect(budget / 10_000).toBeLessThan(20);
  expect(budget).toBeGreaterThan(100_000);
});

test('at rest all points are drawn, unless one frame of them would stop the window', () => {
  expect(restingCount(1_000_000, 16.7, 1_000_000)).toBe(1_000_000);
  expect(restingCount(200_000, 25, 200_000)).toBe(200_000);
  const few = restingCount(20_000, 120, 1_000_000);
  expect(few).toBeGreaterThanOrEqual(20_000);
  expect(few).toBeLessThan(200_000);
});

test('a line by hand keeps corners that are apart, and a click encloses nothing', () => {
  let line: readonly number[] = [0, 0];
  line = extendLasso(line, 1, 1);
  expect(line).toEqual([0, 0]);
  for (const [x, y] of [
    [100, 0],
    [100, 100],
  ] as const)
    line = extendLasso(line, x, y);
  expect(enclosesArea(line)).toBe(true);
  expect(enclosesArea([0, 0, 3, 3, 2, 5])).toBe(false);
  expect(enclosesArea([0, 0, 100, 100])).toBe(false);
});
