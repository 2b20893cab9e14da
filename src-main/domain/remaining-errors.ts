import type { Estimate } from '../../shared/domain.ts';
import type { Verdict } from './label-noise.ts';
import {
  groupByDoubt,
  interceptFor,
  sigmoid,
  solveRising,
  typicalSlope,
  ungrouped,
  type DoubtGroups,
} from './error-curve.ts';

/** Labels, and what a run and people say of them. */
export interface JudgedLabels {
  /** Doubt about each label; NaN where the run has not judged it, or knew what people had decided: such a label is left out. */
  scores: Float64Array;
  verdictOf: (label: number) => Verdict;
  /** How many of these labels the run itself expects to be wrong. */
  expectedTotal: number;
}

export interface RemainingErrors {
  /** Wrong labels among the undecided, with a 90 % interval. */
  remaining: Estimate;
  /** Probability that each undecided label is wrong, else 0. They sum to what is expected to remain. */
  probabilities: Float64Array;
}

/**
 * How many undecided labels are wrong. Unknown are T, the wrong labels in all, since the run's own estimate can be far off, and b, how
 * sharply doubt parts wrong from right. Each pair of them on a grid is a scenario: a curve P(wrong | d), which gives every group of
 * like doubt a rate q. The true rate of a group departs a little from the curve, by a Beta distribution of mean q, so that in a group
 * of n decided labels of which k were wrong
 *
 *     P(k | scenario) = BetaBinomial(k; n, κ q, κ (1 − q)),   P(an undecided one is wrong | scenario, k) = (κ q + k) / (κ + n)
 *
 * and scenarios weigh P(T) · P(b) · Π P(k). What is looked at depends on doubt alone, and all this is conditional on doubt: to review the
 * most doubtful first biases nothing.
 */
export function remainingErrors({ scores, verdictOf, expectedTotal }: JudgedLabels): RemainingErrors {
  const groups = groupByDoubt(scores);
  const counts = countVerdicts(groups, verdictOf);
  const undecided = counts.reduce((sum, count) => sum + count.undecided, 0);
  const scenarios = weighScenarios(groups, counts, expectedTotal);
  const rates = counts.map((_, g) => scenarios.reduce((sum, { weight, rates: own }) => sum + weight * own[g]!, 0));
  const expected = counts.reduce((sum, count, g) => sum + count.undecided * rates[g]!, 0);
  const probabilities = new Float64Array(scores.length);
  for (let label = 0; label < scores.length; label++) {
    const group = groups.groupOf[label]!;
    if (group !== ungrouped && verdictOf(label) === 'undecided') probabilities[label] = rates[group]!;
  }
  return {
    remaining: {
      expected,
      low: Math.min(expected, Math.floor(quantile(scenarios, 0.05, undecided))),
      high: Math.max(expected, Math.ceil(quantile(scenarios, 0.95, undecided))),
    },
    probabilities,
  };
}

/** Labels of one group. */
type VerdictCounts = Record<Verdict, number>;

interface Scenario {
  weight: number;
  /** Probability that an undecided label of each group is wrong. */
  rates: Float64Array;
  /** Of the number of wrong labels among all the undecided. */
  mean: number;
  variance: number;
}

/**
 * Log odds by which the run's estimate of T may be off. Models count their own confusions as noise, so that it is often several times too
 * high, and sometimes all of it is wrong; it was too low, up to two and a half times, where very many labels were wrong (ADR 12).
 */
const tooHigh = 2;
const tooLow = 0.6;
/** Of log b. */
const slopeSpread = 0.25;
/** Standard deviation of a group's rate around the curve, in log odds. */
const departure = 0.5;

/** Keeps the Beta distributions of a group finite. */
const leastRate = 1e-5;

const offsetStep = 0.3;
const leastOffset = -7.2;
/** Log odds of the largest T. */
const largestTotal = 3;
const slopeSteps = Array.from({ length: 11 }, (_, step) => (step - 5) / 2);

function countVerdicts({ groupOf, sizes }: DoubtGroups, verdictOf: JudgedLabels['verdictOf']): VerdictCounts[] {
  const counts = Array.from(sizes, () => ({ undecided: 0, right: 0, wrong: 0 }));
  for (let label = 0; label < groupOf.length; label++) {
    const group = groupOf[label]!;
    if (group !== ungrouped) counts[group]![verdictOf(label)]++;
  }
  return counts;
}

