import type { Queue, QueueFilter, QueueQuery } from '../../shared/api.ts';
import { reviewStates, type ReviewState, type SampleId } from '../../shared/domain.ts';
import { statement, type Database } from './database.ts';
import { findingsRunId } from './findings.ts';

/** Ids of all present samples that match, in order. */
export function queryQueue(db: Database, { filter, sort }: QueueQuery): Queue {
  const { where, values } = conditions(filter);
  const runId = findingsRunId(db);
  const search = searchKey(filter.search);
  // Rows as arrays: at 100,000 samples, objects would double the time.
  const rows = statement<QueueRow>(
    db,
    `SELECT sample.id, coalesce(state, 'unreviewed'), ${search === '' ? 'NULL' : 'path'}
       FROM sample
       LEFT JOIN finding ON finding.run_id = ? AND finding.sample_id = sample.id
       LEFT JOIN review ON review.sample_id = sample.id
      WHERE present = 1 ${where.map((condition) => `AND ${condition}`).join(' ')}
      ORDER BY ${orders[runId === null && sort !== 'decided' ? 'path' : sort]}`,
  )
    .raw()
    .all(runId, ...values);
  // LIKE ignores case for ASCII only; file names come in every script.
  const matches = search === '' ? rows : rows.filter((row) => searchKey(row[2] ?? '').includes(search));
  return {
    ids: Uint32Array.from(matches, (row) => row[0]),
    states: Uint8Array.from(matches, (row) => reviewStates.indexOf(row[1])),
  };
}

type QueueRow = [id: SampleId, state: ReviewState, path: string | null];

const orders: Record<QueueQuery['sort'], string> = {
  doubt: 'score DESC NULLS LAST, sample.id',
  abstention: 'abstention DESC NULLS LAST, score DESC NULLS LAST, sample.id',
  confidence: 'weight DESC NULLS LAST, sample.id',
  path: 'path',
  decided: 'decided_at DESC NULLS LAST, sample.id',
};

function conditions(filter: QueueFilter): { where: string[]; values: unknown[] } {
  const where: string[] = [];
  const values: unknown[] = [];
  const add = (condition: string, ...conditionValues: unknown[]): void => {
    where.push(condition);
    values.push(...conditionValues);
  };
  // Lists travel as JSON, so that every filter of a kind is the same statement.
  const among = 'IN (SELECT value FROM json_each(?))';
  if (filter.states.length > 0) add(`coalesce(state, 'unreviewed') ${among}`, JSON.stringify(filter.states));
  if (filter.givenClassIds.length > 0) add(`given_class_id ${among}`, JSON.stringify(filter.givenClassIds));
  if (filter.suggestedClassIds.length > 0) add(`suggested_class_id ${among}`, JSON.stringify(filter.suggestedClassIds));
  if (filter.flaggedOnly) add('flagged = 1');
  if (filter.minScore !== null) add('score >= ?', filter.minScore);
  if (filter.maxScore !== null) add('score <= ?', filter.maxScore);
  // Samples that the run has not judged are on neither side.
  if (filter.triage !== null) add(`score ${filter.triage.part === 'accept' ? '<' : '>='} ?`, filter.triage.threshold);
  return { where, values };
}

function searchKey(text: string): string {
  return text.normalize('NFC').toLowerCase();
}
