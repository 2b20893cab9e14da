import { expect, test } from 'vitest';
import { chordOf, chordText, keyCaps, type KeyPress } from '../../../src-renderer/keys/chord.ts';

const plain: KeyPress = { key: '', code: '', shiftKey: false, ctrlKey: false, metaKey: false, altKey: false };

test.each<[string, Partial<KeyPress>, string | null]>([
  ['a letter', { key: 'a', code: 'KeyA' }, 'A'],
  ['a letter with Caps Lock', { key: 'A', code: 'KeyA' }, 'A'],
  ['Shift and a letter', { key: 'Z', code: 'KeyZ', shiftKey: true }, 'Shift+Z'],
  ['Shift and a letter with Caps Lock', { key: 'z', code: 'KeyZ', shiftKey: true }, 'Shift+Z'],
  ['a letter where AZERTY has it', { key: 'a', code: 'KeyQ' }, 'A'],
  ['Ctrl', { key: 'k', code: 'KeyK', ctrlKey: true }, 'Ctrl+K'],
  ['Command on a Mac', { key: 'z', code: 'KeyZ', metaKey: true, shiftKey: true }, 'Ctrl+Shift+Z'],
  ['Alt and an arrow', { key: 'ArrowLeft', code: 'ArrowLeft', altKey: true }, 'Alt+ArrowLeft'],
  ['a digit', { key: '1', code: 'Digit1' }, '1'],
  ['a digit key on AZERTY', { key: '&', code: 'Digit1' }, '1'],
  ['the digit itself on AZERTY, with Shift', { key: '1', code: 'Digit1', shiftKey: true }, '1'],
  ['the dash on AZERTY, which is the key of 6', { key: '-', code: 'Digit6' }, '6'],
  ['the sign above a digit', { key: '!', code: 'Digit1', shiftKey: true }, '!'],
  ['a digit of the number pad', { key: '7', code: 'Numpad7' }, '7'],
  ['the number pad without Num Lock', { key: 'Home', code: 'Numpad7' }, 'Home'],
  ['plus', { key: '+', code: 'Equal', shiftKey: true }, '+'],
  ['plus of the number pad', { key: '+', code: 'NumpadAdd' }, '+'],
  ['plus on a German keyboard', { key: '+', code: 'BracketRight' }, '+'],
  ['Ctrl and plus', { key: '+', code: 'Equal', shiftKey: true, ctrlKey: true }, 'Ctrl++'],
  ['a question mark', { key: '?', code: 'Slash', shiftKey: true }, '?'],
  ['a slash that takes Shift', { key: '/', code: 'Digit7', shiftKey: true }, '/'],
  ['the space bar', { key: ' ', code: 'Space' }, 'Space'],
  ['Shift and the space bar', { key: ' ', code: 'Space', shiftKey: true }, 'Shift+Space'],
  ['a letter beyond ASCII', { key: 'ö', code: 'Semicolon' }, 'Ö'],
  ['Shift alone', { key: 'Shift', code: 'ShiftLeft', shiftKey: true }, null],
  ['a dead key', { key: 'Dead', code: 'BracketLeft' }, null],
  ['an input method at work', { key: 'Process', code: 'KeyA' }, null],
])('%s', (_name, press, chord) => {
  expect(chordOf({ ...plain, ...press })).toBe(chord);
});

test('a chord as it stands on the keys', () => {
  expect(['Shift+Z', 'Ctrl+ArrowLeft', '+', 'Ctrl++', 'Space'].map((chord) => keyCaps(chord, false))).toEqual([
    ['Shift', 'Z'],
    ['Ctrl', '←'],
    ['+'],
    ['Ctrl', '+'],
    ['Space'],
  ]);
  expect(keyCaps('Ctrl+Shift+Z', true)).toEqual(['⌘', '⇧', 'Z']);
  expect([chordText('Shift+Z', false), chordText('Shift+Z', true)]).toEqual(['Shift+Z', '⇧Z']);
});
