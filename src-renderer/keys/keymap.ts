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

/** The command that already has this chord in the same context as another, where only one of them could be meant. */
export function conflictOf(keymap: Keymap, id: CommandId, chord: string): CommandId | null {
  const context = contextOf(id);
  return keymap.commandsOf(chord).find((other) => other !== id && contextOf(other) === context) ?? null;
}

function contextOf(id: CommandId): CommandContext {
  return commands.find((command) => command.id === id)!.context;
}
