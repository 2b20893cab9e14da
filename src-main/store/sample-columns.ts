import { reviewStates, type ClassId, type ReviewState, type RunId, type SampleId } from '../../shared/domain.ts';
import { classResolver, isSettledByMerge, type ResolveClass } from './classes.ts';
import { numberOf, pages, statement, type Database } from './database.ts';
import { findingsRunId } from './findings.ts';

/**
 * The present samples by rising id, a column for each thing that they are filtered and sorted by; entry i of every column is row i.
 * Classes are those that they stand for since merges; 0 is no class. NaN is what is not known: as in SQL, it compares to nothing.
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
  /** Soft target at the suggestion. */
  suggestedTarget: Float64Array;
  abstention: Float64Array;
  flagged: Uint8Array;
  /** Indexes into `reviewStates`. */
  state: Uint8Array;
  /** Milliseconds since 1970. */
  decidedAt: Float64Array;
  /** Indexes into `reviewers`; that of the empty name while undecided. */
  decidedBy: Uint16Array;
  reviewers: string[];
  /** The run that the findings are of; null if there are none. */
  runId: RunId | null;
}

/** Reads all columns. Part of a transaction, so that all of them are of one moment. */
export function readColumns(db: Database): SampleColumns {
  const resolve = classResolver(db);
  const count = numberOf(db, 'SELECT count(*) AS value FROM sample WHERE present = 1');
  const columns: SampleColumns = {
    count,
    id: new Uint32Array(count),
    given: new Uint32Array(count),
    suggested: new Uint32Array(count),
    current: new Uint32Array(count),
    score: new Float64Array(count).fill(NaN),
    weight: new Float64Array(count).fill(NaN),
    suggestedTarget: new Float64Array(count).fill(NaN),
    abstention: new Float64Array(count).fill(NaN),
    flagged: new Uint8Array(count),
    state: new Uint8Array(count),
    decidedAt: new Float64Array(count),
    decidedBy: new Uint16Array(count),
    reviewers: [],
    runId: findingsRunId(db),
  };
  readSamples(db, columns);
  readFindings(db, columns, resolve);
  for (let row = 0; row < count; row++) columns.given[row] = resolve(columns.given[row]!);
  readReviews(db, columns, resolve);
  return columns;
}

/** Reads the decisions of these samples anew. */
export function refreshReviews(db: Database, columns: SampleColumns, ids: ReadonlySet<SampleId>): void {
  const resolve = classResolver(db);
  if (ids.size > mostReadSingly) return readReviews(db, columns, resolve);
  const read = statement<ReviewRow>(db, `SELECT ${reviewColumns} FROM review WHERE sample_id = ?`).raw();
  for (const id of ids) {
    const row = rowOf(columns, id);
    if (row !== -1) setReview(columns, row, read.get(id) ?? undecided, resolve);
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

type FindingRow = [
  SampleId,
  score: number,
  suggested: ClassId,
  weight: number,
  suggestedTarget: number,
  flagged: 0 | 1,
  abstention: number | null,
];
type ReviewRow = [SampleId, ReviewState, ClassId | null, decidedAt: string, decidedBy: string];

const reviewColumns = 'sample_id, state, class_id, decided_at, decided_by';

const undecided: ReviewRow = [0, 'unreviewed', null, '', ''];

/** Of more samples it is quicker to read all decisions that there are. */
const mostReadSingly = 10_000;

/** Leaves the given classes as stored, before merges. */
function readSamples(db: Database, { id: ids, given: givens }: SampleColumns): void {
  let row = 0;
  for (const page of pages<[SampleId, ClassId]>(
    db,
    'SELECT id, given_class_id FROM sample WHERE present = 1 AND id > ? ORDER BY id',
  )) {
    for (const [id, given] of page) {
      ids[row] = id;
      givens[row++] = given;
    }
  }
}

/** Given classes are still those before merges. */
function readFindings(db: Database, columns: SampleColumns, resolve: ResolveClass): void {
  const { count, id: ids, given: givens, suggested, score, weight, suggestedTarget, flagged, abstention } = columns;
  let row = 0;
  for (const page of pages<FindingRow>(
    db,
    `SELECT sample_id, score, suggested_class_id, weight, suggested_target, flagged, abstention
       FROM finding WHERE run_id = ? AND sample_id > ? ORDER BY sample_id`,
    { values: [columns.runId] },
  )) {
    for (const finding of page) {
      while (row < count && ids[row]! < finding[0]) row++;
      if (row === count || ids[row] !== finding[0]) continue;
      const settled = isSettledByMerge(givens[row]!, finding[2], resolve);
      score[row] = settled ? 0 : finding[1];
      suggested[row] = resolve(finding[2]);
      weight[row] = finding[3];
      suggestedTarget[row] = finding[4];
      flagged[row] = settled ? 0 : finding[5];
      abstention[row] = finding[6] ?? NaN;
    }
  }
}

function readReviews(db: Database, columns: SampleColumns, resolve: ResolveClass): void {
  const { count, id: ids } = columns;
  // Most are undecided, and to set them one by one would take as long as all the rest.
  columns.state.fill(reviewStates.indexOf('unreviewed'));
  columns.decidedAt.fill(NaN);
  columns.decidedBy.fill(reviewerIndex(columns.reviewers, ''));
  columns.current.set(columns.given);
  let row = 0;
  for (const page of pages<ReviewRow>(
    db,
    `SELECT ${reviewColumns} FROM review WHERE sample_id > ? ORDER BY sample_id`,
  )) {
    for (const review of page) {
      while (row < count && ids[row]! < review[0]) row++;
      if (row < count && ids[row] === review[0]) setReview(columns, row++, review, resolve);
    }
  }
}

function setReview(
  columns: SampleColumns,
  row: number,
  [, state, classId, decidedAt, decidedBy]: ReviewRow,
  resolve: ResolveClass,
): void {
  columns.state[row] = reviewStates.indexOf(state);
  columns.decidedAt[row] = Date.parse(decidedAt);
  columns.decidedBy[row] = reviewerIndex(columns.reviewers, decidedBy);
  columns.current[row] = state === 'dropped' ? 0 : classId === null ? columns.given[row]! : resolve(classId);
}

function reviewerIndex(reviewers: string[], name: string): number {
  const known = reviewers.indexOf(name);
  return known === -1 ? reviewers.push(name) - 1 : known;
}
