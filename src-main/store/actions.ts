import type { ReviewChange } from '../../shared/api.ts';
import type { ActionId, ClassId, SampleId } from '../../shared/domain.ts';
import { listClasses } from './class-list.ts';
import { findClassByName, standsFor } from './classes.ts';
import { allRows, firstRow, statement, type Database } from './database.ts';
import { alignDecisions, countReview } from './reviews.ts';

/*
 * An action is one undoable step. It lists what it changes, each with its state before and after: samples in action_change, classes
 * in action_class. To make it, to take it back and to make it again is to write one of the two sides.
 */

/** Who does something, and when. */
export interface Authorship {
  author: string;
  madeAt: string;
}

/** Consecutive actions of the history; those that are discarded between them do not count. */
export interface ActionRange {
  first: ActionId;
  last: ActionId;
}

/**
 * Makes one action, inside a transaction, of what `list` lists for it, and discards what was undone before. An action that changes
 * nothing is not recorded. `samples`: ids, as JSON, whose state the answer tells besides.
 */
export function act(
  db: Database,
  { author, madeAt }: Authorship,
  list: (actionId: ActionId) => { label: string; samples: string },
): ReviewChange {
  const id = Number(
    statement(db, "INSERT INTO action (label, made_at, author) VALUES ('', ?, ?)").run(madeAt, author).lastInsertRowid,
  );
  const { label, samples } = list(id);
  let changed = noChange;
  if (changesAnything(db, id)) {
    statement(db, 'UPDATE action SET discarded = 1 WHERE undone = 1 AND discarded = 0').run();
    statement(
      db,
      `UPDATE action SET label = @label, samples = (SELECT count(*) FROM action_change WHERE action_id = @id)
        WHERE id = @id`,
    ).run({ label, id });
    changed = writeSide(db, { first: id, last: id }, 'after');
  } else {
    statement(db, 'DELETE FROM action_class WHERE action_id = ?').run(id);
    statement(db, 'DELETE FROM action WHERE id = ?').run(id);
  }
  return reviewChange(db, { ...changed, label, samples, direction: 'done' });
}

/** Lists for an action what `edit` does to these classes. */
export function listClassChanges(
  db: Database,
  actionId: ActionId,
  classIds: readonly ClassId[],
  edit: () => void,
): void {
  const state =
    "json_object('name', name, 'color', color, 'hotkey', hotkey, 'merged_into', merged_into, 'removed', removed)";
  statement(
    db,
    `INSERT INTO action_class (action_id, class_id, before_json, after_json)
     SELECT ?, id, ${state}, '' FROM class WHERE id IN (SELECT value FROM json_each(?))`,
  ).run(actionId, JSON.stringify(classIds));
  edit();
  statement(
    db,
    `UPDATE action_class SET after_json = (SELECT ${state} FROM class WHERE id = class_id) WHERE action_id = ?`,
  ).run(actionId);
}

/** Lists for an action that it makes a class of that name, which no class that people see has. Answers its id. */
export function listNewClass(db: Database, actionId: ActionId, name: string): ClassId {
  // One whose making was undone comes back, so that names do not pile up.
  const removed = firstRow<{ id: ClassId }>(
    db,
    'SELECT id FROM class WHERE name = ? AND removed = 1 ORDER BY id LIMIT 1',
    name,
  );
  const id =
    removed?.id ?? Number(statement(db, 'INSERT INTO class (name, removed) VALUES (?, 1)').run(name).lastInsertRowid);
  listClassChanges(db, actionId, [id], () => {
    statement(db, 'UPDATE class SET removed = 0 WHERE id = ?').run(id);
  });
  return id;
}

/** Takes actions back, the newest of those that stand, or makes them again, the oldest of those that do not. */
export function travel(
  db: Database,
  range: ActionRange,
  { label, direction }: { label: string; direction: 'undone' | 'redone' },
): ReviewChange {
  const undone = direction === 'undone';
  const changed = writeSide(db, range, undone ? 'before' : 'after');
  statement(db, `UPDATE action SET undone = @undone WHERE ${isIn(range)}`).run({ ...range, undone: undone ? 1 : 0 });
  return reviewChange(db, { ...changed, label, direction, samples: samplesOf(db, range) });
}

/** What undo would take back; null if there is nothing. */
export function actionToUndo(db: Database): ActionRow | null {
  return firstRow(db, 'SELECT id, label FROM action WHERE undone = 0 AND discarded = 0 ORDER BY id DESC LIMIT 1');
}

/** What redo would make again; null if there is nothing, or something else was done since. */
export function actionToRedo(db: Database): ActionRow | null {
  return firstRow(db, 'SELECT id, label FROM action WHERE undone = 1 AND discarded = 0 ORDER BY id LIMIT 1');
}

interface ActionRow {
  id: ActionId;
  label: string;
}

interface ClassState {
  name: string;
  color: string | null;
  hotkey: string | null;
  merged_into: ClassId | null;
  removed: 0 | 1;
}

/** Whether classes were changed at all, and whether any of them stands for another than before. */
interface ClassesChanged {
  classes: boolean;
  merged: boolean;
}

type Side = 'before' | 'after';

const noChange: ClassesChanged = { classes: false, merged: false };

function changesAnything(db: Database, actionId: ActionId): boolean {
  return (
    firstRow(
      db,
      `SELECT 1 FROM action_change WHERE action_id = @actionId
       UNION ALL SELECT 1 FROM action_class WHERE action_id = @actionId AND before_json <> after_json LIMIT 1`,
      { actionId },
    ) !== null
  );
}

/** Gives samples and classes the state from before or after these actions. */
function writeSide(db: Database, range: ActionRange, side: Side): ClassesChanged {
  const changed = writeClasses(db, range, side);
  writeReviews(db, range, side);
  if (changed.merged) alignDecisions(db);
  return changed;
}

