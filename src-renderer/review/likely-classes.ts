import type { ClassId, ClassSummary, SampleDetail } from '../../shared/domain.ts';

export interface LikelyClass {
  classId: ClassId;
  /** Soft target, 0..1; null for classes that the findings do not speak of. */
  target: number | null;
}

/** The digit keys there are. */
export const likelyClassCount = 10;

/** What the digits give: the classes that the target likes best, then the given one, then the largest classes. */
export function listLikelyClasses(detail: SampleDetail, classes: readonly ClassSummary[]): LikelyClass[] {
  const list: LikelyClass[] = detail.topTargets.map(({ classId, target }) => ({ classId, target }));
  const listed = new Set(list.map(({ classId }) => classId));
  const bySize = classes.toSorted((first, second) => second.count - first.count || first.id - second.id);
  for (const classId of [detail.givenClassId, ...bySize.map(({ id }) => id)]) {
    if (list.length >= likelyClassCount) break;
    if (listed.has(classId)) continue;
    listed.add(classId);
    list.push({ classId, target: classId === detail.givenClassId ? (detail.finding?.givenTarget ?? null) : null });
  }
  return list.slice(0, likelyClassCount);
}
