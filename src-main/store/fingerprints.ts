import type { ClassId, ReviewState, SampleId } from '../../shared/domain.ts';
import { readMergedClasses } from './classes.ts';
import { allRows, firstRow, inTransaction, statement, type Database } from './database.ts';

/** A sample with what its picture looks like. */
export interface PrintedSample {
  id: SampleId;
  contentHash: string;
  /** Null where no fingerprint has been taken yet. */
  bits: Uint8Array | null;
}

export function writeFingerprints(
  db: Database,
  fingerprints: readonly { contentHash: string; bits: Uint8Array }[],
): void {
  const insert = statement(db, 'INSERT OR REPLACE INTO fingerprint (content_hash, bits) VALUES (?, ?)');
  inTransaction(db, () => {
    for (const { contentHash, bits } of fingerprints) insert.run(contentHash, bits);
  });
}

/**
 * All samples, those that are gone as well, by content and then by id, a page at a time. So the fingerprints are read in the order of their
 * table, from end to end; to find a million one by one takes SQLite five times as long.
 */
export function* printedSamples(db: Database): Generator<PrintedSample[]> {
  const read = statement<[string, SampleId, Buffer | null]>(
    db,
    `SELECT sample.content_hash, sample.id, bits
       FROM sample LEFT JOIN fingerprint ON fingerprint.content_hash = sample.content_hash
      WHERE (sample.content_hash, sample.id) > (?, ?)
      ORDER BY sample.content_hash, sample.id LIMIT ?`,
  ).raw();
  let last: [string, SampleId] = ['', 0];
  for (;;) {
    const rows = read.all(...last, pageLength);
    const end = rows.at(-1);
    if (end === undefined) return;
    last = [end[0], end[1]];
    yield rows.map(([contentHash, id, bits]) => ({ id, contentHash, bits }));
  }
}

const pageLength = 1000;

/** Changes when present samples come, go or change their content, and with little else. */
export function presentSamplesSignature(db: Database): string {
  const row = firstRow<Record<string, number>>(
    db,
    `SELECT count(*) AS samples, total(id) AS ids, total(byte_size) AS bytes, total(modified_ms) AS modified
       FROM sample WHERE present = 1`,
  );
  return JSON.stringify(row);
}

/** Changes whenever another connection, of this or another process, has written to the project. */
export function writesOfOthers(db: Database): number {
  return db.pragma('data_version', { simple: true }) as number;
}

/** The label of each sample after all decisions; null for dropped ones. */
export function currentLabels(db: Database, ids: readonly SampleId[]): Map<SampleId, ClassId | null> {
  const merged = readMergedClasses(db);
  const rows = allRows<{ id: SampleId; state: ReviewState | null; class_id: ClassId }>(
    db,
    `SELECT sample.id, state, coalesce(review.class_id, given_class_id) AS class_id
       FROM json_each(?) JOIN sample ON sample.id = value LEFT JOIN review ON review.sample_id = sample.id`,
    JSON.stringify(ids),
  );
  return new Map(
    rows.map((row) => [row.id, row.state === 'dropped' ? null : (merged.get(row.class_id) ?? row.class_id)]),
  );
}
