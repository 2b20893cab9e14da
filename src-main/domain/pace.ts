import type { Overview, ReviewPace } from '../../shared/domain.ts';
import { median } from './median.ts';

/** An action that stands. */
export interface WorkStep {
  /** ISO. */
  madeAt: string;
  /** How many more samples are decided since; negative where it reopened some. */
  decided: number;
}

/** A longer time between two actions was no work. */
const longestPause = 120;
const stepsPerBlock = 5;
/** As many blocks show how fast the work goes now. */
const recentBlocks = 20;
const fewestBlocks = 3;

/**
 * How fast people decide. Recent work is cut into blocks of five actions, and the pace is the median of the blocks: an action that
 * decides thousands at once spoils the one block that it lies in, a minute of thinking counts where it was spent, and whoever
 * decides by the dozen has a pace of dozens.
 * @param steps in the order in which they were made
 * @param left samples to decide
 */
export function reviewPace(steps: readonly WorkStep[], left: number): ReviewPace {
  const worked = steps.flatMap(({ madeAt, decided }, i) => {
    const seconds = i === 0 ? NaN : (Date.parse(madeAt) - Date.parse(steps[i - 1]!.madeAt)) / 1000;
    // A clock that was set back tells nothing of the work, as a pause does.
    return seconds >= 0 && seconds <= longestPause ? [{ seconds, decided }] : [];
  });
  const rates: number[] = [];
  for (let end = worked.length; end >= stepsPerBlock && rates.length < recentBlocks; end -= stepsPerBlock) {
    const block = worked.slice(end - stepsPerBlock, end);
    const seconds = sum(block.map((step) => step.seconds));
    if (seconds > 0) rates.push((60 * sum(block.map((step) => step.decided))) / seconds);
  }
  const typical = rates.length < fewestBlocks ? 0 : median(rates);
  const perMinute = typical > 0 ? typical : null;
  return {
    perMinute,
    workedSeconds: sum(worked.map(({ seconds }) => seconds)),
    left,
    secondsLeft: perMinute === null ? null : (60 * left) / perMinute,
  };
}

const mostPoints = 200;

/** How many samples were decided after each action; at most 200 of them, evenly chosen, the last among them. */
export function reviewProgress(steps: readonly WorkStep[]): Overview['progress'] {
  let [decided, at] = [0, ''];
  const points = steps.map((step) => {
    decided += step.decided;
    // ISO times order as text; one that goes back would draw a loop.
    if (step.madeAt > at) at = step.madeAt;
    return { at, decided };
  });
  if (points.length <= mostPoints) return points;
  return Array.from(
    { length: mostPoints },
    (_, k) => points[Math.round((k * (points.length - 1)) / (mostPoints - 1))]!,
  );
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
