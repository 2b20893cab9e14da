import { expect, it } from 'vitest';
import { flagSamples } from '../../src-main/domain/flags.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { createRunView } from '../../src-main/domain/run-view.ts';
import { scoreSamples, updateFlipEpochs } from '../../src-main/domain/scores.ts';

const momentum = 0.9;

it('doubts and suggests what the target says once its one-hot start is taken out', () => {
  // Three updates of t from onehot(0) with a constant prediction p.
  const predictions = [
    [0.1, 0.7, 0.2],
    [0.6, 0.3, 0.1],
  ];
  const remainder = momentum ** 3;
  const targets = Float32Array.from(
    predictions.flatMap((p) => p.map((value, j) => remainder * Number(j === 0) + (1 - remainder) * value)),
  );
  const scores = scoreSamples(targets, Int32Array.from([0, 0]), remainder);
  expect(scores.score[0]).toBeCloseTo(0.7 / 0.8, 5);
  expect(scores.score[1]).toBeCloseTo(0.3 / 0.9, 5);
  expect([...scores.suggested]).toEqual([1, 0]);
  expect(scores.suggestedVote[0]).toBeCloseTo(0.7, 5);
  expect(scores.suggestedVote[1]).toBeCloseTo(0.6, 5);
});

it('has no doubt where nothing has been voted, and none of the arithmetic breaks there', () => {
  const scores = scoreSamples(Float32Array.from([1, 0]), Int32Array.from([0]), 0.9999999);
  expect(scores.score[0]).toBe(0);
  expect(flagSamples(scores, Int32Array.from([0]))).toMatchObject({ count: 0, cut: 1, expectedPrecision: 0 });
});

it('flags as many samples as it expects errors, the most doubtful first, and none whose suggestion is its label', () => {
  const random = createRandom(11);
  const classes = 4;
  const samples = 500;
  const labels = Int32Array.from({ length: samples }, () => random.integer(classes));
  const remainder = 0.3;
  const targets = new Float32Array(samples * classes);
  labels.forEach((label, i) => {
    const votes = Array.from({ length: classes }, () => random.next());
    const sum = votes.reduce((total, vote) => total + vote);
    votes.forEach((vote, j) => {
      targets[i * classes + j] = remainder * Number(j === label) + ((1 - remainder) * vote) / sum;
    });
  });
  const scores = scoreSamples(targets, labels, remainder);
  const flags = flagSamples(scores, labels);
  const chosen = [...labels.keys()].filter((i) => flags.flagged[i] === 1);
  expect(chosen).toHaveLength(flags.count);
  expect(flags.count).toBe(Math.round(flags.noiseRate * samples));
  expect(chosen.filter((i) => scores.suggested[i] === labels[i])).toEqual([]);
  const passed = [...labels.keys()].filter((i) => flags.flagged[i] === 0 && scores.score[i]! > flags.cut);
  expect(passed).toEqual([]);
  expect(flags.expectedRecall).toBeCloseTo((flags.expectedPrecision * flags.count) / (flags.noiseRate * samples), 6);
});

it('remembers since when a suggestion has differed', () => {
  const flips = Int32Array.from([-1, -1, 2]);
  updateFlipEpochs(flips, Int32Array.from([1, 0, 1]), Int32Array.from([0, 0, 0]), 5);
  expect([...flips]).toEqual([5, -1, 2]);
  updateFlipEpochs(flips, Int32Array.from([0, 1, 1]), Int32Array.from([0, 0, 0]), 6);
  expect([...flips]).toEqual([-1, 6, 2]);
});

it('has doubts to show before the targets move', () => {
  const labels = Int32Array.from([0, 1]);
  const plan = { startEpoch: 3, targetMomentum: 0.9 };
  const view = createRunView({ plan, labels });
  const oneHot = Float32Array.from([1, 0, 0, 1]);
  const { scores, weights } = view.update(0, oneHot, Float32Array.from([0.2, 0.8, 0.3, 0.7]));
  expect(scores.score[0]).toBeCloseTo(0.8, 6);
  expect([...scores.suggested]).toEqual([1, 1]);
  // The stored weights stay SAT's own.
  expect([...weights]).toEqual([1, 1]);
});

it.each([
  ['two classes', 2, 7],
  ['a thousand classes with one sample each', 1000, 1000],
  ['one sample', 3, 1],
])('judges %s', (_name, classes, samples) => {
  const random = createRandom(3);
  const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
  const rows = new Float32Array(samples * classes).map(() => random.next());
  for (let i = 0; i < samples; i++) {
    const row = rows.subarray(i * classes, (i + 1) * classes);
    const sum = row.reduce((total, value) => total + value);
    row.forEach((value, j) => (row[j] = value / sum));
  }
  const view = createRunView({ plan: { startEpoch: 1, targetMomentum: 0.5 }, labels });
  const { scores } = view.update(0, rows, rows);
  for (let i = 0; i < samples; i++) {
    const row = rows.subarray(i * classes, (i + 1) * classes);
    expect(scores.suggested[i]).toBe(row.indexOf(Math.max(...row)));
    expect(scores.score[i]).toBeGreaterThan(0);
    expect(scores.score[i]).toBeLessThan(1);
  }
  const flags = flagSamples(scores, labels);
  expect(flags.count).toBe(Math.round(flags.noiseRate * samples));
});
