import type { Triage, TriagePoint } from '../../shared/domain.ts';

/** What triage needs of a sample that a run has judged. */
export interface JudgedLabel {
  /** Doubt about the given label; see domain/scores. */
  score: number;
  /** The model's vote v at the suggestion where that is another label than the given one, else null. */
  rivalVote: number | null;
}

/**
 * Orders samples from the least doubted and tells for each coverage how many wrong labels to expect among those that are accepted. An
 * abstention plays no part: it says that a picture is hard, and orders wrong labels far worse (ADR 6). Every point lies between two
 * different values, so that its threshold selects exactly `accepted` samples, however many are equal.
 */
export function triage(runId: number, labels: readonly JudgedLabel[]): Triage {
  const errors = expectedErrors(labels);
  const ranks = labels.map(({ score }) => score);
  const order = Uint32Array.from(labels.keys()).sort((a, b) => ranks[a]! - ranks[b]! || a - b);
  const samples = labels.length;
  const total = errors.reduce((sum, error) => sum + error, 0);
  const curve: TriagePoint[] = [];
  let summed = 0;
  let sum = 0;
  for (let step = 0; step <= curveSteps; step++) {
    const accepted = boundaryBelow(Math.floor((step * samples) / curveSteps), order, ranks);
    if (accepted === curve.at(-1)?.accepted) continue;
    while (summed < accepted) sum += errors[order[summed++]!]!;
    curve.push({
      coverage: samples === 0 ? 1 : accepted / samples,
      accepted,
      threshold: accepted < samples ? ranks[order[accepted]!]! : justAbove(samples === 0 ? 0 : ranks[order.at(-1)!]!),
      expectedError: accepted === 0 ? 0 : sum / accepted,
      expectedErrorsLeft: Math.max(0, total - sum),
    });
  }
  return { runId, samples, curve };
}

/** The point with the largest coverage that is not above the wanted one. */
export function pointAtCoverage({ curve }: Triage, coverage: number): TriagePoint {
  return curve.findLast((point) => point.coverage <= coverage) ?? curve[0]!;
}

const curveSteps = 100;

/**
 * Probability that each given label is wrong. As for the flags, the votes for other labels sum to the expected number of errors; but
 * votes alone give a sample whose suggestion is its label no chance to be wrong, and accepted samples are mostly of that kind. So the
 * same sum is spread over all samples in proportion to doubt², which was closest to the truth (ADR 6).
 */
function expectedErrors(labels: readonly JudgedLabel[]): Float64Array {
  const expected = labels.reduce((sum, { rivalVote }) => sum + (rivalVote ?? 0), 0);
  const shares = Float64Array.from(labels, ({ score }) => score ** 2);
  const whole = shares.reduce((sum, share) => sum + share, 0);
  return whole === 0 ? shares : shares.map((share) => Math.min(1, (share * expected) / whole));
}

/** The largest count that is not above the wanted one and parts no equal ranks. */
function boundaryBelow(count: number, order: Uint32Array, ranks: readonly number[]): number {
  if (count === order.length) return count;
  let boundary = count;
  while (boundary > 0 && ranks[order[boundary - 1]!] === ranks[order[count]!]) boundary--;
  return boundary;
}

/** The least number, or the next but one, that is larger. */
function justAbove(value: number): number {
  return value === 0 ? Number.MIN_VALUE : value + value * Number.EPSILON;
}
