/** Something measured with so many samples. */
export interface Point {
  samples: number;
  value: number;
}

export interface Growth {
  /** b of the fit value ~ a · samples^b; null where fewer than two points lie above the floor. */
  exponent: number | null;
  /** Of the points above the floor, by how much at most the value grows from one to the next, to ten times as many samples. */
  steepest: number | null;
}

/** Of least squares over logarithms, of the points that are not below a floor: what lies there is mostly something else. */
export function growthOf(points: readonly Point[], floor: number): Growth {
  const known = points
    .filter(({ value }) => value >= floor)
    .map(({ samples, value }) => ({ x: Math.log10(samples), y: Math.log10(value) }));
  if (known.length < 2) return { exponent: null, steepest: null };
  const mean = (numbers: readonly number[]): number => numbers.reduce((sum, each) => sum + each, 0) / numbers.length;
  const [x, y] = [mean(known.map((point) => point.x)), mean(known.map((point) => point.y))];
  const slopes = known.slice(1).map((point, i) => (point.y - known[i]!.y) / (point.x - known[i]!.x));
  return {
    exponent:
      mean(known.map((point) => (point.x - x) * (point.y - y))) / mean(known.map((point) => (point.x - x) ** 2)),
    steepest: 10 ** Math.max(...slopes),
  };
}
