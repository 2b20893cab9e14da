import type { DecisionInput, ReviewChange } from '../../shared/api.ts';
import type { ActionId, ClassId, ReviewState, RunId, SampleId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { act, listNewClass } from './actions.ts';
import { findClass, findClassByName, standsFor } from './classes.ts';
import { inTransaction, numberOf, statement, type Database } from './database.ts';
import { findingsRunId } from './findings.ts';

/**
 * Applies one decision to all the samples as one undoable action, and discards what was undone before. Samples that are
 * as decided already are left alone; an action that changes none of them is not recorded.
 */
export function decide(
  db: Database,
  {
    sampleIds,
    decision,
    decidedAt,
    decidedBy = '',
  }: { sampleIds: readonly SampleId[]; decision: DecisionInput; decidedAt: string; decidedBy?: string },
): ReviewChange {
  return inTransaction(db, () =>
    act(db, { author: decidedBy, madeAt: decidedAt }, (actionId) => {
      const { samples, count } = requireSamples(db, sampleIds);
      if (decision.kind === 'keep-only' && !sampleIds.includes(decision.keptId)) {
        throw new AppError(
          'invalid-input',
          `Sample ${decision.keptId} is to be kept but is not one of those to decide on.`,
        );
      }
      const chosenClass = chooseClass(db, actionId, decision);
      const runId = decision.kind === 'accept-suggestion' ? findingsRunId(db) : null;
      const decidable = decision.kind === 'accept-suggestion' ? countSuggestions(db, runId, samples) : count;
      if (decidable === 0) {
        throw new AppError(
          'not-found',
          'There is no suggestion for this yet. Train first, or choose a class yourself.',
        );
      }
      const changed = listDecisions(db, actionId, {
        samples,
        label: labels[decision.kind],
        state: statesWithoutLabel[decision.kind] ?? null,
        classId: chosenClass?.id ?? null,
        keptId: decision.kind === 'keep-only' ? decision.keptId : null,
        runId,
      });
      // Of how many one is kept does not depend on what was decided before.
      const described = changed > 0 && decision.kind !== 'keep-only' ? changed : decidable;
      return { label: describe(decision, described, chosenClass?.name ?? ''), samples };
    }),
  );
}

/** Lists for an action that it relabels these samples, and answers how many of them were labeled otherwise. */
export function listRelabels(db: Database, actionId: ActionId, samples: string, classId: ClassId): number {
  return listDecisions(db, actionId, { samples, label: labels.relabel, state: null, classId, runId: null });
}

/** The ids as JSON, each once. Refuses one that the project does not have. */
export function requireSamples(db: Database, sampleIds: readonly SampleId[]): { samples: string; count: number } {
  const ids = [...new Set(sampleIds)];
  const samples = JSON.stringify(ids);
  const known = numberOf(
    db,
    'SELECT count(*) AS value FROM json_each(?) AS chosen CROSS JOIN sample ON sample.id = chosen.value',
    samples,
  );
  if (known === ids.length) return { samples, count: ids.length };
  const subject = ids.length === 1 ? `no sample ${ids[0]}` : `not all of these ${ids.length} samples`;
  throw new AppError('not-found', `The project has ${subject}. Nothing was changed; load the list again.`);
}

/** `1 image`, `3 images`. */
export function countImages(count: number): string {
  return count === 1 ? '1 image' : `${count.toLocaleString('en')} images`;
}

/** The state of samples to which a decision gives no label. */
const statesWithoutLabel: Partial<Record<DecisionInput['kind'], ReviewState>> = {
  drop: 'dropped',
  skip: 'skipped',
  reopen: 'unreviewed',
  'keep-only': 'dropped',
};

/** The label that each decision gives, as SQL. */
const labels: Record<DecisionInput['kind'], string> = {
  confirm: 'given_class_id',
  relabel: '@classId',
  'relabel-new': '@classId',
  'accept-suggestion': standsFor('suggested_class_id'),
  drop: 'NULL',
  skip: 'NULL',
  reopen: 'NULL',
  'keep-only': 'iif(sample.id = @keptId, given_class_id, NULL)',
};

/**
 * Lists in action_change what a decision changes; samples without a suggestion to accept are left out. One statement for
 * all the samples, because a bulk action may hold a hundred thousand.
 */
function listDecisions(
  db: Database,
  actionId: ActionId,
  {
    samples,
    label,
    ...decided
  }: {
    samples: string;
    label: string;
    state: ReviewState | null;
    classId: ClassId | null;
    keptId?: SampleId | null;
    runId: RunId | null;
  },
): number {
  return statement(
    db,
    `WITH decided AS (
       SELECT sample.id, given_class_id, coalesce(review.state, 'unreviewed') AS before_state, review.class_id AS before_class_id,
              review.decided_at AS before_decided_at, review.decided_by AS before_decided_by, ${label} AS after_class_id
         FROM json_each(@samples) AS chosen
         CROSS JOIN sample ON sample.id = chosen.value
         LEFT JOIN review ON review.sample_id = sample.id
         LEFT JOIN finding ON finding.run_id = @runId AND finding.sample_id = sample.id
     ), stated AS (
       SELECT *, CASE WHEN after_class_id IS NULL THEN @state
                      WHEN ${standsFor('after_class_id')} = ${standsFor('given_class_id')} THEN 'confirmed'
                      ELSE 'relabeled' END AS after_state
         FROM decided WHERE @state IS NOT NULL OR after_class_id IS NOT NULL
     )
     INSERT INTO action_change (action_id, sample_id, before_state, before_class_id, before_decided_at, before_decided_by,
                                after_state, after_class_id)
     SELECT @actionId, id, before_state, before_class_id, before_decided_at, before_decided_by, after_state, after_class_id
       FROM stated
      WHERE (before_state, ${standsFor('before_class_id')}) IS NOT (after_state, ${standsFor('after_class_id')})
      ORDER BY id`,
  ).run({ actionId, samples, keptId: null, ...decided }).changes;
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

function chooseClass(db: Database, actionId: ActionId, decision: DecisionInput): { id: ClassId; name: string } | null {
  if (decision.kind === 'relabel-new') {
    const { className: name } = decision;
    return { id: findClassByName(db, name) ?? listNewClass(db, actionId, name), name };
  }
  if (decision.kind !== 'relabel') return null;
  const chosen = findClass(db, decision.classId);
  if (chosen === null)
    throw new AppError('not-found', `The project has no class ${decision.classId}. Choose one of its classes.`);
  return chosen;
}

function describe(decision: DecisionInput, count: number, className: string): string {
  const images = countImages(count);
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
    case 'keep-only':
      return `Keep one of ${images}, drop the rest`;
  }
}
