import { formatStatistic, statistic, type Statistic } from './statistics.ts';
import type { EvaluationRecord, TrainingResult } from './experiment.ts';
import type { Point, Series } from './figure.ts';
import { methodOf, publishedColor } from './methods.ts';

/* What the experiments share when they turn results into tables, curves and sentences. Trainings that failed are told, not averaged. */

export type Measure = (result: TrainingResult) => number | null;

/** Results that ran to their end, of a method under a condition. */
export function resultsOf(results: readonly TrainingResult[], method: string, condition: number): TrainingResult[] {
  return results.filter(
    ({ training, error }) => error === null && training.method === method && training.condition === condition,
  );
}

/** What is known of a measure, all of it at one x. */
export function valuesAt(x: number, results: readonly TrainingResult[], measure: Measure): { x: number; y: number }[] {
  return results.flatMap((result) => {
    const y = measure(result);
    return y === null ? [] : [{ x, y }];
  });
}

/** A row of a table: several measures of a method under a condition. */
export function statisticsOf(
  results: readonly TrainingResult[],
  method: string,
  condition: number,
  measures: readonly Measure[],
): (Statistic | null)[] {
  const those = resultsOf(results, method, condition);
  return measures.map((measure) => statisticOf(those, measure));
}

export function statisticOf(results: readonly TrainingResult[], measure: Measure): Statistic | null {
  return statistic(results.map(measure).filter((value) => value !== null));
}

/** Values of `list` without repetition, in ascending order. */
export function distinct(list: Iterable<number>): number[] {
  return [...new Set(list)].sort((a, b) => a - b);
}

/** The methods that results have, in order of appearance. */
export function methodsOf(results: readonly TrainingResult[]): string[] {
  return [...new Set(results.map(({ training }) => training.method))];
}

export function conditionsOf(results: readonly TrainingResult[]): number[] {
  return distinct(results.map(({ training }) => training.condition));
}

/** Held-out accuracy after the last epoch, in percent. */
export const finalAccuracy: Measure = ({ evaluations }) => percent(evaluations.at(-1)?.accuracy ?? null);

/** Largest held-out accuracy after any measured epoch, in percent: what early stopping on the test set would have found. */
export const bestAccuracy: Measure = ({ evaluations }) => percent(largest(evaluations.map(({ accuracy }) => accuracy)));

/** Null when there is no value. */
export function least(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.min(...known);
}

/** Null when there is no value. */
export function largest(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : Math.max(...known);
}

export function percent(share: number | null): number | null {
  return share === null ? null : share * 100;
}

/** By how much a measure is larger than another of the same training. */
export function differenceOf(larger: Measure, smaller: Measure): Measure {
  return (result) => {
    const [from, to] = [larger(result), smaller(result)];
    return from === null || to === null ? null : from - to;
  };
}

/** A method's measured points, named and coloured as everywhere. */
export function methodSeries(method: string, points: Point[]): Series {
  const { title, color } = methodOf(method);
  return { name: title, color, points, dashed: false, dots: false };
}

/** Values that others published, which were not measured here; without a range. */
export function publishedSeries(name: string, values: readonly { x: number; y: number }[]): Series {
  const points = values.map(({ x, y }) => ({ x, y, low: y, high: y })).sort((a, b) => a.x - b.x);
  return { name, color: publishedColor, points, dashed: true, dots: true };
}

/** A method's curve over the epochs, named and coloured as everywhere. */
export function methodCurve(
  results: readonly TrainingResult[],
  method: string,
  condition: number,
  measure: (evaluation: EvaluationRecord) => number | null,
): Series {
  return methodSeries(method, curveOver(resultsOf(results, method, condition), measure));
}

/** A method's measure at the end, by condition. */
export function conditionCurve(results: readonly TrainingResult[], method: string, measure: Measure): Series {
  const values = conditionsOf(results).flatMap((condition) =>
    valuesAt(condition, resultsOf(results, method, condition), measure),
  );
  return { ...methodSeries(method, pointsOf(values)), dots: true };
}

/** The same comparison of two methods under a condition for several measures, one sentence each. */
export function comparisons(
  results: readonly TrainingResult[],
  { condition, first, second, prefix }: { condition: number; first: string; second: string; prefix: string },
  measures: readonly { title: string; measure: Measure; unit: string }[],
): string[] {
  const side = (method: string, measure: Measure): Side => ({
    name: methodOf(method).title,
    results: resultsOf(results, method, condition),
    measure,
  });
  return measures.flatMap(({ title, measure, unit }) => {
    const text = comparison(side(first, measure), side(second, measure), unit);
    return text === null ? [] : [`${prefix}${title}: ${text}.`];
  });
}

/** Mean and range over the seeds of a measure of each evaluation, by epochs done. */
function curveOver(
  results: readonly TrainingResult[],
  measure: (evaluation: EvaluationRecord) => number | null,
): Point[] {
  return pointsOf(
    results.flatMap(({ evaluations }) =>
      evaluations.flatMap((evaluation) => {
        const y = measure(evaluation);
        return y === null ? [] : [{ x: evaluation.epoch + 1, y }];
      }),
    ),
  );
}

/** Mean and range of the values at each x. */
export function pointsOf(values: readonly { x: number; y: number }[]): Point[] {
  return distinct(values.map(({ x }) => x)).map((x) => {
    const here = values.filter((value) => value.x === x).map(({ y }) => y);
    const mean = here.reduce((sum, y) => sum + y, 0) / here.length;
    return { x, y: mean, low: Math.min(...here), high: Math.max(...here) };
  });
}

export interface Side {
  name: string;
  results: readonly TrainingResult[];
  measure: Measure;
}

/**
 * `SAT 71.2 ± 0.4 %, cross-entropy 60.3 ± 0.9 %: higher in 3 of 3 seeds`, whichever way it turned out; null when no seed has both.
 */
export function comparison(first: Side, second: Side, unit: string, digits = 1): string | null {
  const pairs = first.results.flatMap((result) => {
    const partner = second.results.find(({ training }) => training.seed === result.training.seed);
    const values = [first.measure(result), partner === undefined ? null : second.measure(partner)] as const;
    return values[0] === null || values[1] === null ? [] : [{ a: values[0], b: values[1] }];
  });
  if (pairs.length === 0) return null;
  const a = formatStatistic(statistic(pairs.map((pair) => pair.a))!, digits);
  const b = formatStatistic(statistic(pairs.map((pair) => pair.b))!, digits);
  const higher = pairs.filter((pair) => pair.a > pair.b).length;
  const lower = pairs.filter((pair) => pair.a < pair.b).length;
  return `${first.name} ${a}${unit}, ${second.name} ${b}${unit}: ${verdict(higher, lower, pairs.length)}`;
}

function verdict(higher: number, lower: number, all: number): string {
  const seeds = `${all} ${all === 1 ? 'seed' : 'seeds'}`;
  if (higher === 0 && lower === 0) return 'equal';
  if (lower === 0) return `higher in ${higher} of ${seeds}`;
  if (higher === 0) return `lower in ${lower} of ${seeds}`;
  return `higher in ${higher} and lower in ${lower} of ${seeds}`;
}

/** One sentence for each training that did not run to its end. */
export function failures(results: readonly TrainingResult[]): string[] {
  return results.flatMap(({ training, error }) =>
    error === null
      ? []
      : [`${methodOf(training.method).title}, ${training.name}: did not run to its end and is in no average. ${error}`],
  );
}
