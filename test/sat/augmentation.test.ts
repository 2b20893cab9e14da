import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, it } from 'vitest';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { loadEngine } from '../../src-main/engine/engines.ts';
import { augment } from '../../src-main/sat/augmentation.ts';

beforeAll(() => loadEngine('wasm', null));

const side = 16;

it('gives every view pixel for pixel from the reflected picture, shifted and sometimes mirrored', async () => {
  const random = createRandom(1);
  const picture = Float32Array.from({ length: side * side * 3 }, () => random.normal());
  const batch = 24;
  const images = tf.tile<tf.Tensor4D>(tf.tensor4d(picture, [1, side, side, 3]), [batch, 1, 1, 1]);
  const views = await augment('shift-flip', images, createRandom(2), [0, 0, 0]).data();
  const reflected = (i: number): number => (i < 0 ? -i : i >= side ? 2 * (side - 1) - i : i);
  const seen = new Set<string>();
  for (let b = 0; b < batch; b++) {
    let match = '';
    for (let dy = -1; dy <= 1; dy++)
      for (let dx = -1; dx <= 1; dx++)
        for (const flip of [false, true]) {
          const same = everyPixel((y, x, c) => {
            const column = flip ? side - 1 - x : x;
            const source = (reflected(y + dy) * side + reflected(column + dx)) * 3 + c;
            return Math.abs(views[((b * side + y) * side + x) * 3 + c]! - picture[source]!) < 1e-3;
          });
          if (same) match = `${dy} ${dx} ${flip}`;
        }
    expect(match, `view ${b}`).not.toBe('');
    seen.add(match);
  }
  // Of 3 × 3 shifts, mirrored or not.
  expect(seen.size).toBeGreaterThan(9);
});

it('leaves the picture alone where nothing is drawn', async () => {
  const images = tf.tensor4d(
    Float32Array.from({ length: side * side * 3 }, (_, i) => i % 7),
    [1, side, side, 3],
  );
  // A fake source of randomness: the middle of every range, and no mirror image.
  const still: Random = { ...createRandom(1), next: () => 0.9, integer: (below) => (below - 1) / 2, normal: () => 0 };
  const view = await augment('shift-flip', images, still, [0, 0, 0]).data();
  const original = await images.data();
  expect(Math.max(...view.map((value, i) => Math.abs(value - original[i]!)))).toBeLessThan(1e-3);
});

it('pads with black, or makes strong views that are still finite and of the same shape', async () => {
  const images = tf.ones<tf.Rank.R4>([32, side, side, 3]);
  const cropped = await augment('crop-flip', images, createRandom(3), [-2, -3, -4]).data();
  // Every channel has the pictures' 1 and its own black, and nothing else.
  for (const channel of [0, 1, 2]) {
    const values = cropped.filter((_, i) => i % 3 === channel);
    expect(new Set(Array.from(values, (value) => Math.round(value)))).toEqual(new Set([1, -2 - channel]));
  }
  const views = augment('views', images, createRandom(4), [0, 0, 0]);
  expect(views.shape).toEqual(images.shape);
  const values = await views.data();
  expect(values.every(Number.isFinite)).toBe(true);
  expect(Math.max(...values) - Math.min(...values)).toBeGreaterThan(0.3);
});

function everyPixel(check: (y: number, x: number, channel: number) => boolean): boolean {
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) for (let c = 0; c < 3; c++) if (!check(y, x, c)) return false;
  return true;
}
