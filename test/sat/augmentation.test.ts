import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, it } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { drawMoves, seenPixels, strongViews } from '../../src-main/sat/augmentation.ts';

beforeAll(() => loadEngine('wasm', null));

describe('moves', () => {
  it('reach as far as they may in every direction, and mirror every second picture', () => {
    const { offsets, border } = drawMoves('shift-flip', 32, 2000, createRandom(1))!;
    const column = (place: number): number[] => [...offsets].filter((_, i) => i % 3 === place);
    for (const shifts of [column(0), column(1)]) expect([...new Set(shifts)].sort((a, b) => a - b)).toEqual(reachOf(2));
    const mirrored = column(2).filter((flag) => flag === 1).length;
    expect(mirrored).toBeGreaterThan(900);
    expect(mirrored).toBeLessThan(1100);
    expect(border).toBe('reflect');
  });

  it('are the published crops where those are asked for, and none where nothing moves', () => {
    const crop = drawMoves('crop', 32, 2000, createRandom(1))!;
    expect([...new Set(crop.offsets)].sort((a, b) => a - b)).toEqual(reachOf(4));
    expect([...crop.offsets].filter((_, i) => i % 3 === 2).every((flag) => flag === 0)).toBe(true);
    expect(crop.border).toBe('black');
    expect(drawMoves('none', 32, 3, createRandom(1))).toBeNull();
    expect(drawMoves('views', 32, 3, createRandom(1))).toBeNull();
  });

  it.each<[string, Parameters<typeof seenPixels>, number[]]>([
    ['stay', [4, 0, false, 'reflect'], [0, 1, 2, 3]],
    ['reflect at the end', [4, 2, false, 'reflect'], [2, 3, 2, 1]],
    ['reflect at the start', [4, -2, false, 'reflect'], [2, 1, 0, 1]],
    ['mirror', [4, 0, true, 'reflect'], [3, 2, 1, 0]],
    ['mirror and reflect', [4, 1, true, 'reflect'], [2, 3, 2, 1]],
    ['show black', [4, -3, false, 'black'], [-1, -1, -1, 0]],
  ])('%s', (_, move, seen) => {
    expect([...seenPixels(...move)]).toEqual(seen);
  });
});

it('strong views are finite, different, and of the same shape', async () => {
  const images = tf.ones<tf.Rank.R4>([32, 16, 16, 3]);
  const views = strongViews(images, createRandom(4));
  expect(views.shape).toEqual(images.shape);
  const values = await views.data();
  expect(values.every(Number.isFinite)).toBe(true);
  expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.3);
});

function reachOf(reach: number): number[] {
  return Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
}
