import type { ClassId, ReviewState, SampleId } from '../../shared/domain.ts';
import { readMergedClasses } from './classes.ts';
import { allRows, firstRow, inTransaction, statement, type Database } from './database.ts';

/** A present sample with what its picture looks like. */
export interface PrintedSample {
  id: SampleId;
  contentHash: string;
  /** Relative to the image folder. */
  path: string;
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

/** At most `limit` present samples with an id above `after`, by id. */
export function readPrintedSamples(db: Database, after: SampleId, limit: number): PrintedSample[] {
  return statement<[SampleId, string, string, Buffer | null]>(
    db,
    `SELECT sample.id, sample.content_hash, path, bits
       FROM sample LEFT JOIN fingerprint ON fingerprint.content_hash = sample.content_hash
      WHERE +present = 1 AND sample.id > ?
      ORDER BY sample.id LIMIT ?`,
  )
    .raw()
    .all(after, limit)
    .map(([id, contentHash, path, bits]) => ({ id, contentHash, path, bits }));
}

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
