import type { Direction } from './grid-layout.ts';

/** What a key means in review. */
export type Command =
  | { kind: 'accept' }
  | { kind: 'confirm' }
  | { kind: 'drop' }
  | { kind: 'skip' }
  | { kind: 'reopen' }
  /** The class at this place (from 0) of the list of likeliest classes. */
  | { kind: 'choose'; index: number }
  | { kind: 'type-ahead' }
  | { kind: 'undo' }
  | { kind: 'redo' }
  | { kind: 'move'; direction: Direction; extend: boolean }
  | { kind: 'select-all' }
  | { kind: 'toggle-view' }
  | { kind: 'escape' }
  | { kind: 'toggle-filters' }
  | { kind: 'help' };

/** The parts of a keyboard event that matter. */
export interface KeyPress {
  key: string;
  /** Physical key, so that digits work on keyboards where they need Shift. */
  code: string;
  shiftKey: boolean;
  ctrlKey: boolean;
  metaKey: boolean;
  altKey: boolean;
}

export interface KeyHelp {
  keys: string[];
  /** True where the keys are pressed together, false where each does the same. */
  together?: boolean;
  what: string;
}

export const keyHelp: { title: string; rows: KeyHelp[] }[] = [
  {
    title: 'Decide',
    rows: [
      { keys: ['Enter', 'A'], what: 'Accept the suggested label' },
      { keys: ['C', 'Space'], what: 'Keep the given label' },
      { keys: ['1', '…', '9', '0'], what: 'Give the class at this place of the list' },
      { keys: ['T', '/'], what: 'Find a class by typing, or make a new one' },
      { keys: ['D', 'Delete'], what: 'Drop the image from the data set' },
      { keys: ['S'], what: 'Skip it, to look at later' },
      { keys: ['U'], what: 'Take the decision back to undecided' },
    ],
  },
  {
    title: 'Go back',
    rows: [
      { keys: ['Z', 'Ctrl Z'], what: 'Undo, as far back as you like' },
      { keys: ['Shift Z', 'Ctrl Y'], what: 'Redo' },
    ],
  },
  {
    title: 'Move and select',
    rows: [
      { keys: ['←', '→', '↑', '↓'], what: 'Next and previous image' },
      { keys: ['Home', 'End', 'Page Up', 'Page Down'], what: 'Further' },
      { keys: ['Shift ←', 'Shift click'], what: 'Select a range; a decision then applies to all of it' },
      { keys: ['Ctrl click'], what: 'Add one image to the selection, or take it out' },
      { keys: ['Ctrl A'], what: 'Select everything in the queue' },
    ],
  },
  {
    title: 'View',
    rows: [
      { keys: ['G', 'Esc'], what: 'Grid, or one image at a time' },
      { keys: ['F'], what: 'Filters' },
      { keys: ['?'], what: 'This list' },
    ],
  },
];

/** The command of a key press, or null if the key means nothing here. */
export function commandFor(press: KeyPress): Command | null {
  const key = press.key.length === 1 ? press.key.toLowerCase() : press.key;
  if (press.altKey) return null;
  if (press.ctrlKey || press.metaKey) {
    if (key === 'z') return { kind: press.shiftKey ? 'redo' : 'undo' };
    if (key === 'y') return { kind: 'redo' };
    if (key === 'a') return { kind: 'select-all' };
    return null;
  }
  const direction = directions[key];
  if (direction !== undefined) return { kind: 'move', direction, extend: press.shiftKey };
  const digit = /^(?:Digit|Numpad)(\d)$/.exec(press.code)?.[1];
  if (digit !== undefined && /^\d$/.test(key)) return { kind: 'choose', index: (Number(digit) + 9) % 10 };
  if (key === 'z') return { kind: press.shiftKey ? 'redo' : 'undo' };
  // "?" needs Shift on many keyboards and "/" on some.
  if (key === '?') return { kind: 'help' };
  if (key === '/') return { kind: 'type-ahead' };
  if (press.shiftKey) return null;
  return plainKeys[key] ?? null;
}

const directions: Record<string, Direction> = {
  ArrowLeft: 'left',
  ArrowRight: 'right',
  ArrowUp: 'up',
  ArrowDown: 'down',
  Home: 'first',
  End: 'last',
  PageUp: 'page-up',
  PageDown: 'page-down',
};

const plainKeys: Record<string, Command> = {
  Enter: { kind: 'accept' },
  a: { kind: 'accept' },
  c: { kind: 'confirm' },
  ' ': { kind: 'confirm' },
  t: { kind: 'type-ahead' },
  d: { kind: 'drop' },
  Delete: { kind: 'drop' },
  s: { kind: 'skip' },
  u: { kind: 'reopen' },
  g: { kind: 'toggle-view' },
  Escape: { kind: 'escape' },
  f: { kind: 'toggle-filters' },
};
