import type { CommandId } from '../keys/commands.ts';
import type { Mode } from './review-state.svelte.ts';

type Hint = readonly [command: CommandId, word: string];

const decisions: readonly Hint[] = [
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
  grid: [...decisions, ...everywhere],
  focus: [...decisions, ['zoom-reset', 'zoom'], ...everywhere],
  pairs: [['open-pair', 'open'], ...decisions, ...everywhere],
  clusters: [...decisions, ...everywhere],
  map: [['open-region', 'open'], ['map-fit', 'fit'], ['map-color', 'colour'], ...everywhere],
};
