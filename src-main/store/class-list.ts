import type { ClassId, ClassSummary, SampleId } from '../../shared/domain.ts';
import { liveClasses } from './classes.ts';
import type { Database } from './database.ts';
import { sampleIndex } from './sample-index.ts';

/**
 * The classes that people see, by name, with how many present samples each has and a few of them: the first that were given it, or
 * where there are none, the first that were relabeled to it.
 */
export function listClasses(db: Database): ClassSummary[] {
  const { count, id, given, current } = sampleIndex(db).columns;
  const uses = new Map<ClassId, ClassUse>();
  const useOf = (classId: ClassId): ClassUse => {
    let use = uses.get(classId);
    if (use === undefined) uses.set(classId, (use = { given: 0, current: 0, givenIds: [], currentIds: [] }));
    return use;
  };
  for (let row = 0; row < count; row++) {
    const use = useOf(given[row]!);
    use.given++;
    if (use.givenIds.length < examplesPerClass) use.givenIds.push(id[row]!);
    // A dropped sample counts for the class 0, which nobody sees.
    const currentUse = useOf(current[row]!);
    currentUse.current++;
    if (currentUse.currentIds.length < examplesPerClass) currentUse.currentIds.push(id[row]!);
  }
  const collator = new Intl.Collator('en', { numeric: true });
  return liveClasses(db)
    .sort((a, b) => collator.compare(a.name, b.name) || a.id - b.id)
    .map((one) => {
      const use = useOf(one.id);
      return {
        ...one,
        count: use.given,
        currentCount: use.current,
        exampleIds: use.given > 0 ? use.givenIds : use.currentIds,
      };
    });
}

interface ClassUse {
  given: number;
  current: number;
  /** The first few samples that were given it. */
  givenIds: SampleId[];
  /** The first few that have it now. */
  currentIds: SampleId[];
}

/** Samples shown as examples of a class. */
const examplesPerClass = 6;
