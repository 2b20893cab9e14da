import { expect, it } from 'vitest';
import { reasonToPretrain } from '../../src-main/domain/suggestions.ts';

it('suggests the images first where they are many and the labels few or doubtful, with the numbers', () => {
  const few = { samples: 2400, classCounts: [10, 20, 48, 900, 30], noiseRate: null };
  expect(reasonToPretrain(few)).toMatch(/2,400 images.*a typical class has 30/);
  const doubtful = { samples: 12_000, classCounts: [6000, 6000], noiseRate: 0.31 };
  expect(reasonToPretrain(doubtful)).toMatch(/12,000 images.*about 31 %/);
});

it.each([
  ['few images', { samples: 1999, classCounts: [3, 4], noiseRate: 0.5 }],
  ['enough labels', { samples: 2000, classCounts: [50, 50], noiseRate: null }],
  ['labels that are mostly right', { samples: 2000, classCounts: [1000, 1000], noiseRate: 0.19 }],
])('suggests nothing for %s', (_name, figures) => {
  expect(reasonToPretrain(figures)).toBeNull();
});
