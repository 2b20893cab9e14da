import type { Cluster, SampleId } from '../../shared/domain.ts';

/** The first cluster after a place, around the end if need be, of which something is undecided; null when everything is decided. */
export function nextOpenCluster(
  clusters: readonly Cluster[],
  after: number,
  isUndecided: (id: SampleId) => boolean,
): number | null {
  for (let step = 1; step <= clusters.length; step += 1) {
    const place = (after + step) % clusters.length;
    if (clusters[place]!.sampleIds.some(isUndecided)) return place;
  }
  return null;
}

/** Members `[first, end)` that a row shows when not all fit: the current one is among them. */
export function membersInRow(count: number, fitting: number, current: number): { first: number; end: number } {
  const shown = Math.min(count, Math.max(1, fitting));
  const first = Math.max(0, Math.min(count - shown, current - shown + 1));
  return { first, end: first + shown };
}
