import type { ClassId, ClassStatistics, ClassSummary } from '../../shared/domain.ts';
import { searchClasses } from '../review/class-search.ts';
import { classColor } from '../ui/class-colors.ts';

export const classSorts = ['name', 'size', 'wrong'] as const;
export type ClassSort = (typeof classSorts)[number];

/** A class as the list shows it. */
export interface ClassRow {
  item: ClassSummary;
  color: string;
  given: number;
  current: number;
  /** Null where nothing has been learned yet. */
  expectedWrong: number | null;
}

/** The numbers of the overview take the place of those of the project, which are as old as its last edit of classes. */
export function listClassRows(
  classes: readonly ClassSummary[],
  statistics: readonly ClassStatistics[] | null,
  hasFindings: boolean,
): ClassRow[] {
  const byId = new Map<ClassId, ClassStatistics>(statistics?.map((row) => [row.classId, row]));
  return classes.map((item, index) => {
    const numbers = byId.get(item.id);
    return {
      item,
      color: classColor(item, index),
      given: numbers?.given ?? item.count,
      current: numbers?.current ?? item.currentCount,
      expectedWrong: hasFindings && numbers !== undefined ? numbers.expectedWrong : null,
    };
  });
}

/** Rows whose names match what is typed, in the order asked for. */
export function arrangeClassRows(rows: readonly ClassRow[], typed: string, sort: ClassSort): ClassRow[] {
  const wanted =
    typed.trim() === ''
      ? null
      : new Set(
          searchClasses(
            rows.map((row) => row.item),
            typed,
            Infinity,
          ).map(({ id }) => id),
        );
  const found = wanted === null ? [...rows] : rows.filter((row) => wanted.has(row.item.id));
  switch (sort) {
    case 'name':
      return found.sort((first, second) => names.compare(first.item.name, second.item.name));
    case 'size':
      return found.sort((first, second) => second.current - first.current);
    case 'wrong':
      return found.sort((first, second) => (second.expectedWrong ?? 0) - (first.expectedWrong ?? 0));
  }
}

const names = new Intl.Collator('en', { numeric: true });
