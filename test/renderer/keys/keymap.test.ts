import { expect, test } from 'vitest';
import { commandGroups } from '../../../src-renderer/keys/commands.ts';
import { listKeyGroups } from '../../../src-renderer/keys/key-rows.ts';
import { commandInfos, conflictOf, createKeymap, giveKey, withoutKey } from '../../../src-renderer/keys/keymap.ts';

const usual = createKeymap({});

test('the usual keys mean one thing in each place, and every command can be found by its name', () => {
  const conflicts = commandInfos.flatMap(({ id }) =>
    usual.keysOf(id).flatMap((chord) => {
      const other = conflictOf(usual, id, chord);
      return other === null ? [] : [`${chord}: ${id}, ${other}`];
    }),
  );
  const names = commandInfos.map(({ group, title, context }) => `${context} ${group} ${title}`);
  expect([conflicts, names.length - new Set(names).size]).toEqual([[], 0]);
});

test('a key that was set takes the place of the usual ones, except where those are fixed', () => {
  const keymap = createKeymap({ drop: ['Q'], undo: [], 'move-left': ['J'], 'no-such-command': ['D'] });
  expect({
    drop: keymap.keysOf('drop'),
    undo: keymap.keysOf('undo'),
    left: keymap.keysOf('move-left'),
    d: keymap.commandsOf('D'),
    q: keymap.commandsOf('Q'),
    j: keymap.commandsOf('J'),
  }).toMatchObject({ drop: ['Q'], undo: [], left: ['ArrowLeft'], d: [], j: [] });
  expect(keymap.commandsOf('Q')).toContain('drop');
});

test('a conflict is what can be meant at the same time', () => {
  expect({
    sameContext: conflictOf(usual, 'drop', 'S'),
    own: conflictOf(usual, 'drop', 'D'),
    free: conflictOf(usual, 'drop', 'Ctrl+D'),
    everywhere: conflictOf(usual, 'drop', 'Ctrl+K'),
    fromEverywhere: conflictOf(usual, 'palette', 'S'),
    modeOverReview: conflictOf(usual, 'open-pair', 'C'),
    twoModes: conflictOf(usual, 'zoom-reset', 'K'),
    fixed: conflictOf(usual, 'drop', 'ArrowLeft'),
  }).toEqual({
    sameContext: 'skip',
    own: null,
    free: null,
    everywhere: 'palette',
    fromEverywhere: 'skip',
    modeOverReview: null,
    twoModes: null,
    fixed: 'move-left',
  });
});

test('a key is given, taken from another command, and taken away', () => {
  expect({
    given: giveKey(usual, { id: 'drop', chord: 'Ctrl+D', takenFrom: null }),
    taken: giveKey(usual, { id: 'drop', chord: 'S', takenFrom: 'skip' }),
    away: withoutKey(usual, 'drop', 'D'),
  }).toEqual({
    given: { drop: ['D', 'Delete', 'Ctrl+D'] },
    taken: { skip: [], drop: ['D', 'Delete', 'S'] },
    away: ['Delete'],
  });
});

test('the overview folds digits and arrows into one line each, until they are changed', () => {
  const rowsOf = (overrides: Record<string, string[]>, typed = ''): string[] =>
    listKeyGroups(createKeymap(overrides), typed).flatMap(({ rows }) => rows.map(({ title }) => title));
  const rows = rowsOf({});
  expect(rows.filter((title) => /class of the list|^Move$|Select (to|while)/.test(title))).toEqual([
    'Give a class of the list',
    'Move',
    'Select while moving',
  ]);
  expect(rowsOf({ 'class-2': ['Q'] }).filter((title) => title.includes('class of the list'))).toHaveLength(10);
  expect([rowsOf({}, 'ctrl+k'), rowsOf({}, 'undecided'), rowsOf({}, 'xyzzy')]).toEqual([
    ['Find a command'],
    ['Take the decision back to undecided'],
    [],
  ]);
  expect(listKeyGroups(usual, '').map(({ name }) => name)).toEqual(commandGroups);
});
