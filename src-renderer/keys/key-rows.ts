import {
  commandGroups,
  extendCommands,
  likelyClassCommands,
  moveCommands,
  type CommandId,
  type CommandInfo,
} from './commands.ts';
import { commandInfos, type Keymap } from './keymap.ts';

/** A line of the overview of keys. */
export interface KeyRow {
  title: string;
  /** Each a chord, or several that are explained together with the signs between them. */
  keys: readonly (readonly string[])[];
}

export interface KeyGroup {
  name: CommandInfo['group'];
  rows: KeyRow[];
}

/** Every command that has keys; the digits and the arrows are each one line, as long as they are the usual ones. */
export function listKeyGroups(keymap: Keymap, typed: string): KeyGroup[] {
  const wanted = typed.trim().toLowerCase();
  return commandGroups.flatMap((name) => {
    const rows = rowsOf(name, keymap).filter(
      ({ title, keys }) =>
        title.toLowerCase().includes(wanted) ||
        name.toLowerCase().includes(wanted) ||
        keys.flat().some((chord) => chord.toLowerCase() === wanted),
    );
    return rows.length === 0 ? [] : [{ name, rows }];
  });
}

function rowsOf(group: CommandInfo['group'], keymap: Keymap): KeyRow[] {
  const rows: KeyRow[] = [];
  const folded = new Set<CommandId>();
  for (const info of commandInfos) {
    if (info.group !== group || folded.has(info.id)) continue;
    const fold = folds.find(({ ids }) => ids[0] === info.id);
    if (fold?.applies(keymap) === true) {
      for (const id of fold.ids) folded.add(id);
      rows.push(...fold.rows);
      continue;
    }
    const keys = keymap.keysOf(info.id);
    if (keys.length > 0) rows.push({ title: info.title, keys: keys.map((chord) => [chord]) });
  }
  return rows;
}

const arrows = ['ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown'];
const panCommands = ['pan-left', 'pan-right', 'pan-up', 'pan-down'] as const;
const folds: readonly { ids: readonly CommandId[]; applies: (keymap: Keymap) => boolean; rows: KeyRow[] }[] = [
  {
    ids: likelyClassCommands,
    applies: (keymap) =>
      likelyClassCommands.every((id, index) => keymap.keysOf(id).join() === String((index + 1) % 10)),
    rows: [{ title: 'Give a class of the list', keys: [['1', '…', '0']] }],
  },
  {
    ids: Object.keys(moveCommands) as CommandId[],
    applies: () => true,
    rows: [
      { title: 'Move', keys: [arrows] },
      { title: 'First, last', keys: [['Home', 'End']] },
      { title: 'A page up, down', keys: [['PageUp', 'PageDown']] },
    ],
  },
  {
    ids: Object.keys(extendCommands) as CommandId[],
    applies: () => true,
    rows: [{ title: 'Select while moving', keys: [['Shift', '+', ...arrows]] }],
  },
  {
    ids: panCommands,
    applies: (keymap) => panCommands.every((id, index) => keymap.keysOf(id).join() === `Alt+${arrows[index]}`),
    rows: [{ title: 'Move the image', keys: [['Alt', '+', ...arrows]] }],
  },
];
