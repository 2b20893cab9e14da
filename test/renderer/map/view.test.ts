import { expect, test } from 'vitest';
import { fitView, panBy, pointRadius, toScreen, toWorld, viewRegion, zoomAt } from '../../../src-renderer/map/view.ts';

const size = { width: 1000, height: 600 };

test('the whole map fits with a margin, whatever the shape of the window', () => {
  for (const shape of [size, { width: 300, height: 900 }]) {
    const view = fitView(shape);
    for (const [x, y] of [
      [-1, -1],
      [1, 1],
    ] as const) {
      const at = toScreen(view, shape, x, y);
      expect(at.x).toBeGreaterThan(0);
      expect(at.x).toBeLessThan(shape.width);
      expect(at.y).toBeGreaterThan(0);
      expect(at.y).toBeLessThan(shape.height);
    }
  }
});

test('y goes up in the world and down on the screen; one is the reverse of the other', () => {
  const view = { x: 0.2, y: -0.1, zoom: 9 };
  expect(toScreen(view, size, 0.2, 0).y).toBeLessThan(toScreen(view, size, 0.2, -0.2).y);
  const there = toWorld(view, size, { x: 123, y: 456 });
  const back = toScreen(view, size, there.x, there.y);
  expect([back.x, back.y].map((value) => Math.round(value * 1e6) / 1e6)).toEqual([123, 456]);
});

test('zooming keeps what is under the pointer where it is, in both directions', () => {
  const at = { x: 800, y: 100 };
  const view = fitView(size);
  const before = toWorld(view, size, at);
  for (const levels of [3, -0.5]) {
    const after = toWorld(zoomAt(view, size, levels, at), size, at);
    expect(after.x).toBeCloseTo(before.x, 9);
    expect(after.y).toBeCloseTo(before.y, 9);
  }
});

test('one cannot zoom or move so far that the map is lost', () => {
  let view = fitView(size);
  for (let step = 0; step < 100; step += 1) view = zoomAt(view, size, -1, { x: 0, y: 0 });
  expect(view.zoom).toBeGreaterThan(fitView(size).zoom - 1.01);
  for (let step = 0; step < 100; step += 1) view = panBy(view, size, 0.8, -0.8);
  expect([view.x, view.y]).toEqual([1, 1]);
});

test('what is in sight is a closed line around the middle', () => {
  const view = { x: 0.5, y: 0.25, zoom: 10 };
  const region = viewRegion(view, size);
  expect(region).toHaveLength(8);
  const xs = region.filter((_, index) => index % 2 === 0);
  const ys = region.filter((_, index) => index % 2 === 1);
  expect((Math.min(...xs) + Math.max(...xs)) / 2).toBeCloseTo(0.5, 9);
  expect((Math.min(...ys) + Math.max(...ys)) / 2).toBeCloseTo(0.25, 9);
});

test('points are smaller where there are more, and grow as one goes nearer, up to a bound', () => {
  const whole = fitView(size);
  expect(pointRadius(1_000_000, whole, size)).toBeLessThan(pointRadius(1000, whole, size));
  expect(pointRadius(1000, { ...whole, zoom: whole.zoom + 3 }, size)).toBeGreaterThan(pointRadius(1000, whole, size));
  expect(pointRadius(1000, { ...whole, zoom: whole.zoom + 30 }, size)).toBe(9);
});
