import { describe, expect, it } from 'vitest';
import type { Verdict } from '../../src-main/domain/label-noise.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { remainingErrors, type RemainingErrors } from '../../src-main/domain/remaining-errors.ts';

interface Review {
  scores: Float64Array;
  verdicts: Verdict[];
  expectedTotal: number;
}

function estimate({ scores, verdicts, expectedTotal }: Review): RemainingErrors {
  return remainingErrors({ scores, verdictOf: (i) => verdicts[i]!, expectedTotal });
}

/** Labels by falling doubt, that are wrong as the curve has it whose middle lies at this doubt. */
function drawLabels(random: Random, { count, middle, slope }: { count: number; middle: number; slope: number }) {
  const logit = (share: number): number => Math.log(share / (1 - share));
  const scores = Float64Array.from({ length: count }, () => random.next() ** 3).sort((a, b) => b - a);
  const isWrong = Array.from(
    scores,
    (score) => random.next() < 1 / (1 + Math.exp(-slope * (logit(score) - logit(middle)))),
  );
  return { scores, isWrong };
}

/** The first labels have been looked at, and these are what was found. */
function reviewed(count: number, looked: number, isWrong: (i: number) => boolean): Verdict[] {
  return Array.from({ length: count }, (_, i) => (i >= looked ? 'undecided' : isWrong(i) ? 'wrong' : 'right'));
}

const byFallingDoubt = (count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => 1 - (i + 0.5) / count);

describe('remainingErrors', () => {
  it('expects what the run does, within a wide range, before anybody has decided', () => {
    const { remaining } = estimate({
      scores: byFallingDoubt(2000),
      verdicts: reviewed(2000, 0, () => false),
      expectedTotal: 200,
    });
    expect(remaining.expected).toBeCloseTo(200, 0);
    expect(remaining.low).toBeLessThan(50);
    expect(remaining.high).toBeGreaterThan(400);
  });

  it('holds the truth in nine of ten reviews from the top down, whatever the noise', () => {
    const random = createRandom(1);
    let held = 0;
    let reviews = 0;
    for (let repeat = 0; repeat < 15; repeat++) {
      const middle = 0.5 + 0.45 * random.next();
      const slope = 1 + random.next();
      const { scores, isWrong } = drawLabels(random, { count: 1500, middle, slope });
      const expectedTotal = isWrong.filter(Boolean).length * (0.6 + 0.8 * random.next());
      for (const looked of [15, 150, 750]) {
        const verdicts = reviewed(1500, looked, (i) => isWrong[i]!);
        const { low, high } = estimate({ scores, verdicts, expectedTotal }).remaining;
        const left = isWrong.slice(looked).filter(Boolean).length;
        reviews++;
        if (low <= left && left <= high) held++;
      }
    }
    expect(held / reviews).toBeGreaterThanOrEqual(0.9);
  });

  it('stays within bounds, and adds up, whatever was decided', () => {
    const random = createRandom(2);
    for (let repeat = 0; repeat < 40; repeat++) {
      const count = 1 + random.integer(60);
      // Coarse, so that many are equal, certain ones among them.
      const scores = Float64Array.from({ length: count }, () => (random.next() < 0.1 ? NaN : random.integer(5) / 4));
      const verdicts = Array.from(
        { length: count },
        (): Verdict => (['undecided', 'right', 'wrong'] as const)[random.integer(3)]!,
      );
      const { remaining, probabilities } = estimate({ scores, verdicts, expectedTotal: count * random.next() });
      const { expected, low, high } = remaining;
      const undecided = verdicts.filter((verdict, i) => verdict === 'undecided' && !Number.isNaN(scores[i]!)).length;
      expect([0 <= low, low <= expected, expected <= high, high <= undecided]).toEqual([true, true, true, true]);
      expect(probabilities.reduce((sum, probability) => sum + probability, 0)).toBeCloseTo(expected, 9);
      for (const [i, probability] of probabilities.entries()) {
        const counts = verdicts[i] === 'undecided' && !Number.isNaN(scores[i]!);
        expect(counts ? probability > 0 && probability < 1 : probability === 0).toBe(true);
      }
    }
  });

  it('expects more, the more of the reviewed labels were wrong', () => {
    const estimates = [0, 0.25, 0.5, 0.75, 1].map((share) => {
      const verdicts = reviewed(2000, 100, (i) => i % 20 < 20 * share);
      return estimate({ scores: byFallingDoubt(2000), verdicts, expectedTotal: 200 }).remaining.expected;
    });
    expect(estimates).toEqual(estimates.toSorted((a, b) => a - b));
    expect(estimates[4]).toBeGreaterThan(3 * estimates[1]!);
  });

  it('grows surer with every part that is reviewed, and ends at nothing', () => {
    const { scores, isWrong } = drawLabels(createRandom(3), { count: 2000, middle: 0.7, slope: 1.4 });
    const widths = [0, 200, 1000, 2000].map((looked) => {
      const verdicts = reviewed(2000, looked, (i) => isWrong[i]!);
      const { low, high } = estimate({ scores, verdicts, expectedTotal: 300 }).remaining;
      return high - low;
    });
    expect(widths).toEqual(widths.toSorted((a, b) => b - a));
    const { remaining } = estimate({ scores, verdicts: reviewed(2000, 2000, (i) => isWrong[i]!), expectedTotal: 300 });
    expect(remaining).toEqual({ expected: 0, low: 0, high: 0 });
  });

  it('believes people over a run that doubts nothing', () => {
    const verdicts = Array.from({ length: 1000 }, (_, i): Verdict =>
      i % 5 > 0 ? 'undecided' : i % 2 === 0 ? 'wrong' : 'right',
    );
    for (const scores of [byFallingDoubt(1000), new Float64Array(1000)]) {
      const { expected, low, high } = estimate({ scores, verdicts, expectedTotal: 0 }).remaining;
      expect([low > 250, expected > 320, expected < 480, high < 550]).toEqual([true, true, true, true]);
    }
  });

  it('knows nothing of nothing', () => {
    const { remaining } = estimate({ scores: new Float64Array(0), verdicts: [], expectedTotal: 0 });
    expect(remaining).toEqual({ expected: 0, low: 0, high: 0 });
  });
});