function weighScenarios(groups: DoubtGroups, counts: VerdictCounts[], expectedTotal: number): Scenario[] {
  const scenarios: Scenario[] = [];
  const logs: number[] = [];
  for (const { total, log: logTotal } of possibleTotals(groups, expectedTotal)) {
    for (const step of slopeSteps) {
      const slope = typicalSlope * Math.exp(slopeSpread * step);
      const intercept = interceptFor(total, slope, groups);
      let log = logTotal - step ** 2 / 2;
      const scenario: Scenario = { weight: 0, rates: new Float64Array(counts.length), mean: 0, variance: 0 };
      for (const [g, { undecided, right, wrong }] of counts.entries()) {
        const curve = Math.min(1 - leastRate, Math.max(leastRate, sigmoid(intercept + slope * groups.doubts[g]!)));
        const strength = Math.max(1, 1 / (departure ** 2 * curve * (1 - curve)) - 1);
        const [alpha, beta] = [strength * curve, strength * (1 - curve)];
        if (right + wrong > 0) log += logBeta(alpha + wrong, beta + right) - logBeta(alpha, beta);
        const known = strength + right + wrong;
        const rate = (alpha + wrong) / known;
        scenario.rates[g] = rate;
        scenario.mean += undecided * rate;
        scenario.variance += (undecided * rate * (1 - rate) * (known + undecided)) / (known + 1);
      }
      scenarios.push(scenario);
      logs.push(log);
    }
  }
  const likeliest = Math.max(...logs);
  const sum = logs.reduce((all, log) => all + Math.exp(log - likeliest), 0);
  for (const [index, log] of logs.entries()) scenarios[index]!.weight = Math.exp(log - likeliest) / sum;
  return scenarios;
}

/**
 * Values of T with their log prior, centred so that the run's estimate is expected before anybody has decided. They go up to nearly all
 * labels: of a run that doubts nothing, decisions can tell that it is wrong.
 */
function possibleTotals({ sizes }: DoubtGroups, expectedTotal: number): { total: number; log: number }[] {
  const labels = sizes.reduce((sum, size) => sum + size, 0);
  const totals = (centre: number): { total: number; log: number }[] =>
    Array.from({ length: Math.ceil((largestTotal - centre - leastOffset) / offsetStep) }, (_, step) => {
      const offset = leastOffset + step * offsetStep;
      return {
        total: labels * sigmoid(centre + offset),
        log: -((offset / (offset < 0 ? tooHigh : tooLow)) ** 2) / 2,
      };
    });
  const mean = (centre: number): number => {
    const possible = totals(centre);
    const whole = possible.reduce((sum, { log }) => sum + Math.exp(log), 0);
    return possible.reduce((sum, { total, log }) => sum + (Math.exp(log) / whole) * total, 0);
  };
  // Of no run is it certain that no label, or every one, is wrong.
  const expected = Math.min(0.9 * labels, Math.max(0.5, expectedTotal));
  return totals(solveRising(-25, largestTotal, expected, mean));
}

/** Of the mixture of all scenarios, each taken as normal. */
function quantile(scenarios: readonly Scenario[], share: number, most: number): number {
  return solveRising(0, most, share, (value) =>
    scenarios.reduce(
      (sum, { weight, mean, variance }) => sum + weight * normalBelow((value - mean) / Math.sqrt(variance + 1e-9)),
      0,
    ),
  );
}

/** The standard normal distribution function, to 2e-4. */
function normalBelow(z: number): number {
  return sigmoid(1.5976 * z + 0.070565992 * z ** 3);
}

function logBeta(alpha: number, beta: number): number {
  return logGamma(alpha) + logGamma(beta) - logGamma(alpha + beta);
}

/** Stirling's series, once the argument is large enough for it. */
function logGamma(x: number): number {
  let product = 1;
  let y = x;
  while (y < 7) product *= y++;
  const series = 1 / (12 * y) - 1 / (360 * y ** 3) + 1 / (1260 * y ** 5);
  return (y - 0.5) * Math.log(y) - y + Math.log(2 * Math.PI) / 2 + series - Math.log(product);
}
