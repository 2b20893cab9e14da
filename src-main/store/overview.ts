import { reviewStates, type ClassId, type ReviewState, type RunId, type SampleId } from '../../shared/domain.ts';
import { classResolver, isSettledByMerge, type ResolveClass } from './classes.ts';
import { allRows, statement, type Database } from './database.ts';

/** Every present sample, by id, as columns. Merged classes are named by the one that they stand for. */
export interface LabelTable {
  given: Int32Array;
  /** The class that the run suggests; the given one where it agrees or has not judged. */
  suggested: Int32Array;
  /** The label after the decisions; the given one where there is none, and where the sample was dropped. */
  current: Int32Array;
  /** Indexes into `reviewStates`. */
  states: Uint8Array;
  /** Doubt of the run about the given label; NaN where it has judged none, or another one. */
  scores: Float64Array;
  /** The run's vote for its suggestion; NaN where it suggests no other label, or has not judged. */
  rivalVotes: Float64Array;
  flagged: Uint8Array;
  /** 1 where what people decided tells whether the run's doubt was right. */
  tested: Uint8Array;
}

/** @param runId the run whose findings count; null for none */
export function readLabelTable(db: Database, runId: RunId | null): LabelTable {
  const resolve = classResolver(db);
  // Few columns, null where they say nothing new: what a row costs is the values that it carries.
  const rows = statement<LabelRow>(
    db,
    `SELECT sample.id, given_class_id, score, nullif(suggested_class_id, given_class_id),
            iif(suggested_class_id = given_class_id, NULL, suggested_target), nullif(flagged, 0)
       FROM sample LEFT JOIN finding ON run_id = ? AND sample_id = sample.id
      WHERE present = 1 ORDER BY sample.id`,
  )
    .raw()
    .all(runId);
  const table: LabelTable = {
    given: new Int32Array(rows.length),
    suggested: new Int32Array(rows.length),
    current: new Int32Array(rows.length),
    states: new Uint8Array(rows.length),
    scores: new Float64Array(rows.length).fill(NaN),
    rivalVotes: new Float64Array(rows.length).fill(NaN),
    flagged: new Uint8Array(rows.length),
    tested: new Uint8Array(rows.length),
  };
  const places = new Map<SampleId, number>();
  for (const [place, [id, givenId, score, suggestedId, vote, flagged]] of rows.entries()) {
    places.set(id, place);
    const given = resolve(givenId);
    const suggested = suggestedId === null ? given : resolve(suggestedId);
    table.given[place] = given;
    table.suggested[place] = suggested;
    table.current[place] = given;
    if (score === null) continue;
    // A suggestion of what has since become the same class is none.
    const agreesSinceMerge = suggestedId !== null && isSettledByMerge(givenId, suggestedId, resolve);
    table.scores[place] = agreesSinceMerge ? 0 : score;
    if (vote === null || agreesSinceMerge) continue;
    table.rivalVotes[place] = vote;
    table.flagged[place] = flagged ?? 0;
  }
  for (const { id, classId } of labelsTrainedOtherwise(db, runId)) {
    const place = places.get(id);
    if (place === undefined || resolve(classId) === table.given[place]) continue;
    table.suggested[place] = table.given[place]!;
    table.scores[place] = NaN;
    table.rivalVotes[place] = NaN;
    table.flagged[place] = 0;
  }
  const knownClasses = runClasses(db, runId, resolve);
  for (const { id, state, classId, isLater } of decisions(db, runId)) {
    const place = places.get(id);
    if (place === undefined) continue;
    // A run was trained with what was decided before it; and a class that is new since is a finer distinction, not an error to find.
    const couldKnow = classId === null || knownClasses.has(resolve(classId));
    if (isLater === 1 && couldKnow && state !== 'skipped') table.tested[place] = 1;
    table.states[place] = reviewStates.indexOf(state);
    if (classId !== null) table.current[place] = resolve(classId);
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

type LabelRow = [
  id: SampleId,
  given: ClassId,
  score: number | null,
  suggested: ClassId | null,
  vote: number | null,
  flagged: 1 | null,
];

/** Samples that the run was trained on with another label than the one that is given now. */
function labelsTrainedOtherwise(db: Database, runId: RunId | null): { id: SampleId; classId: ClassId }[] {
  return allRows(
    db,
    `SELECT sample_id AS id, class_id AS classId
       FROM run_sample CROSS JOIN sample ON sample.id = sample_id
      WHERE run_id = ? AND class_id <> given_class_id`,
    runId,
  );
}

function runClasses(db: Database, runId: RunId | null, resolve: ResolveClass): Set<ClassId> {
  const rows = allRows<{ class_id: ClassId }>(db, 'SELECT class_id FROM run_class WHERE run_id = ?', runId);
  return new Set(rows.map((row) => resolve(row.class_id)));
}

interface DecisionRow {
  id: SampleId;
  state: ReviewState;
  classId: ClassId | null;
  /** 1 where the decision was made after the run had started. */
  isLater: 0 | 1;
}

function decisions(db: Database, runId: RunId | null): DecisionRow[] {
  return allRows(
    db,
    `SELECT sample_id AS id, state, class_id AS classId,
            coalesce(decided_at >= (SELECT started_at FROM run WHERE id = ?), 0) AS isLater
       FROM review`,
    runId,
  );
}
