/*
 * A chord is a key with its modifiers as text: "Z", "Shift+Z", "Ctrl+K", "ArrowLeft", "?", "Space". Ctrl also stands for
 * Command on a Mac. Letters are capitals; a printed sign such as "?" stands for itself, whatever it takes to type it.
 */

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

/** The chord of a key press; null for a modifier alone and for keys of an input method. */
export function chordOf(press: KeyPress): string | null {
  const name = keyName(press);
  if (name === null) return null;
  const isLetter = /^\p{L}$/u.test(name);
  const isSign = name.length === 1 && !isLetter && !/^\d$/.test(name);
  const modifiers = [
    press.ctrlKey || press.metaKey ? 'Ctrl' : null,
    press.altKey ? 'Alt' : null,
    press.shiftKey && !isSign && !isShiftedDigit(press) ? 'Shift' : null,
  ].filter((modifier) => modifier !== null);
  return [...modifiers, name].join('+');
}

/** The parts of a chord as they stand on the keys: ["Ctrl", "Z"]. */
export function keyCaps(chord: string, isMac: boolean): string[] {
  // "+" is a key of its own, too.
  const parts = chord.endsWith('+') ? [...chord.slice(0, -2).split('+').filter(Boolean), '+'] : chord.split('+');
  return parts.map((part) => (isMac ? macCaps[part] : undefined) ?? caps[part] ?? part);
}

/** A chord in one piece of text: "Shift+Z", on a Mac "⇧Z". */
export function chordText(chord: string, forMac: boolean): string {
  return keyCaps(chord, forMac).join(forMac ? '' : '+');
}

export const isMac = typeof navigator !== 'undefined' && /Mac/.test(navigator.userAgent);

const caps: Record<string, string> = {
  ArrowLeft: '←',
  ArrowRight: '→',
  ArrowUp: '↑',
  ArrowDown: '↓',
  PageUp: 'Page Up',
  PageDown: 'Page Down',
  Escape: 'Esc',
  Delete: 'Del',
};

const macCaps: Record<string, string> = { Ctrl: '⌘', Alt: '⌥', Shift: '⇧' };

const modifierKeys = new Set([
  'Shift',
  'Control',
  'Alt',
  'AltGraph',
  'Meta',
  'CapsLock',
  'Dead',
  'Process',
  'Unidentified',
]);

/** Where the digit row types signs, as in France, Shift only makes the digit; the digit is meant either way. */
function isShiftedDigit({ key, code }: KeyPress): boolean {
  return /^Digit\d$/.test(code) && /^\d$/.test(key);
}

function keyName(press: KeyPress): string | null {
  const { key, code } = press;
  if (modifierKeys.has(key)) return null;
  // The digit row types other signs on some keyboards; the number pad types arrows without Num Lock.
  const [, place, digit] = /^(Digit|Numpad)(\d)$/.exec(code) ?? [];
  if (digit !== undefined && (/^\d$/.test(key) || (place === 'Digit' && !press.shiftKey))) return digit;
  if (key === ' ') return 'Space';
  return key.length === 1 ? key.toUpperCase() : key;
}
