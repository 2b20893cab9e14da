import type { HistoryPage, ReviewChange } from '../../shared/api.ts';
import type { ActionId, SampleId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { actionToRedo, actionToUndo, travel } from './actions.ts';
import { allRows, firstRow, inTransaction, numberOf, type Database } from './database.ts';

/** Takes back the newest action that stands; null if there is none. */
export function undo(db: Database): ReviewChange | null {
  return inTransaction(db, () => {
    const action = actionToUndo(db);
    if (action === null) return null;
    return travel(db, { first: action.id, last: action.id }, { label: action.label, direction: 'undone' });
  });
}

/** Makes the oldest undone action again; null if there is none, or another action was made since. */
export function redo(db: Database): ReviewChange | null {
  return inTransaction(db, () => {
    const action = actionToRedo(db);
    if (action === null) return null;
    return travel(db, { first: action.id, last: action.id }, { label: action.label, direction: 'redone' });
  });
}

/** Undoes or redoes until the action is the newest that stands, all in one; null undoes everything. Refuses a discarded action. */
export function jumpTo(db: Database, actionId: ActionId | null): ReviewChange {
  return inTransaction(db, () => {
    const newest = actionToUndo(db)?.id ?? 0;
    const target = actionId === null ? theStart : requireAction(db, actionId);
    // What is undone and not discarded is newer than all that stands.
    if (target.undone === 1) {
      return travel(
        db,
        { first: newest + 1, last: target.id },
        { label: `Forward to: ${target.label}`, direction: 'redone' },
      );
    }
    return travel(
      db,
      { first: target.id + 1, last: newest },
      { label: `Back to: ${target.label}`, direction: 'undone' },
    );
  });
}

/** Actions before this one, newest first, of one author or, where that is null, of everybody; and how many there are in all. */
export function listHistory(
  db: Database,
  { before, limit, author = null }: { before: ActionId | null; limit: number; author?: string | null },
): HistoryPage {
  const ofAuthor = author === null ? '' : 'author = @author AND';
  const values = { author, before, limit };
  const rows = allRows<EntryRow>(
    db,
    `SELECT id, label, author, made_at, undone, discarded, samples FROM action
      WHERE ${ofAuthor} id < coalesce(@before, 9e18) ORDER BY id DESC LIMIT @limit`,
    values,
  );
  return {
    total: numberOf(db, `SELECT count(*) AS value FROM action WHERE ${ofAuthor} true`, values),
    entries: rows.map((row) => ({
      id: row.id,
      label: row.label,
      author: row.author,
      madeAt: row.made_at,
      samples: row.samples,
      exampleIds: exampleIds(db, row.id),
      status: row.discarded === 1 ? 'discarded' : row.undone === 1 ? 'undone' : 'done',
    })),
    standing: actionToUndo(db)?.id ?? null,
    authors: listAuthors(db),
  };
}

/** What undo would take back and redo would make again; nulls where there is nothing. */
export function undoLabels(db: Database): { undoLabel: string | null; redoLabel: string | null } {
  return { undoLabel: actionToUndo(db)?.label ?? null, redoLabel: actionToRedo(db)?.label ?? null };
}

interface TargetRow {
  id: ActionId;
  label: string;
  undone: 0 | 1;
  discarded: 0 | 1;
}

interface EntryRow extends TargetRow {
  author: string;
  made_at: string;
  samples: number;
}

/** Stands before the first action. */
const theStart: TargetRow = { id: 0, label: 'the start', undone: 0, discarded: 0 };

const examplesPerAction = 6;

function requireAction(db: Database, id: ActionId): TargetRow {
  const action = firstRow<TargetRow>(db, 'SELECT id, label, undone, discarded FROM action WHERE id = ?', id);
  if (action === null) {
    throw new AppError('not-found', `The history has no step ${id}. Nothing was changed; load the history again.`);
  }
  if (action.discarded === 1) {
    throw new AppError(
      'invalid-input',
      `"${action.label}" was undone before something else was done, so it cannot be made again. Choose another step.`,
    );
  }
  return action;
}

function exampleIds(db: Database, actionId: ActionId): SampleId[] {
  return allRows<{ sample_id: SampleId }>(
    db,
    'SELECT sample_id FROM action_change WHERE action_id = ? ORDER BY sample_id LIMIT ?',
    actionId,
    examplesPerAction,
  ).map((row) => row.sample_id);
}

/** From one name to the next in the index, because there may be a million actions but hardly ten names. */
function listAuthors(db: Database): string[] {
  const names = allRows<{ author: string }>(
    db,
    `WITH RECURSIVE named (author) AS (
       SELECT min(author) FROM action
       UNION ALL
       SELECT (SELECT min(author) FROM action WHERE author > named.author) FROM named WHERE named.author IS NOT NULL
     )
     SELECT author FROM named WHERE author IS NOT NULL`,
  ).map((row) => row.author);
  const known = names.filter((name) => name !== '').sort(new Intl.Collator('en').compare);
  return names.includes('') ? [...known, ''] : known;
}
