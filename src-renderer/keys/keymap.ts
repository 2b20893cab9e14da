import { commands, type CommandContext, type CommandId, type CommandInfo } from './commands.ts';

/** Keys that a person has set, by command; a command that is missing keeps its usual ones. */
export type KeyOverrides = Readonly<Record<string, readonly string[]>>;

export interface Keymap {
  keysOf(id: CommandId): readonly string[];
  /** What a chord means in each context; inner contexts come before outer ones where both are there. */
  commandsOf(chord: string): readonly CommandId[];
}

/** The commands with the fields that not all of them have. */
export const commandInfos: readonly (CommandInfo & { id: CommandId })[] = commands;

export function createKeymap(overrides: KeyOverrides): Keymap {
  const keys = new Map<CommandId, readonly string[]>();
  const byChord = new Map<string, CommandId[]>();
  for (const { id, keys: usual, fixed } of commandInfos) {
    const own = fixed === true ? usual : (overrides[id] ?? usual);
    keys.set(id, own);
    for (const chord of own) byChord.set(chord, [...(byChord.get(chord) ?? []), id]);
  }
  return {
    keysOf: (id) => keys.get(id) ?? [],
    commandsOf: (chord) => byChord.get(chord) ?? [],
  };
}

/**
 * The command that has this chord already where only one of the two could be meant. A mode of review may give a key of
 * review its own meaning, but nothing may stand in the way of what works everywhere.
 */
export function conflictOf(keymap: Keymap, id: CommandId, chord: string): CommandId | null {
  const context = infoOf(id).context;
  const meetsContext = (other: CommandContext): boolean =>
    other === context || other === 'window' || context === 'window';
  return keymap.commandsOf(chord).find((other) => other !== id && meetsContext(infoOf(other).context)) ?? null;
}

/** The changes that give a chord to a command, and take it from another one that had it. */
export function giveKey(
  keymap: Keymap,
  { id, chord, takenFrom }: { id: CommandId; chord: string; takenFrom: CommandId | null },
): Partial<Record<CommandId, readonly string[]>> {
  const own = { [id]: [...keymap.keysOf(id), chord] };
  return takenFrom === null ? own : { [takenFrom]: withoutKey(keymap, takenFrom, chord), ...own };
}

export function withoutKey(keymap: Keymap, id: CommandId, chord: string): readonly string[] {
  return keymap.keysOf(id).filter((other) => other !== chord);
}

export function infoOf(id: CommandId): CommandInfo & { id: CommandId } {
  return commandInfos.find((info) => info.id === id)!;
}
