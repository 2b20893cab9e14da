import { expect, test } from 'vitest';
import type { ClassStatistics, ClassSummary } from '../../../shared/domain.ts';
import { arrangeClassRows, listClassRows } from '../../../src-renderer/classes/class-rows.ts';
import { conflictOfHotkey, hotkeyOf } from '../../../src-renderer/classes/hotkeys.ts';
import type { KeyPress } from '../../../src-renderer/keys/chord.ts';
import { createKeymap } from '../../../src-renderer/keys/keymap.ts';
import { classPalette } from '../../../src-renderer/ui/class-colors.ts';

function classOf(id: number, name: string, changes: Partial<ClassSummary> = {}): ClassSummary {
  return { id, name, count: 10 * id, currentCount: 10 * id, color: null, hotkey: null, exampleIds: [], ...changes };
}

function press(key: string, changes: Partial<KeyPress> = {}): KeyPress {
  return { key, code: '', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...changes };
}

const classes = [
  classOf(1, 'class 10', { color: '#123456' }),
  classOf(2, 'class 9'),
  classOf(3, 'dog', { hotkey: 'g' }),
];
const statistics: ClassStatistics[] = [
  { classId: 1, given: 7, current: 5, decided: 2, foundWrong: 2, expectedWrong: 3 },
  { classId: 3, given: 30, current: 32, decided: 0, foundWrong: 0, expectedWrong: 8 },
];

test('rows take the newest numbers, and say nothing of wrong labels before a training', () => {
  expect(listClassRows(classes, statistics, true)).toEqual([
    { item: classes[0], color: '#123456', given: 7, current: 5, expectedWrong: 3 },
    { item: classes[1], color: classPalette[1], given: 20, current: 20, expectedWrong: null },
    { item: classes[2], color: classPalette[2], given: 30, current: 32, expectedWrong: 8 },
  ]);
  expect(listClassRows(classes, statistics, false).map((row) => row.expectedWrong)).toEqual([null, null, null]);
});

test('rows are found by name, and come by name, size or expected wrong labels', () => {
  const rows = listClassRows(classes, statistics, true);
  const namesOf = (typed: string, sort: 'name' | 'size' | 'wrong'): string[] =>
    arrangeClassRows(rows, typed, sort).map((row) => row.item.name);
  expect(namesOf('', 'name')).toEqual(['class 9', 'class 10', 'dog']);
  expect(namesOf('', 'size')).toEqual(['dog', 'class 9', 'class 10']);
  expect(namesOf('', 'wrong')).toEqual(['dog', 'class 10', 'class 9']);
  expect(namesOf(' CLASS', 'size')).toEqual(['class 9', 'class 10']);
  expect(namesOf('bird', 'name')).toEqual([]);
});

test('the key of a class is one sign without modifiers', () => {
  expect(hotkeyOf(press('b'))).toBe('b');
  expect(hotkeyOf(press('ö'))).toBe('ö');
  expect(hotkeyOf(press('?', { shiftKey: true }))).toBe('?');
  expect(hotkeyOf(press('5', { code: 'Numpad5' }))).toBe('5');
  for (const refused of [
    press(' '),
    press('Enter'),
    press('F2'),
    press('Shift', { shiftKey: true }),
    press('B', { shiftKey: true }),
    press('b', { ctrlKey: true }),
    press('b', { altKey: true }),
  ]) {
    expect(hotkeyOf(refused), refused.key).toBeNull();
  }
});

test('a key tells what it would replace: another class, and commands that review has', () => {
  const keymap = createKeymap({ drop: ['J'] });
  expect(conflictOfHotkey('g', 1, classes, keymap)).toEqual({ otherClass: classes[2], commandTitles: ['Grid'] });
  expect(conflictOfHotkey('g', 3, classes, keymap).otherClass).toBeNull();
  expect(conflictOfHotkey('j', 1, classes, keymap).commandTitles).toEqual(['Drop the image from the data set']);
  // Its usual key is free once another one is set.
  expect(conflictOfHotkey('d', 1, classes, keymap)).toEqual({ otherClass: null, commandTitles: [] });
  // The keys of the screen of classes are no keys of review.
  expect(conflictOfHotkey('n', 1, classes, keymap).commandTitles).toEqual([]);
});