/**
 * The decisive change of each sample, or class, in a range: the first when going back, the last when going forth. SQLite takes the
 * other columns from the row that has the minimum or maximum.
 */
function decisive(side: Side): string {
  return `${side === 'before' ? 'min' : 'max'}(action.id)`;
}

/** As SQL: an action of the range. What one action alone has changed is read in order of its samples, without sorting it first. */
function isIn({ first, last }: ActionRange): string {
  return `action.id ${first === last ? '= @first' : 'BETWEEN @first AND @last'} AND discarded = 0`;
}

function writeReviews(db: Database, range: ActionRange, side: Side): void {
  const changes = `
    SELECT sample_id, ${decisive(side)}, ${side}_state AS new_state, ${side}_class_id AS new_class_id,
           ${side === 'before' ? "before_decided_at AS new_at, coalesce(before_decided_by, '') AS new_by" : 'made_at AS new_at, author AS new_by'}
      FROM action CROSS JOIN action_change ON action_id = action.id
     WHERE ${isIn(range)}
     GROUP BY sample_id`;
  statement(
    db,
    `DELETE FROM review WHERE sample_id IN (SELECT sample_id FROM (${changes}) WHERE new_state = 'unreviewed')`,
  ).run(range);
  // An action of long ago may come back after the given label has changed; see alignDecisions.
  statement(
    db,
    `INSERT INTO review (sample_id, state, class_id, decided_at, decided_by)
     SELECT sample.id,
            CASE WHEN new_class_id IS NULL THEN new_state
                 WHEN ${standsFor('new_class_id')} = ${standsFor('given_class_id')} THEN 'confirmed' ELSE 'relabeled' END,
            new_class_id, new_at, new_by
       FROM (${changes}) JOIN sample ON sample.id = sample_id
      WHERE new_state <> 'unreviewed'
     ON CONFLICT (sample_id) DO UPDATE
        SET state = excluded.state, class_id = excluded.class_id, decided_at = excluded.decided_at,
            decided_by = excluded.decided_by`,
  ).run(range);
}

function writeClasses(db: Database, range: ActionRange, side: Side): ClassesChanged {
  const states = allRows<{ class_id: ClassId; state: string }>(
    db,
    `SELECT class_id, ${decisive(side)}, ${side}_json AS state
       FROM action CROSS JOIN action_class ON action_id = action.id
      WHERE ${isIn(range)}
      GROUP BY class_id`,
    range,
  ).map((row) => ({ id: row.class_id, state: JSON.parse(row.state) as ClassState }));
  if (states.length === 0) return noChange;
  // First all of them out of the way, as names and keys may go from one to another.
  const remove = statement(db, 'UPDATE class SET removed = 1 WHERE id = ?');
  for (const { id } of states) remove.run(id);
  const write = statement(
    db,
    'UPDATE class SET name = ?, color = ?, hotkey = ?, merged_into = ?, removed = ? WHERE id = ?',
  );
  for (const { id, state } of states) {
    const removed = state.removed === 1 && !isNamedElsewhere(db, id);
    const live = !removed && state.merged_into === null;
    const name = live ? freeName(db, state.name) : state.name;
    write.run(name, state.color, state.hotkey, state.merged_into, removed ? 1 : 0, id);
  }
  const merge = firstRow(
    db,
    `SELECT 1 FROM action CROSS JOIN action_class ON action_id = action.id
      WHERE ${isIn(range)}
        AND before_json ->> 'merged_into' IS NOT after_json ->> 'merged_into' LIMIT 1`,
    range,
  );
  return { classes: true, merged: merge !== null };
}

/** A class that an import or a run has come to name since it was made stays when its making is undone. */
function isNamedElsewhere(db: Database, id: ClassId): boolean {
  return (
    firstRow(
      db,
      `SELECT 1 FROM class WHERE id = @id AND source_name IS NOT NULL
       UNION ALL SELECT 1 FROM run_class WHERE class_id = @id LIMIT 1`,
      { id },
    ) !== null
  );
}

/** The name, numbered if an import has given it to another class since: going back and forth must always be possible. */
function freeName(db: Database, name: string): string {
  let free = name;
  for (let number = 2; findClassByName(db, free) !== null; number++) free = `${name} (${number})`;
  return free;
}

/** Ids of the samples that actions have changed, as JSON. */
function samplesOf(db: Database, range: ActionRange): string {
  const rows = statement<SampleId>(
    db,
    `SELECT DISTINCT sample_id FROM action CROSS JOIN action_change ON action_id = action.id
      WHERE ${isIn(range)} ORDER BY sample_id`,
  )
    .pluck()
    .all(range);
  return JSON.stringify(rows);
}

function reviewChange(
  db: Database,
  change: ClassesChanged & { label: string; direction: ReviewChange['direction']; samples: string },
): ReviewChange {
  return {
    label: change.label,
    direction: change.direction,
    samples: allRows<ReviewChange['samples'][number]>(
      db,
      `SELECT sample.id, coalesce(state, 'unreviewed') AS state,
              iif(state = 'dropped', NULL, ${standsFor('coalesce(class_id, given_class_id)')}) AS currentClassId
         FROM json_each(?) AS chosen
         CROSS JOIN sample ON sample.id = chosen.value
         LEFT JOIN review ON review.sample_id = sample.id
        ORDER BY chosen.id`,
      change.samples,
    ),
    review: countReview(db),
    undoLabel: actionToUndo(db)?.label ?? null,
    redoLabel: actionToRedo(db)?.label ?? null,
    classes: change.classes ? listClasses(db) : null,
    everything: change.merged,
  };
}
