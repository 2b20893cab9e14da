import { expect, test } from 'vitest';
import {
  cellOffset,
  gridGap,
  layOutGrid,
  moveFrom,
  scrollToShow,
  scrollToTop,
  visibleRange,
} from '../../../src-renderer/review/grid-layout.ts';

const count = 100_000;
const layout = layOutGrid(1140, 168, count);

test('cells fill the width without overlap', () => {
  const last = cellOffset(layout, layout.columns - 1);
  expect(layout.columns).toBe(6);
  expect(last.left + layout.cellWidth).toBeLessThanOrEqual(1140 - gridGap);
  expect(cellOffset(layout, layout.columns)).toEqual({ left: gridGap, top: gridGap * 2 + layout.cellHeight });
});

test('only the rows in view are asked for, wherever one scrolls', () => {
  for (const scrollTop of [0, 12_345, layout.totalHeight / 2, layout.totalHeight - 800]) {
    const { start, end } = visibleRange(layout, scrollTop, 800, 2, count);
    expect(end - start).toBeLessThanOrEqual(layout.columns * 10);
    expect(cellOffset(layout, start).top).toBeLessThanOrEqual(Math.max(gridGap, scrollTop));
    const below = cellOffset(layout, end - 1).top + layout.cellHeight + gridGap;
    expect(below).toBeGreaterThanOrEqual(Math.min(scrollTop + 800, layout.totalHeight - gridGap));
  }
  expect(visibleRange(layOutGrid(1140, 168, 0), 0, 800, 2, 0)).toEqual({ start: 0, end: 0 });
});

test('scrolling to a cell moves no further than needed', () => {
  expect(scrollToShow(layout, 0, 0, 800)).toBe(0);
  const position = 60 * layout.columns;
  const down = scrollToShow(layout, position, 0, 800);
  expect(cellOffset(layout, position).top + layout.cellHeight + gridGap).toBe(down + 800);
  expect(scrollToShow(layout, position, down, 800)).toBe(down);
  expect(scrollToShow(layout, 0, down, 800)).toBe(0);
});

test('arrows stay in their column and inside the queue', () => {
  // Rows of 4: 0–3, 4–7, 8–9.
  expect(moveFrom(1, 'up', 4, 2, 10)).toBe(1);
  expect(moveFrom(5, 'down', 4, 2, 10)).toBe(9);
  expect(moveFrom(6, 'down', 4, 2, 10)).toBe(9);
  expect(moveFrom(9, 'down', 4, 2, 10)).toBe(9);
  expect(moveFrom(9, 'right', 4, 2, 10)).toBe(9);
  expect(moveFrom(3, 'right', 4, 2, 10)).toBe(4);
  expect(moveFrom(0, 'page-down', 4, 2, 10)).toBe(8);
  expect(moveFrom(3, 'last', 4, 2, 10)).toBe(9);
  expect(moveFrom(3, 'first', 4, 2, 10)).toBe(0);
});

test('one begins with the row of the first undecided image on top, as far as there are rows below it', () => {
  expect(scrollToTop(layout, 3, 800)).toBe(0);
  expect(scrollToTop(layout, 200, 800)).toBe(cellOffset(layout, 200).top - gridGap);
  expect(scrollToTop(layout, count - 1, 800)).toBe(layout.totalHeight - 800);
  expect(scrollToTop(layOutGrid(1140, 168, 5), 4, 800)).toBe(0);
});
