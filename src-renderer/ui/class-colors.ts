import type { ClassSummary } from '../../shared/domain.ts';

/**
 * Colours for classes. Each was chosen to be as far as possible, in OKLab, from all before it, so that few classes get very
 * different ones; their luminance lies between 0.13 and 0.32, so that all can be seen on the light and on the dark ground.
 */
export const classPalette = [
  '#317dca',
  '#f86111',
  '#49ac0d',
  '#b52a8e',
  '#7f652e',
  '#be76ff',
  '#ad8f9a',
  '#f75ea7',
  '#2c9a88',
  '#c13425',
  '#8347cf',
  '#057918',
  '#a8912c',
  '#716085',
  '#16716f',
  '#8491e2',
  '#af66b5',
  '#c4666a',
  '#786ef9',
  '#4057da',
  '#69872f',
  '#24a0cc',
  '#bb6802',
  '#6f8298',
] as const;

/** The colour of a class, `#rrggbb`: the one a person has chosen, else the one of its place in the list of classes, from 0. */
export function classColor(item: Pick<ClassSummary, 'color'>, index: number): string {
  return item.color ?? colorOfPlace(index);
}

/** What the colours of the palette are mixed with, each time it begins anew. */
const rounds = [null, 255, 0];
const mixedShare = 0.3;

function colorOfPlace(index: number): string {
  const base = classPalette[index % classPalette.length]!;
  const ground = rounds[Math.floor(index / classPalette.length) % rounds.length] ?? null;
  if (ground === null) return base;
  const channels = [1, 3, 5].map((start) => Number.parseInt(base.slice(start, start + 2), 16));
  const mixed = channels.map((channel) => Math.round(channel + (ground - channel) * mixedShare));
  return `#${mixed.map((channel) => channel.toString(16).padStart(2, '0')).join('')}`;
}
