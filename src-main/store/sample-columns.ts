import { reviewStates, type ClassId, type ReviewState, type RunId, type SampleId } from '../../shared/domain.ts';
import { classResolver, isSettledByMerge, type ResolveClass } from './classes.ts';
import { statement, type Database } from './database.ts';
import { findingsRunId } from './findings.ts';

/**
 * The present samples by rising id, a column for each thing that they are filtered and sorted by; entry i of every column is row i.
 * Classes are what they stand for since merges; 0 is no class. NaN is what is not known: as in SQL, it compares to nothing.
 */
export interface SampleColumns {
  count: number;
  id: Uint32Array;
  given: Uint32Array;
  /** 0 without a finding. */
  suggested: Uint32Array;
  /** The label after the decisions; 0 when dropped. */
  current: Uint32Array;
  /** Doubt. */
  score: Float64Array;
  /** Confidence weight. */
  weight: Float64Array;
  abstention: Float64Array;
  flagged: Uint8Array;
  /** Indexes into `reviewStates`. */
  state: Uint8Array;
  /** Milliseconds since 1970. */
  decidedAt: Float64Array;
  /** Indexes into `reviewers`, for decided samples. */
  decidedBy: Uint16Array;
  reviewers: string[];
  /** The run that the findings are of. */
  runId: RunId | null;
}

/** Reads all columns. */
export function readColumns(db: Database): SampleColumns {
  const ids: SampleId[] = [];
  const givens: ClassId[] = [];
  for (const [id, given] of pages<[SampleId, ClassId]>(
    db,
    'SELECT id, given_class_id FROM sample WHERE present = 1 AND id > ? ORDER BY id',
  )) {
    ids.push(id);
    givens.push(given);
  }
  const count = ids.length;
  const columns: SampleColumns = {
    count,
    id: Uint32Array.from(ids),
    given: Uint32Array.from(givens, classResolver(db)),
    suggested: new Uint32Array(count),
    current: new Uint32Array(count),
    score: new Float64Array(count).fill(NaN),
    weight: new Float64Array(count).fill(NaN),
    abstention: new Float64Array(count).fill(NaN),
    flagged: new Uint8Array(count),
    state: new Uint8Array(count),
    decidedAt: new Float64Array(count),
    decidedBy: new Uint16Array(count),
    reviewers: [],
    runId: findingsRunId(db),
  };
  readFindings(db, columns, Uint32Array.from(givens));
  readReviews(db, columns);
  return columns;
}

/** Reads the decisions of these samples anew. */
export function refreshReviews(db: Database, columns: SampleColumns, ids: ReadonlySet<SampleId>): void {
  if (ids.size > pageLength) return readReviews(db, columns);
  const resolve = classResolver(db);
  const read = statement<ReviewRow>(db, `SELECT ${reviewColumns} FROM review WHERE sample_id = ?`).raw();
  for (const id of ids) {
    const row = rowOf(columns, id);
    if (row !== -1) setReview(columns, row, read.get(id) ?? null, resolve);
  }
}

/** The row of a sample; -1 if it is not present. */
export function rowOf({ id: ids, count }: SampleColumns, id: SampleId): number {
  let low = 0;
  let high = count;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ids[middle]! < id) low = middle + 1;
    else high = middle;
  }
  return low < count && ids[low] === id ? low : -1;
}

/**
 * The rows of a query as arrays, ten thousand at a time: several times quicker than all at once, whose garbage is as large as the
 * project. The query goes by its first column, which is to be larger than its last parameter.
 */
export function* pages<Row extends [number | string, ...unknown[]]>(
  db: Database,
  query: string,
  { values = [], from = 0 }: { values?: readonly unknown[]; from?: number | string } = {},
): Generator<Row> {
  const read = statement<Row>(db, `${query} LIMIT ${pageLength}`).raw();
  let last: number | string = from;
  for (;;) {
    const rows = read.all(...values, last);
    yield* rows;
    if (rows.length < pageLength) return;
    last = rows.at(-1)![0];
  }
}

type FindingRow = [
  SampleId,
  score: number,
  suggested: ClassId,
  weight: number,
  flagged: 0 | 1,
  abstention: number | null,
];
type ReviewRow = [SampleId, ReviewState, ClassId | null, decidedAt: string, decidedBy: string];

const pageLength = 10_000;

const undecided: ReviewRow = [0, 'unreviewed', null, '', ''];

const reviewColumns = 'sample_id, state, class_id, decided_at, decided_by';

/** @param storedGiven the given classes before merges */
function readFindings(db: Database, columns: SampleColumns, storedGiven: Uint32Array): void {
  const { count, id: ids, runId } = columns;
  const resolve = classResolver(db);
  let row = 0;
  for (const [id, score, suggested, weight, flagged, abstention] of pages<FindingRow>(
    db,
    `SELECT sample_id, score, suggested_class_id, weight, flagged, abstention
       FROM finding WHERE run_id = ? AND sample_id > ? ORDER BY sample_id`,
    { values: [runId] },
  )) {
    while (row < count && ids[row]! < id) row++;
    if (row === count || ids[row] !== id) continue;
    const settled = isSettledByMerge(storedGiven[row]!, suggested, resolve);
    columns.suggested[row] = resolve(suggested);
    columns.score[row] = settled ? 0 : score;
    columns.weight[row] = weight;
    columns.flagged[row] = settled ? 0 : flagged;
    columns.abstention[row] = abstention ?? NaN;
  }
}

function readReviews(db: Database, columns: SampleColumns): void {
  const resolve = classResolver(db);
  const { count, id: ids } = columns;
  let row = 0;
  const undecidedBefore = (id: SampleId): void => {
    for (; row < count && ids[row]! < id; row++) setReview(columns, row, null, resolve);
  };
  for (const review of pages<ReviewRow>(
    db,
    `SELECT ${reviewColumns} FROM review WHERE sample_id > ? ORDER BY sample_id`,
  )) {
    undecidedBefore(review[0]);
    if (row < count && ids[row] === review[0]) setReview(columns, row++, review, resolve);
  }
  undecidedBefore(Infinity);
}

function setReview(columns: SampleColumns, row: number, review: ReviewRow | null, resolve: ResolveClass): void {
  const [, state, classId, decidedAt, decidedBy] = review ?? undecided;
  columns.state[row] = reviewStates.indexOf(state);
  columns.decidedAt[row] = Date.parse(decidedAt);
  columns.decidedBy[row] = reviewerIndex(columns.reviewers, decidedBy);
  columns.current[row] = state === 'dropped' ? 0 : classId === null ? columns.given[row]! : resolve(classId);
}

function reviewerIndex(reviewers: string[], name: string): number {
  const known = reviewers.indexOf(name);
  return known === -1 ? reviewers.push(name) - 1 : known;
}
