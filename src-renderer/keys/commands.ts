/* Everything that can be done with a key, from the command palette, or both. */

export type CommandContext =
  /** Wherever one is. */
  | 'window'
  /** In review, whatever the mode. */
  | 'review'
  /** In one mode of review; there it comes before what the same key means elsewhere. */
  | 'focus'
  | 'pairs'
  | 'clusters'
  | 'map'
  /** On the screen of the classes. */
  | 'classes'
  /** On the screen of the training. */
  | 'training';

export const commandGroups = [
  'Decide',
  'Go back',
  'Move and select',
  'View',
  'One image',
  'Map',
  'Classes',
  'Training',
  'Window',
] as const;

export interface CommandInfo {
  id: string;
  /** What it does, as an order. */
  title: string;
  group: (typeof commandGroups)[number];
  context: CommandContext;
  /** Usual keys; see `chord.ts` for how they are written. */
  keys: readonly string[];
  /** Keys that would confuse if they meant something else, such as the arrows: they cannot be set. */
  fixed?: true;
  /** Left out of the palette, because it means something only at the picture under the cursor. */
  keysOnly?: true;
}

export type CommandId = (typeof commands)[number]['id'];

/** The command of each place in the list of likely classes, first to tenth. */
export const likelyClassCommands = [
  'class-1',
  'class-2',
  'class-3',
  'class-4',
  'class-5',
  'class-6',
  'class-7',
  'class-8',
  'class-9',
  'class-10',
] as const;

export const moveCommands = {
  'move-left': 'left',
  'move-right': 'right',
  'move-up': 'up',
  'move-down': 'down',
  'move-first': 'first',
  'move-last': 'last',
  'page-up': 'page-up',
  'page-down': 'page-down',
} as const;

export const extendCommands = {
  'extend-left': 'left',
  'extend-right': 'right',
  'extend-up': 'up',
  'extend-down': 'down',
  'extend-first': 'first',
  'extend-last': 'last',
  'extend-page-up': 'page-up',
  'extend-page-down': 'page-down',
} as const;

const decide = { group: 'Decide', context: 'review' } as const;
const classKey = { ...decide, keysOnly: true } as const;
const move = { group: 'Move and select', context: 'review', fixed: true, keysOnly: true } as const;
const select = { group: 'Move and select', context: 'review' } as const;
const view = { group: 'View', context: 'review' } as const;
const classes = { group: 'Classes', context: 'classes' } as const;
const training = { group: 'Training', context: 'training' } as const;
const go = { group: 'Window', context: 'window', keys: [] } as const;

