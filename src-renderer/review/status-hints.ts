import type { CommandId } from '../keys/commands.ts';
import type { Mode } from './review-state.svelte.ts';

type Hint = readonly [command: CommandId, word: string];

/** Left out while there is nothing to decide about. */
export const decisionHints: readonly Hint[] = [
  ['accept', 'accept'],
  ['confirm', 'keep'],
  ['class-1', 'class'],
  ['find-class', 'type'],
  ['drop', 'drop'],
  ['skip', 'skip'],
];
const everywhere: readonly Hint[] = [
  ['help', 'keys'],
  ['search', 'search'],
];

/** What to be reminded of in each mode, most important first, each in one word. */
export const statusHints: Record<Mode, readonly Hint[]> = {
  grid: [...decisionHints, ...everywhere],
  focus: [...decisionHints, ['zoom-reset', 'zoom'], ...everywhere],
  pairs: [['open-pair', 'open'], ...decisionHints, ...everywhere],
  clusters: [['open-member', 'open'], ...decisionHints, ['give-this-label', 'alike'], ...everywhere],
  map: [['open-region', 'open'], ['map-fit', 'fit'], ['map-color', 'colour'], ...everywhere],
};
