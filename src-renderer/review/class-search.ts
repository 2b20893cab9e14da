import type { ClassSummary } from '../../shared/domain.ts';

/** Classes that match what was typed: names that start with it, then words that do, then the rest; larger classes first. */
export function searchClasses(classes: readonly ClassSummary[], typed: string, limit: number): ClassSummary[] {
  const wanted = typed.trim().toLowerCase();
  const ranked: { item: ClassSummary; rank: number }[] = [];
  for (const item of classes) {
    const rank = matchRank(item.name.toLowerCase(), wanted);
    if (rank !== null) ranked.push({ item, rank });
  }
  ranked.sort(
    (first, second) =>
      first.rank - second.rank ||
      second.item.count - first.item.count ||
      first.item.name.localeCompare(second.item.name),
  );
  return ranked.slice(0, limit).map(({ item }) => item);
}

/** 0 is the best match; null none. */
function matchRank(name: string, wanted: string): number | null {
  if (wanted === '') return 1;
  if (name === wanted) return 0;
  if (name.startsWith(wanted)) return 1;
  const at = name.indexOf(wanted);
  if (at < 0) return null;
  return /[\s/_\-.]/.test(name[at - 1] ?? '') ? 2 : 3;
}