export const commands = [
  { id: 'accept', title: 'Accept the suggested label', ...decide, keys: ['Enter', 'A'] },
  { id: 'confirm', title: 'Keep the given label', ...decide, keys: ['C', 'Space'] },
  { id: 'class-1', title: 'Give the 1st class of the list', ...classKey, keys: ['1'] },
  { id: 'class-2', title: 'Give the 2nd class of the list', ...classKey, keys: ['2'] },
  { id: 'class-3', title: 'Give the 3rd class of the list', ...classKey, keys: ['3'] },
  { id: 'class-4', title: 'Give the 4th class of the list', ...classKey, keys: ['4'] },
  { id: 'class-5', title: 'Give the 5th class of the list', ...classKey, keys: ['5'] },
  { id: 'class-6', title: 'Give the 6th class of the list', ...classKey, keys: ['6'] },
  { id: 'class-7', title: 'Give the 7th class of the list', ...classKey, keys: ['7'] },
  { id: 'class-8', title: 'Give the 8th class of the list', ...classKey, keys: ['8'] },
  { id: 'class-9', title: 'Give the 9th class of the list', ...classKey, keys: ['9'] },
  { id: 'class-10', title: 'Give the 10th class of the list', ...classKey, keys: ['0'] },
  { id: 'find-class', title: 'Find a class by typing, or make a new one', ...decide, keys: ['T'] },
  { id: 'drop', title: 'Drop the image from the data set', ...decide, keys: ['D', 'Delete'] },
  { id: 'skip', title: 'Skip it, to look at later', ...decide, keys: ['S'] },
  { id: 'reopen', title: 'Take the decision back to undecided', ...decide, keys: ['U'] },
  { id: 'give-this-label', title: 'Give all the label of this one', group: 'Decide', context: 'clusters', keys: ['B'] },
  { id: 'keep-only-this', title: 'Keep this one, drop the others', group: 'Decide', context: 'clusters', keys: ['O'] },

  { id: 'undo', title: 'Undo', group: 'Go back', context: 'review', keys: ['Z', 'Ctrl+Z'] },
  { id: 'redo', title: 'Redo', group: 'Go back', context: 'review', keys: ['Shift+Z', 'Ctrl+Shift+Z', 'Ctrl+Y'] },
  { id: 'toggle-history', title: 'Show or hide the history', group: 'Go back', context: 'review', keys: ['H'] },
  { id: 'back', title: 'One step back: close, unselect, leave', ...move, group: 'Go back', keys: ['Escape'] },

  { id: 'move-left', title: 'Previous', ...move, keys: ['ArrowLeft'] },
  { id: 'move-right', title: 'Next', ...move, keys: ['ArrowRight'] },
  { id: 'move-up', title: 'Row above', ...move, keys: ['ArrowUp'] },
  { id: 'move-down', title: 'Row below', ...move, keys: ['ArrowDown'] },
  { id: 'move-first', title: 'First', ...move, keys: ['Home'] },
  { id: 'move-last', title: 'Last', ...move, keys: ['End'] },
  { id: 'page-up', title: 'Page up', ...move, keys: ['PageUp'] },
  { id: 'page-down', title: 'Page down', ...move, keys: ['PageDown'] },
  { id: 'extend-left', title: 'Select to the left', ...move, keys: ['Shift+ArrowLeft'] },
  { id: 'extend-right', title: 'Select to the right', ...move, keys: ['Shift+ArrowRight'] },
  { id: 'extend-up', title: 'Select upwards', ...move, keys: ['Shift+ArrowUp'] },
  { id: 'extend-down', title: 'Select downwards', ...move, keys: ['Shift+ArrowDown'] },
  { id: 'extend-first', title: 'Select to the first', ...move, keys: ['Shift+Home'] },
  { id: 'extend-last', title: 'Select to the last', ...move, keys: ['Shift+End'] },
  { id: 'extend-page-up', title: 'Select a page up', ...move, keys: ['Shift+PageUp'] },
  { id: 'extend-page-down', title: 'Select a page down', ...move, keys: ['Shift+PageDown'] },
  { id: 'toggle-selected', title: 'Select this one, or not', ...select, keys: ['V', 'Ctrl+Space'] },
  { id: 'select-all', title: 'Select everything in the queue', ...select, keys: ['Ctrl+A'] },

  { id: 'mode-grid', title: 'Grid', ...view, keys: ['G'] },
  { id: 'mode-focus', title: 'One image', ...view, keys: ['E'] },
  { id: 'mode-pairs', title: 'Confused pairs', ...view, keys: ['P'] },
  { id: 'mode-clusters', title: 'Clusters of look-alikes', ...view, keys: ['L'] },
  { id: 'mode-map', title: 'Map of the data set', ...view, keys: ['M'] },
  { id: 'search', title: 'Search', ...view, keys: ['/'] },
  { id: 'toggle-filters', title: 'Show or hide the filters', ...view, keys: ['F'] },
  { id: 'clear-filters', title: 'Clear the filters', ...view, keys: [] },
  { id: 'toggle-examples', title: 'Show or hide examples of the classes', ...view, keys: ['W'] },
  { id: 'zoom-in', title: 'Larger', ...view, keys: ['+', '='] },
  { id: 'zoom-out', title: 'Smaller', ...view, keys: ['-'] },
  { id: 'sort-doubt', title: 'Sort: most doubted first', ...view, keys: [] },
  { id: 'sort-confidence', title: 'Sort: most confident first', ...view, keys: [] },
  { id: 'sort-path', title: 'Sort: by file path', ...view, keys: [] },
  { id: 'sort-decided', title: 'Sort: last decided first', ...view, keys: [] },

  { id: 'zoom-reset', title: 'Whole image, or its own pixels', group: 'One image', context: 'focus', keys: ['X'] },
  { id: 'pan-left', title: 'Move the image right', group: 'One image', context: 'focus', keys: ['Alt+ArrowLeft'] },
  { id: 'pan-right', title: 'Move the image left', group: 'One image', context: 'focus', keys: ['Alt+ArrowRight'] },
  { id: 'pan-up', title: 'Move the image down', group: 'One image', context: 'focus', keys: ['Alt+ArrowUp'] },
  { id: 'pan-down', title: 'Move the image up', group: 'One image', context: 'focus', keys: ['Alt+ArrowDown'] },

  { id: 'open-pair', title: 'Open the images of the pair', group: 'View', context: 'pairs', keys: ['Enter'] },
  { id: 'open-member', title: 'Show this image large', group: 'View', context: 'clusters', keys: ['Enter'] },
  { id: 'open-region', title: 'Open what is in sight as a queue', group: 'Map', context: 'map', keys: ['Enter'] },
  { id: 'map-fit', title: 'Show the whole map', group: 'Map', context: 'map', keys: ['X'] },
  { id: 'map-lasso', title: 'Draw around images, or move the map', group: 'Map', context: 'map', keys: ['Q'] },
  { id: 'map-color', title: 'Colour by the next property', group: 'Map', context: 'map', keys: ['K'] },

  { id: 'class-rename', title: 'Rename the class', ...classes, keys: ['Enter', 'F2'] },
  { id: 'class-toggle', title: 'Select the class, or not', ...classes, keys: ['Space'] },
  { id: 'class-merge', title: 'Merge the selected classes into one…', ...classes, keys: ['M'] },
  { id: 'class-split', title: 'Split off a new class…', ...classes, keys: ['S'] },
  { id: 'class-create', title: 'Make a new class…', ...classes, keys: ['N'] },
  { id: 'class-color', title: 'Choose the colour of the class…', ...classes, keys: ['C'] },
  { id: 'class-hotkey', title: 'Choose the key of the class…', ...classes, keys: ['K'] },
  { id: 'class-open', title: 'Review the images of the class', ...classes, keys: ['O'] },

  { id: 'training-pause', title: 'Pause the training, or resume it', ...training, keys: ['P'] },
  { id: 'training-stop', title: 'Stop the training and keep what it learned', ...training, keys: [] },

  { id: 'palette', title: 'Find a command', group: 'Window', context: 'window', keys: ['Ctrl+K'] },
  { id: 'help', title: 'All keys', group: 'Window', context: 'window', keys: ['?'] },
  { id: 'set-keys', title: 'Change the keys', ...go },
  { id: 'set-reviewer', title: 'Change the name of the reviewer', ...go },
  { id: 'next-theme', title: 'Light, dark, or as the system', ...go },
  { id: 'go-home', title: 'Go to the start', ...go },
  { id: 'go-images', title: 'Go to the images', ...go },
  { id: 'go-training', title: 'Go to training', ...go },
  { id: 'go-overview', title: 'Go to the overview', ...go },
  { id: 'go-review', title: 'Go to review', ...go },
  { id: 'go-triage', title: 'Accept the sure ones unseen…', ...go },
  { id: 'go-classes', title: 'Go to the classes', ...go },
  { id: 'go-export', title: 'Go to export', ...go },
] as const satisfies readonly CommandInfo[];
