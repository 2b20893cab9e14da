import { expect, test } from 'vitest';
import { classColor, classPalette } from '../../../src-renderer/ui/class-colors.ts';

const automatic = { color: null };

test('a chosen colour stands; otherwise the place in the list gives one', () => {
  expect(classColor({ color: '#123456' }, 3)).toBe('#123456');
  expect(classColor(automatic, 3)).toBe(classPalette[3]);
});

test('the colours of the palette can be told apart', () => {
  const distances = classPalette.flatMap((color, index) =>
    classPalette.slice(0, index).map((other) => distance(oklab(color), oklab(other))),
  );
  expect(Math.min(...distances)).toBeGreaterThan(0.09);
});

test('each of the palette stands out from the grounds of both themes', () => {
  for (const ground of ['#fafafa', '#efefef', '#242424', '#141414']) {
    const contrasts = classPalette.map((color) => contrast(luminance(color), luminance(ground)));
    expect(Math.min(...contrasts), ground).toBeGreaterThan(2.4);
  }
});

test('after the palette the same hues come lighter, then darker, and none twice before the third round ends', () => {
  const count = classPalette.length;
  const colors = Array.from({ length: 3 * count }, (_, index) => classColor(automatic, index));
  expect(new Set(colors).size).toBe(3 * count);
  for (const color of colors) expect(color).toMatch(/^#[0-9a-f]{6}$/);
  expect(luminance(colors[count]!)).toBeGreaterThan(luminance(colors[0]!));
  expect(luminance(colors[2 * count]!)).toBeLessThan(luminance(colors[0]!));
  expect(classColor(automatic, 3 * count)).toBe(colors[0]);
});

type Triple = [number, number, number];

function linear(color: string): Triple {
  const channel = (start: number): number => {
    const value = Number.parseInt(color.slice(start, start + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

function luminance(color: string): number {
  const [red, green, blue] = linear(color);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Of WCAG 2. */
function contrast(first: number, second: number): number {
  return (Math.max(first, second) + 0.05) / (Math.min(first, second) + 0.05);
}

/** Björn Ottosson, A perceptual color space for image processing, 2020. */
function oklab(color: string): Triple {
  const [red, green, blue] = linear(color);
  const long = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const medium = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const short = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * long + 0.793617785 * medium - 0.0040720468 * short,
    1.9779984951 * long - 2.428592205 * medium + 0.4505937099 * short,
    0.0259040371 * long + 0.7827717662 * medium - 0.808675766 * short,
  ];
}

function distance(first: Triple, second: Triple): number {
  return Math.hypot(first[0] - second[0], first[1] - second[1], first[2] - second[2]);
}
