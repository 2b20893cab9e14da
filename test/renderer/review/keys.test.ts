import { expect, test } from 'vitest';
import { commandFor, type KeyPress } from '../../../src-renderer/review/keys.ts';

function press(key: string, modifiers: Partial<KeyPress> = {}): KeyPress {
  const code = /^\d$/.test(key) ? `Digit${key}` : key;
  return { key, code, shiftKey: false, ctrlKey: false, metaKey: false, altKey: false, ...modifiers };
}

test('one key for each decision', () => {
  const kinds = ['Enter', 'a', 'c', ' ', 'd', 'Delete', 's', 'u', 't', '/', 'g', 'Escape', 'f', '?'].map(
    (key) => commandFor(press(key))?.kind,
  );
  expect(kinds).toEqual([
    'accept',
    'accept',
    'confirm',
    'confirm',
    'drop',
    'drop',
    'skip',
    'reopen',
    'type-ahead',
    'type-ahead',
    'toggle-view',
    'escape',
    'toggle-filters',
    'help',
  ]);
});

test('digits name places of the list, 0 the tenth, on the number pad too', () => {
  expect(commandFor(press('1'))).toEqual({ kind: 'choose', index: 0 });
  expect(commandFor(press('9'))).toEqual({ kind: 'choose', index: 8 });
  expect(commandFor(press('0'))).toEqual({ kind: 'choose', index: 9 });
  expect(commandFor(press('3', { code: 'Numpad3' }))).toEqual({ kind: 'choose', index: 2 });
});

test('undo and redo as on every system', () => {
  const undo = { kind: 'undo' };
  const redo = { kind: 'redo' };
  expect(commandFor(press('z'))).toEqual(undo);
  expect(commandFor(press('z', { ctrlKey: true }))).toEqual(undo);
  expect(commandFor(press('z', { metaKey: true }))).toEqual(undo);
  expect(commandFor(press('Z', { shiftKey: true }))).toEqual(redo);
  expect(commandFor(press('Z', { shiftKey: true, ctrlKey: true }))).toEqual(redo);
  expect(commandFor(press('y', { ctrlKey: true }))).toEqual(redo);
});

test('shift with an arrow extends, Caps Lock changes nothing', () => {
  expect(commandFor(press('ArrowDown', { shiftKey: true }))).toEqual({ kind: 'move', direction: 'down', extend: true });
  expect(commandFor(press('D'))).toEqual({ kind: 'drop' });
});

test('combinations that belong to the system are left alone', () => {
  expect(commandFor(press('c', { ctrlKey: true }))).toBeNull();
  expect(commandFor(press('d', { altKey: true }))).toBeNull();
  expect(commandFor(press('S', { shiftKey: true }))).toBeNull();
  expect(commandFor(press('x'))).toBeNull();
});
