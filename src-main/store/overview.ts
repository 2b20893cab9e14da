import { reviewStates, type ClassId, type RunId, type SampleId } from '../../shared/domain.ts';
import { classResolver } from './classes.ts';
import { allRows, firstRow, type Database } from './database.ts';
import { rowOf, type SampleColumns } from './sample-columns.ts';
import { sampleIndex } from './sample-index.ts';

/** The present samples, as columns, with what the newest findings say of their given labels. */
export interface LabelTable extends Pick<
  SampleColumns,
  'given' | 'suggested' | 'current' | 'state' | 'score' | 'suggestedTarget' | 'flagged'
> {
  /**
   * 1 where a decision tells whether the doubt about the given label was right: made since the run, which was trained with what was
   * decided before it, and by looking.
   */
  tested: Uint8Array;
}

export function readLabelTable(db: Database): LabelTable {
  const { columns } = sampleIndex(db);
  const { runId } = columns;
  const table = { ...columns, tested: new Uint8Array(columns.count) };
  if (runId === null) return table;
  const { startedAt, classes } = runFacts(db, runId);
  const isDecided = (row: number): boolean => decidedStates.has(columns.state[row]!);
  // All that one action decided was decided at the same moment.
  const together = new Map<number, number>();
  for (let row = 0; row < columns.count; row++) {
    const at = columns.decidedAt[row]!;
    if (isDecided(row)) together.set(at, (together.get(at) ?? 0) + 1);
  }
  for (let row = 0; row < columns.count; row++) {
    const at = columns.decidedAt[row]!;
    if (!isDecided(row) || at < startedAt || together.get(at)! > mostLookedAtAtOnce) continue;
    // A class that is new since the run is a finer distinction, not an error to find.
    const couldFind = columns.current[row] === 0 || classes.has(columns.current[row]!);
    table.tested[row] = couldFind ? 1 : 0;
  }
  const others = trainedOtherwise(db, runId);
  if (others.length > 0) {
    table.score = table.score.slice();
    table.suggested = table.suggested.slice();
    for (const id of others) {
      const row = rowOf(columns, id);
      if (row === -1) continue;
      table.score[row] = NaN;
      table.suggested[row] = 0;
    }
  }
  return table;
}

/** An action that stands. */
export interface WorkRow {
  /** ISO. */
  madeAt: string;
  /** How many more samples are decided since; negative where it reopened some. */
  decided: number;
}

/** The actions that stand, in the order in which they were made; without those that changed no sample. */
export function readWork(db: Database): WorkRow[] {
  const isDecided = (side: 'before' | 'after'): string => `${side}_state IN ('confirmed', 'relabeled', 'dropped')`;
  return allRows<WorkRow>(
    db,
    `SELECT made_at AS madeAt, sum((${isDecided('after')}) - (${isDecided('before')})) AS decided
       FROM action_change JOIN action ON action.id = action_id
      WHERE undone = 0 AND discarded = 0 AND sample_id NOT IN (SELECT id FROM sample WHERE present = 0)
      GROUP BY action_id ORDER BY action_id`,
  );
}

/** Of more images than a screen shows, decided in one action, nobody has looked at each: they were accepted unseen. */
const mostLookedAtAtOnce = 100;

const decidedStates = new Set(
  reviewStates.flatMap((state, index) => (state === 'unreviewed' || state === 'skipped' ? [] : [index])),
);

/** When a run started, in milliseconds since 1970, and the classes that it knows, as they are merged now. */
function runFacts(db: Database, runId: RunId): { startedAt: number; classes: Set<ClassId> } {
  const run = firstRow<{ started_at: string }>(db, 'SELECT started_at FROM run WHERE id = ?', runId);
  const resolve = classResolver(db);
  const classes = allRows<{ class_id: ClassId }>(db, 'SELECT class_id FROM run_class WHERE run_id = ?', runId);
  return {
    startedAt: Date.parse(run?.started_at ?? ''),
    classes: new Set(classes.map((row) => resolve(row.class_id))),
  };
}

/** Samples that the run was trained on with another label than the one that is given, so that its doubt is about that one. */
function trainedOtherwise(db: Database, runId: RunId): SampleId[] {
  const resolve = classResolver(db);
  return allRows<{ id: SampleId; trained: ClassId; given: ClassId }>(
    db,
    `SELECT sample.id, class_id AS trained, given_class_id AS given
       FROM run_sample CROSS JOIN sample ON sample.id = sample_id
      WHERE run_id = ? AND class_id <> given_class_id`,
    runId,
  )
    .filter(({ trained, given }) => resolve(trained) !== resolve(given))
    .map(({ id }) => id);
}
