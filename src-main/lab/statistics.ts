/** What several seeds gave. */
export interface Statistic {
  mean: number;
  /** Sample standard deviation (n − 1); null for a single value. */
  deviation: number | null;
  /** Values. */
  count: number;
}

/** Null when there is no value. */
export function statistic(values: readonly number[]): Statistic | null {
  const count = values.length;
  if (count === 0) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  if (count === 1) return { mean, deviation: null, count };
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return { mean, deviation: Math.sqrt(squares / (count - 1)), count };
}

/** `71.2 ± 0.4`; `71.2` for a single value. */
export function formatStatistic({ mean, deviation }: Statistic, digits: number): string {
  return deviation === null ? mean.toFixed(digits) : `${mean.toFixed(digits)} ± ${deviation.toFixed(digits)}`;
}
