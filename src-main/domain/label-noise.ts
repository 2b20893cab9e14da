import { reviewStates, type ClassId, type ClassStatistics, type PairStatistics } from '../../shared/domain.ts';

/** Labels, and what is known of them, as columns. */
export interface LabelColumns {
  given: Int32Array;
  /** The class that a run suggests; the given one where it agrees or has not judged. */
  suggested: Int32Array;
  /** The label after the decisions; the given one where there is none, and where the sample was dropped. */
  current: Int32Array;
  /** Indexes into `reviewStates`. */
  states: Uint8Array;
}

/** What people have said about a label; a sample that was left for later is undecided. */
export type Verdict = 'undecided' | 'right' | 'wrong';

export function verdictOf({ given, current, states }: LabelColumns, i: number): Verdict {
  const state = reviewStates[states[i]!]!;
  if (state === 'unreviewed' || state === 'skipped') return 'undecided';
  // The classes of a label that was changed may have been merged since: then it was right.
  return state === 'dropped' || current[i] !== given[i] ? 'wrong' : 'right';
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
    if (from === to || count === 0) return;
    const row = pairs.get(from) ?? new Map<ClassId, number>();
    pairs.set(from, row.set(to, (row.get(to) ?? 0) + count));
  };
  for (const [i, given] of labels.given.entries()) {
    const statistics = classes.get(given);
    if (statistics === undefined) continue;
    const current = classes.get(labels.current[i]!);
    const isDropped = reviewStates[labels.states[i]!] === 'dropped';
    const verdict = verdictOf(labels, i);
    statistics.given++;
    if (current !== undefined && !isDropped) current.current++;
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
