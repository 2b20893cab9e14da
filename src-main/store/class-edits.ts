import type { ClassEdit, ReviewChange } from '../../shared/api.ts';
import type { ActionId, ClassId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { act, listClassChanges, listNewClass, type Authorship } from './actions.ts';
import { listClasses } from './class-list.ts';
import { findClass, findClassByName } from './classes.ts';
import { allRows, firstRow, inTransaction, statement, type Database } from './database.ts';
import { countImages, listRelabels, requireSamples } from './decisions.ts';

/**
 * Changes classes as one undoable action, and discards what was undone before. An edit that changes nothing is not recorded. No row
 * of a sample is touched; what reads a class finds what it is called and stands for now (ADR 8).
 */
export function editClass(db: Database, edit: ClassEdit, by: Authorship): ReviewChange {
  return inTransaction(db, () => {
    const change = act(db, by, (actionId) => listEdit(db, actionId, edit));
    return { ...change, classes: change.classes ?? listClasses(db) };
  });
}

interface ListedEdit {
  label: string;
  /** Ids, as JSON. */
  samples: string;
}

const noSamples = '[]';

function listEdit(db: Database, actionId: ActionId, edit: ClassEdit): ListedEdit {
  switch (edit.kind) {
    case 'create':
      requireFreeName(db, edit.name, 'Choose another name.');
      listNewClass(db, actionId, edit.name);
      return { label: `Create the class ${edit.name}`, samples: noSamples };
    case 'rename':
      return rename(db, actionId, edit.classId, edit.name);
    case 'merge':
      return merge(db, actionId, edit.classIds, edit.into);
    case 'split': {
      const { samples } = requireSamples(db, edit.sampleIds);
      requireFreeName(db, edit.name, 'Relabel the images to it instead.');
      const count = listRelabels(db, actionId, samples, listNewClass(db, actionId, edit.name));
      return { label: `Split off ${countImages(count)} as ${edit.name}`, samples };
    }
    case 'color': {
      const { id, name } = requireClass(db, edit.classId);
      const color = edit.color?.toLowerCase() ?? null;
      listClassChanges(db, actionId, [id], () => {
        statement(db, 'UPDATE class SET color = ? WHERE id = ?').run(color, id);
      });
      return { label: color === null ? `Take the colour of ${name} away` : `Colour ${name}`, samples: noSamples };
    }
    case 'hotkey':
      return giveHotkey(db, actionId, edit.classId, edit.hotkey);
  }
}

function rename(db: Database, actionId: ActionId, classId: ClassId, name: string): ListedEdit {
  const { id, name: before } = requireClass(db, classId);
  if (name !== before) requireFreeName(db, name, `To make the two one class, merge ${before} into it.`);
  listClassChanges(db, actionId, [id], () => {
    statement(db, 'UPDATE class SET name = ? WHERE id = ?').run(name, id);
  });
  return { label: `Rename ${before} to ${name}`, samples: noSamples };
}

function merge(db: Database, actionId: ActionId, classIds: readonly ClassId[], into: ClassId): ListedEdit {
  const target = requireClass(db, into);
  const sources = [...new Set(classIds)].map((id) => requireClass(db, id));
  if (sources.some(({ id }) => id === target.id)) {
    throw new AppError('invalid-input', `${target.name} cannot be merged into itself. Choose other classes to merge.`);
  }
  const ids = JSON.stringify(sources.map(({ id }) => id));
  // Also those that stand for one of them already, so that an alias never leads to another alias.
  const aliases = allRows<{ id: ClassId }>(
    db,
    `SELECT id FROM class WHERE id IN (SELECT value FROM json_each(@ids)) OR merged_into IN (SELECT value FROM json_each(@ids))`,
    { ids },
  ).map(({ id }) => id);
  // The target is listed unchanged: it is kept as long as a merge into it may be made again.
  listClassChanges(db, actionId, [...aliases, target.id], () => {
    const point = statement(db, 'UPDATE class SET merged_into = ? WHERE id = ?');
    for (const id of aliases) point.run(target.id, id);
  });
  const [first] = sources;
  const subject = sources.length === 1 && first !== undefined ? first.name : `${sources.length} classes`;
  return { label: `Merge ${subject} into ${target.name}`, samples: noSamples };
}

function giveHotkey(db: Database, actionId: ActionId, classId: ClassId, hotkey: string | null): ListedEdit {
  const { id, name } = requireClass(db, classId);
  const owner =
    hotkey === null
      ? null
      : firstRow<{ id: ClassId }>(
          db,
          'SELECT id FROM class WHERE hotkey = ? AND removed = 0 AND merged_into IS NULL',
          hotkey,
        );
  listClassChanges(db, actionId, owner === null ? [id] : [owner.id, id], () => {
    const give = statement(db, 'UPDATE class SET hotkey = ? WHERE id = ?');
    if (owner !== null) give.run(null, owner.id);
    give.run(hotkey, id);
  });
  return {
    label: hotkey === null ? `Take the key of ${name} away` : `Give ${name} the key ${hotkey}`,
    samples: noSamples,
  };
}

/** A class that people see. One that was merged meanwhile is not changed in the other's place. */
function requireClass(db: Database, id: ClassId): { id: ClassId; name: string } {
  const found = findClass(db, id);
  if (found?.id === id) return found;
  throw new AppError(
    'not-found',
    found === null
      ? `The project has no class ${id}. Nothing was changed; choose one of its classes.`
      : `This class was merged into ${found.name}. Nothing was changed; choose another class.`,
  );
}

function requireFreeName(db: Database, name: string, advice: string): void {
  if (findClassByName(db, name) === null) return;
  throw new AppError('invalid-input', `There is a class ${name} already. ${advice}`);
}
