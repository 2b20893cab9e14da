import type { DecisionInput, ReviewChange, ReviewCounts } from '../../shared/api.ts';
import type { ClassId, ReviewState, RunId, SampleId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { classNameById, findOrCreateClass, listClasses } from './classes.ts';
import { allRows, firstRow, inTransaction, numberOf, statement, type Database } from './database.ts';
import { findingsRunId } from './findings.ts';

/**
 * Applies one decision to all the samples as one undoable action, and discards what was undone before. Samples that are
 * as decided already are left alone; an action that changes none of them is not recorded.
 */
export function decide(
  db: Database,
  { sampleIds, decision, decidedAt }: { sampleIds: readonly SampleId[]; decision: DecisionInput; decidedAt: string },
): ReviewChange {
  return inTransaction(db, () => {
    const chosenIds = [...new Set(sampleIds)];
    const samples = JSON.stringify(chosenIds);
    checkSamples(db, chosenIds, samples);
    const chosenClass = classOf(db, decision);
    const runId = decision.kind === 'accept-suggestion' ? findingsRunId(db) : null;
    const decidable = decision.kind === 'accept-suggestion' ? countSuggestions(db, runId, samples) : chosenIds.length;
    if (decidable === 0) {
      throw new AppError('not-found', 'There is no suggestion for this yet. Train first, or choose a class yourself.');
    }
    const actionId = Number(
      statement(db, "INSERT INTO action (label, made_at) VALUES ('', ?)").run(decidedAt).lastInsertRowid,
    );
    const changed = statement(db, changesQuery(decision)).run({
      actionId,
      samples,
      runId,
      classId: chosenClass?.id ?? null,
      state: statesWithoutLabel[decision.kind] ?? null,
    }).changes;
    const label = describe(decision, changed > 0 ? changed : decidable, chosenClass?.name ?? '');
    if (changed > 0) {
      statement(db, 'UPDATE action SET discarded = 1 WHERE undone = 1 AND discarded = 0').run();
      statement(db, 'UPDATE action SET label = ? WHERE id = ?').run(label, actionId);
      writeReviews(db, actionId, 'after');
    } else {
      statement(db, 'DELETE FROM action WHERE id = ?').run(actionId);
    }
    return reviewChange(db, { label, direction: 'done', samples, classMade: chosenClass?.created === true });
  });
}

/** Takes back the newest action that stands; null if there is none. */
export function undo(db: Database): ReviewChange | null {
  return inTransaction(db, () => {
    const action = actionToUndo(db);
    if (action === null) return null;
    writeReviews(db, action.id, 'before');
    statement(db, 'UPDATE action SET undone = 1 WHERE id = ?').run(action.id);
    return reviewChange(db, {
      label: action.label,
      direction: 'undone',
      samples: samplesOf(db, action.id),
      classMade: false,
    });
  });
}

/** Makes the oldest undone action again; null if there is none, or another action was made since. */
export function redo(db: Database): ReviewChange | null {
  return inTransaction(db, () => {
    const action = actionToRedo(db);
    if (action === null) return null;
    writeReviews(db, action.id, 'after');
    statement(db, 'UPDATE action SET undone = 0 WHERE id = ?').run(action.id);
    return reviewChange(db, {
      label: action.label,
      direction: 'redone',
      samples: samplesOf(db, action.id),
      classMade: false,
    });
  });
}

/** What undo would take back and redo would make again; nulls where there is nothing. */
export function undoLabels(db: Database): { undoLabel: string | null; redoLabel: string | null } {
  return { undoLabel: actionToUndo(db)?.label ?? null, redoLabel: actionToRedo(db)?.label ?? null };
}

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

/**
 * Part of an import's transaction: where the given label of a decided sample has changed outside, the label that was
 * decided on stays; whether that confirms or relabels follows from what is given now.
 */
export function alignDecisions(db: Database): void {
  const given = '(SELECT given_class_id FROM sample WHERE id = sample_id)';
  statement(db, `UPDATE review SET state = 'relabeled' WHERE state = 'confirmed' AND class_id <> ${given}`).run();
  statement(db, `UPDATE review SET state = 'confirmed' WHERE state = 'relabeled' AND class_id = ${given}`).run();
}

interface ActionRow {
  id: number;
  label: string;
}

interface StateCount {
  state: ReviewState;
  samples: number;
}

/** States of the decisions that give no label. */
const statesWithoutLabel: Partial<Record<DecisionInput['kind'], ReviewState>> = {
  drop: 'dropped',
  skip: 'skipped',
  reopen: 'unreviewed',
};

/** The label that each decision gives, as SQL. */
const labelQueries: Record<DecisionInput['kind'], string> = {
  confirm: 'given_class_id',
  relabel: '@classId',
  'relabel-new': '@classId',
  'accept-suggestion': 'suggested_class_id',
  drop: 'NULL',
  skip: 'NULL',
  reopen: 'NULL',
};

/**
 * Lists in action_change what a decision changes; samples without a suggestion to accept are left out. One statement for
 * all the samples, because a bulk action may hold a hundred thousand.
 */
function changesQuery(decision: DecisionInput): string {
  const label = labelQueries[decision.kind];
  return `
    WITH decided AS (
      SELECT sample.id, given_class_id, coalesce(review.state, 'unreviewed') AS before_state, review.class_id AS before_class_id,
             review.decided_at AS before_decided_at, ${label} AS after_class_id
        FROM json_each(@samples) AS chosen
        CROSS JOIN sample ON sample.id = chosen.value
        LEFT JOIN review ON review.sample_id = sample.id
        LEFT JOIN finding ON finding.run_id = @runId AND finding.sample_id = sample.id
    ), stated AS (
      SELECT *, coalesce(@state, iif(after_class_id = given_class_id, 'confirmed', 'relabeled')) AS after_state
        FROM decided WHERE @state IS NOT NULL OR after_class_id IS NOT NULL
    )
    INSERT INTO action_change
           (action_id, sample_id, before_state, before_class_id, before_decided_at, after_state, after_class_id)
    SELECT @actionId, id, before_state, before_class_id, before_decided_at, after_state, after_class_id
      FROM stated
     WHERE (before_state, before_class_id) IS NOT (after_state, after_class_id)
     ORDER BY id`;
}

/** Gives the samples of an action the state from before or after it. */
function writeReviews(db: Database, actionId: number, side: 'before' | 'after'): void {
  statement(
    db,
    `DELETE FROM review WHERE sample_id IN (
       SELECT sample_id FROM action_change WHERE action_id = ? AND ${side}_state = 'unreviewed')`,
  ).run(actionId);
  // An action of long ago may come back after the given label has changed; see alignDecisions.
  statement(
    db,
    `INSERT INTO review (sample_id, state, class_id, decided_at)
     SELECT sample.id,
            CASE WHEN ${side}_class_id IS NULL THEN ${side}_state
                 WHEN ${side}_class_id = given_class_id THEN 'confirmed' ELSE 'relabeled' END,
            ${side}_class_id, ${side === 'before' ? 'before_decided_at' : 'made_at'}
       FROM action_change
       JOIN action ON action.id = action_id
       JOIN sample ON sample.id = sample_id
      WHERE action_id = ? AND ${side}_state <> 'unreviewed'
     ON CONFLICT (sample_id) DO UPDATE
        SET state = excluded.state, class_id = excluded.class_id, decided_at = excluded.decided_at`,
  ).run(actionId);
}

function checkSamples(db: Database, ids: readonly SampleId[], samples: string): void {
  const known = numberOf(
    db,
    'SELECT count(*) AS value FROM json_each(?) AS chosen CROSS JOIN sample ON sample.id = chosen.value',
    samples,
  );
  if (known === ids.length) return;
  const subject = ids.length === 1 ? `no sample ${ids[0]}` : `not all of these ${ids.length} samples`;
  throw new AppError('not-found', `The project has ${subject}. Nothing was changed; load the list again.`);
}

function countSuggestions(db: Database, runId: RunId | null, samples: string): number {
  return numberOf(
    db,
    `SELECT count(*) AS value FROM json_each(?) AS chosen
      CROSS JOIN finding ON finding.run_id = ? AND finding.sample_id = chosen.value`,
    samples,
    runId,
  );
}

function classOf(db: Database, decision: DecisionInput): { id: ClassId; name: string; created: boolean } | null {
  if (decision.kind === 'relabel-new')
    return { ...findOrCreateClass(db, decision.className), name: decision.className };
  if (decision.kind !== 'relabel') return null;
  const name = classNameById(db, decision.classId);
  if (name === null)
    throw new AppError('not-found', `The project has no class ${decision.classId}. Choose one of its classes.`);
  return { id: decision.classId, name, created: false };
}

function describe(decision: DecisionInput, count: number, className: string): string {
  const images = count === 1 ? '1 image' : `${count.toLocaleString('en')} images`;
  switch (decision.kind) {
    case 'confirm':
      return `Confirm ${images}`;
    case 'relabel':
    case 'relabel-new':
      return `Relabel ${images} to ${className}`;
    case 'accept-suggestion':
      return `Accept the suggestion for ${images}`;
    case 'drop':
      return `Drop ${images}`;
    case 'skip':
      return `Skip ${images}`;
    case 'reopen':
      return `Reopen ${images}`;
  }
}

function actionToUndo(db: Database): ActionRow | null {
  return firstRow(db, 'SELECT id, label FROM action WHERE undone = 0 AND discarded = 0 ORDER BY id DESC LIMIT 1');
}

function actionToRedo(db: Database): ActionRow | null {
  return firstRow(db, 'SELECT id, label FROM action WHERE undone = 1 AND discarded = 0 ORDER BY id LIMIT 1');
}

/** Ids of the samples that an action changed, as JSON. */
function samplesOf(db: Database, actionId: number): string {
  const rows = allRows<{ sample_id: SampleId }>(
    db,
    'SELECT sample_id FROM action_change WHERE action_id = ? ORDER BY sample_id',
    actionId,
  );
  return JSON.stringify(rows.map((row) => row.sample_id));
}

function reviewChange(
  db: Database,
  change: { label: string; direction: ReviewChange['direction']; samples: string; classMade: boolean },
): ReviewChange {
  return {
    label: change.label,
    direction: change.direction,
    samples: allRows<ReviewChange['samples'][number]>(
      db,
      `SELECT sample.id, coalesce(state, 'unreviewed') AS state,
              iif(state = 'dropped', NULL, coalesce(class_id, given_class_id)) AS currentClassId
         FROM json_each(?) AS chosen
         CROSS JOIN sample ON sample.id = chosen.value
         LEFT JOIN review ON review.sample_id = sample.id
        ORDER BY chosen.id`,
      change.samples,
    ),
    review: countReview(db),
    ...undoLabels(db),
    classes: change.classMade ? listClasses(db) : null,
    everything: false,
  };
}
