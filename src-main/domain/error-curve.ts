/*
 * How likely a label is wrong, given the doubt d about it:
 *
 *     P(wrong | d) = sigmoid(a + b · logit d)
 *
 * The logit of doubt is the log odds of the duel that it comes from (ADR 1). On real labels the true share of wrong ones rises along such a curve
 * (ADR 12); b says how sharply doubt parts wrong from right, and a follows from how many are wrong in all.
 */

/** b as it was typical of the runs with known truth (ADR 12). */
export const typicalSlope = 1.4;

/** Labels in groups of like doubt, the most doubted first; groups are small there, and hold a twentieth of the labels at the other end. */
export interface DoubtGroups {
  /** Group of each label; 65535 where there is no doubt to go by. */
  groupOf: Uint16Array;
  /** Mean logit of doubt in each group. */
  doubts: Float64Array;
  /** Labels in each group. */
  sizes: Uint32Array;
}

export const ungrouped = 65535;

/** @param scores doubt about each label; NaN leaves a label out */
export function groupByDoubt(scores: Float64Array): DoubtGroups {
  // Labels are counted in narrow bins of doubt rather than sorted: of a million, that takes a tenth of the time.
  const binOfLabel = new Uint16Array(scores.length).fill(ungrouped);
  const counts = new Uint32Array(bins);
  const sums = new Float64Array(bins);
  let labels = 0;
  for (let i = 0; i < scores.length; i++) {
    if (Number.isNaN(scores[i]!)) continue;
    const doubt = logitOfDoubt(scores[i]!);
    const bin = Math.min(bins - 1, Math.floor(((doubt + largestLogit) / (2 * largestLogit)) * bins));
    binOfLabel[i] = bin;
    counts[bin]!++;
    sums[bin]! += doubt;
    labels++;
  }
  const groupOfBin = new Uint16Array(bins);
  const sizes: number[] = [];
  const doubts: number[] = [];
  let wanted = Math.max(smallestGroup, labels / 2000);
  let size = 0;
  let sum = 0;
  for (let bin = bins - 1; bin >= 0; bin--) {
    groupOfBin[bin] = sizes.length;
    size += counts[bin]!;
    sum += sums[bin]!;
    if (size === 0 || (size < wanted && bin > 0)) continue;
    sizes.push(size);
    doubts.push(sum / size);
    wanted = Math.min(wanted * 1.25, Math.max(smallestGroup, labels / 20));
    [size, sum] = [0, 0];
  }
  const groupOf = binOfLabel.map((bin) => (bin === ungrouped ? ungrouped : groupOfBin[bin]!));
  return { groupOf, doubts: Float64Array.from(doubts), sizes: Uint32Array.from(sizes) };
}

/** The a for which the curve of slope b gives so many wrong labels in all. */
export function interceptFor(total: number, slope: number, { doubts, sizes }: DoubtGroups): number {
  return solveRising(-50, 50, total, (intercept) => {
    let sum = 0;
    for (let g = 0; g < sizes.length; g++) sum += sizes[g]! * sigmoid(intercept + slope * doubts[g]!);
    return sum;
  });
}

/** Where a rising function of x meets a value, by halving; the nearer end where it does not. */
export function solveRising(from: number, to: number, value: number, f: (x: number) => number): number {
  let [low, high] = [from, to];
  for (let halving = 0; halving < 40; halving++) {
    const middle = (low + high) / 2;
    if (f(middle) < value) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Kept finite: doubts beyond those of 1 in 1,000 say no more. */
function logitOfDoubt(score: number): number {
  return Math.max(-largestLogit, Math.min(largestLogit, Math.log(score / (1 - score))));
}

export function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}

const largestLogit = 7;
const bins = 2048;
const smallestGroup = 8;
