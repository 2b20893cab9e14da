import { expect, it } from 'vitest';
import { reviewStates, type ReviewState } from '../../shared/domain.ts';
import { labelNoise } from '../../src-main/domain/label-noise.ts';

interface Label {
  given: number;
  suggested?: number;
  /** 0 when dropped. */
  current?: number;
  state?: ReviewState;
  probability?: number;
}

const cat = 1;
const dog = 2;
const fox = 3;

function noiseOf(labels: readonly Label[]) {
  const column = (value: (label: Label) => number): Uint32Array => Uint32Array.from(labels, value);
  return labelNoise(
    [cat, dog, fox],
    {
      given: column(({ given }) => given),
      suggested: column(({ given, suggested }) => suggested ?? given),
      current: column(({ given, current }) => current ?? given),
      state: Uint8Array.from(labels, ({ state }) => reviewStates.indexOf(state ?? 'unreviewed')),
    },
    Float64Array.from(labels, ({ probability }) => probability ?? 0),
  );
}

it('counts decided labels as decided, and the others by how likely they are wrong', () => {
  const { classes, pairs } = noiseOf([
    { given: cat, state: 'confirmed', suggested: dog },
    { given: cat, state: 'relabeled', current: fox, suggested: dog },
    { given: cat, state: 'dropped', current: 0, suggested: dog },
    { given: cat, state: 'skipped', suggested: dog, probability: 0.5 },
    { given: cat, suggested: dog, probability: 0.25 },
    { given: cat, probability: 0.125 },
    { given: dog, suggested: 0 },
    // Relabeled to a class that has since been merged with its own.
    { given: dog, state: 'relabeled', current: dog },
  ]);
  expect(classes).toEqual([
    { classId: cat, given: 6, current: 4, decided: 3, foundWrong: 2, expectedWrong: 2.875 },
    { classId: dog, given: 2, current: 2, decided: 1, foundWrong: 0, expectedWrong: 0 },
    { classId: fox, given: 0, current: 1, decided: 0, foundWrong: 0, expectedWrong: 0 },
  ]);
  expect(pairs).toEqual([
    { givenClassId: cat, otherClassId: fox, expected: 1 },
    { givenClassId: cat, otherClassId: dog, expected: 0.75 },
  ]);
});

it('lists the largest pairs first, and leaves out those that round to nothing', () => {
  const { pairs } = noiseOf([
    { given: cat, suggested: dog, probability: 0.6 },
    { given: dog, suggested: fox, probability: 0.9 },
    { given: fox, suggested: cat, probability: 0.4 },
  ]);
  expect(pairs.map(({ givenClassId, otherClassId }) => [givenClassId, otherClassId])).toEqual([
    [dog, fox],
    [cat, dog],
  ]);
});
