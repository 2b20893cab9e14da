import type { TriagePoint } from '../../shared/domain.ts';

/** Share of wrong labels among the accepted that triage begins with. */
const usualError = 0.01;

/** Index of the point whose coverage is nearest to the wanted one; −1 for an empty curve. */
export function nearestPoint(curve: readonly TriagePoint[], coverage: number): number {
  const distance = (point: TriagePoint | undefined): number =>
    point === undefined ? Infinity : Math.abs(point.coverage - coverage);
  let nearest = -1;
  for (const [index, point] of curve.entries()) if (distance(point) < distance(curve[nearest])) nearest = index;
  return nearest;
}

/** The largest coverage at which at most `usualError` of the accepted are expected to be wrong; the smallest if there is none. */
export function usualCoverage(curve: readonly TriagePoint[]): number {
  return (curve.findLast((point) => point.expectedError <= usualError) ?? curve[0])?.coverage ?? 1;
}
