import type { ReviewCounts } from '../../shared/api.ts';
import type { ReviewState } from '../../shared/domain.ts';
import { standsFor } from './classes.ts';
import { allRows, numberOf, statement, type Database } from './database.ts';

/** How many present samples are in each state. */
export function countReview(db: Database): ReviewCounts {
  const counts: ReviewCounts = { unreviewed: 0, confirmed: 0, relabeled: 0, dropped: 0, skipped: 0 };
  // Counted by index, less the few that are gone: a join over 100,000 samples would be felt at every decision.
  for (const { state, samples } of allRows<StateCount>(
    db,
    'SELECT state, count(*) AS samples FROM review GROUP BY state',
  )) {
    counts[state] += samples;
  }
  const gone = allRows<StateCount>(
    db,
    `SELECT state, count(*) AS samples FROM sample CROSS JOIN review ON review.sample_id = sample.id
      WHERE present = 0 GROUP BY state`,
  );
  for (const { state, samples } of gone) counts[state] -= samples;
  const present = numberOf(db, 'SELECT count(*) AS value FROM sample WHERE present = 1');
  counts.unreviewed = present - counts.confirmed - counts.relabeled - counts.dropped - counts.skipped;
  return counts;
}

/** Everybody by whom a decision stands, by name; without the empty one. */
export function listReviewers(db: Database): string[] {
  return allRows<{ decided_by: string }>(db, "SELECT DISTINCT decided_by FROM review WHERE decided_by <> ''")
    .map((row) => row.decided_by)
    .sort(new Intl.Collator('en').compare);
}

/**
 * Part of a transaction that has changed given labels, by an import, or what classes stand for: the label that was decided on
 * stays; whether that confirms or relabels follows from what is given now.
 */
export function alignDecisions(db: Database): void {
  const given = `(SELECT coalesce(merged_into, class.id) FROM sample JOIN class ON class.id = given_class_id
                   WHERE sample.id = sample_id)`;
  const decided = standsFor('class_id');
  statement(db, `UPDATE review SET state = 'relabeled' WHERE state = 'confirmed' AND ${decided} <> ${given}`).run();
  statement(db, `UPDATE review SET state = 'confirmed' WHERE state = 'relabeled' AND ${decided} = ${given}`).run();
}

interface StateCount {
  state: ReviewState;
  samples: number;
}
