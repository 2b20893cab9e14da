import type { ClassId, ClassSummary } from '../../shared/domain.ts';
import { chordOf, type KeyPress } from '../keys/chord.ts';
import { commandInfos, type Keymap } from '../keys/keymap.ts';

/** The key of a class, as it is stored; null for a press that cannot be one, because a class's key is a single sign. */
export function hotkeyOf(press: KeyPress): string | null {
  const chord = chordOf(press);
  return chord !== null && /^\S$/u.test(chord) ? chord.toLowerCase() : null;
}

/** What the key means now, and would not mean in review any more if the class got it. */
export interface HotkeyConflict {
  otherClass: ClassSummary | null;
  /** As orders: "Drop the image from the data set". */
  commandTitles: string[];
}

export function conflictOfHotkey(
  hotkey: string,
  classId: ClassId,
  classes: readonly ClassSummary[],
  keymap: Keymap,
): HotkeyConflict {
  const meant = keymap.commandsOf(hotkey.toUpperCase());
  return {
    otherClass: classes.find((item) => item.hotkey === hotkey && item.id !== classId) ?? null,
    // The keys of classes work in review alone.
    commandTitles: commandInfos
      .filter(({ id, context }) => context !== 'classes' && meant.includes(id))
      .map(({ title }) => title),
  };
}
