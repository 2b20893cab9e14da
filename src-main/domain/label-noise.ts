import { reviewStates, type ClassId, type ClassStatistics, type PairStatistics } from '../../shared/domain.ts';

/** Labels, and what is known of them, as columns. */
export interface LabelColumns {
  given: Uint32Array;
  /** The class that a run suggests; 0 where it has not judged. */
  suggested: Uint32Array;
  /** The label after the decisions; 0 when dropped. */
  current: Uint32Array;
  /** Indexes into `reviewStates`. */
  state: Uint8Array;
}

/** What people have said about a label; a sample that was left for later is undecided. */
export type Verdict = 'undecided' | 'right' | 'wrong';

export function verdictOf({ given, current, state }: LabelColumns, i: number): Verdict {
  if (!isDecided[state[i]!]!) return 'undecided';
  // The classes of a label that was changed may have been merged since: then it was right.
  return current[i] === given[i] ? 'right' : 'wrong';
}

export interface LabelNoise {
  /** In the order of `classIds`. */
  classes: ClassStatistics[];
  /** Largest first, without those that round to nothing. */
  pairs: PairStatistics[];
}

/**
 * Wrong labels of each class, and between which classes they lie. Decided labels count as decided. Of the undecided, each counts with
 * its probability to be wrong, and towards the pair of its label and the suggestion; where the run suggests nothing else it counts
 * towards no pair, as a dropped one does.
 * @param probabilities that each undecided label is wrong
 */
export function labelNoise(
  classIds: readonly ClassId[],
  labels: LabelColumns,
  probabilities: Float64Array,
): LabelNoise {
  const classes = new Map(
    classIds.map((classId) => [
      classId,
      { classId, given: 0, current: 0, decided: 0, foundWrong: 0, expectedWrong: 0 } satisfies ClassStatistics,
    ]),
  );
  const pairs = new Map<ClassId, Map<ClassId, number>>();
  const addPair = (from: ClassId, to: ClassId, count: number): void => {
    if (from === to || to === noClass) return;
    const row = pairs.get(from) ?? new Map<ClassId, number>();
    pairs.set(from, row.set(to, (row.get(to) ?? 0) + count));
  };
  for (let i = 0; i < labels.given.length; i++) {
    const given = labels.given[i]!;
    const statistics = classes.get(given);
    if (statistics === undefined) continue;
    const current = classes.get(labels.current[i]!);
    const verdict = verdictOf(labels, i);
    statistics.given++;
    if (current !== undefined) current.current++;
    if (verdict === 'undecided') {
      statistics.expectedWrong += probabilities[i]!;
      addPair(given, labels.suggested[i]!, probabilities[i]!);
      continue;
    }
    statistics.decided++;
    if (verdict === 'right') continue;
    statistics.foundWrong++;
    statistics.expectedWrong++;
    addPair(given, labels.current[i]!, 1);
  }
  return {
    classes: [...classes.values()],
    pairs: [...pairs]
      .flatMap(([givenClassId, row]) =>
        [...row].map(([otherClassId, expected]) => ({ givenClassId, otherClassId, expected })),
      )
      .filter(({ expected }) => Math.round(expected) > 0)
      .sort((a, b) => b.expected - a.expected || a.givenClassId - b.givenClassId || a.otherClassId - b.otherClassId),
  };
}

const noClass = 0;

const isDecided = reviewStates.map((state) => state !== 'unreviewed' && state !== 'skipped');
