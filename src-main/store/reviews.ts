import type { ReviewCounts } from '../../shared/api.ts';
import { reviewStates } from '../../shared/domain.ts';
import { standsFor } from './classes.ts';
import { statement, type Database } from './database.ts';
import { sampleIndex } from './sample-index.ts';

/** How many present samples are in each state. */
export function countReview(db: Database): ReviewCounts {
  const { count, state } = sampleIndex(db).columns;
  const counts = new Uint32Array(reviewStates.length);
  for (let row = 0; row < count; row++) counts[state[row]!]!++;
  return Object.fromEntries(reviewStates.map((state, i) => [state, counts[i]!])) as ReviewCounts;
}

/** Everybody by whom a decision about a present sample stands, by name; without the empty one. */
export function listReviewers(db: Database): string[] {
  const { count, decidedBy, reviewers } = sampleIndex(db).columns;
  const occurs = new Uint8Array(reviewers.length);
  for (let row = 0; row < count; row++) occurs[decidedBy[row]!] = 1;
  return reviewers.filter((name, i) => occurs[i] === 1 && name !== '').sort(new Intl.Collator('en').compare);
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
