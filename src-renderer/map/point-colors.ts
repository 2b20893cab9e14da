import type { EmbeddingMap } from '../../shared/domain.ts';

export const colorings = ['given', 'suggested', 'doubt', 'weight', 'state'] as const;
export type ColorBy = (typeof colorings)[number];

export type Rgb = readonly [number, number, number];

export interface PointPalette {
  /** By index of `EmbeddingMap.classIds`. */
  classes: readonly Rgb[];
  /** By index of `reviewStates`. */
  states: readonly Rgb[];
  /** For the values 0 and 1 of weight and doubt. */
  ramp: readonly [Rgb, Rgb];
  /** Where there is no finding. */
  none: Rgb;
}

/** Opacity of points of the queue, and of those that are outside it. */
const inside = 235;
const outside = 40;

/**
 * Colours of all points, RGBA. `[n, 4]`
 * @param isInQueue by sample id; null makes no difference between points
 */
export function colorPoints(
  map: EmbeddingMap,
  colorBy: ColorBy,
  palette: PointPalette,
  isInQueue: ((id: number) => boolean) | null,
): Uint8Array {
  const { column, table } = lookup(map, colorBy, palette);
  const colors = new Uint8Array(map.ids.length * 4);
  for (let index = 0; index < map.ids.length; index += 1) {
    const [red, green, blue] = table[column[index]!] ?? palette.none;
    const offset = index * 4;
    colors[offset] = red;
    colors[offset + 1] = green;
    colors[offset + 2] = blue;
    colors[offset + 3] = isInQueue === null || isInQueue(map.ids[index]!) ? inside : outside;
  }
  return colors;
}

export function mixRgb([low, high]: readonly [Rgb, Rgb], share: number): Rgb {
  const mix = (channel: 0 | 1 | 2): number => Math.round(low[channel] + (high[channel] - low[channel]) * share);
  return [mix(0), mix(1), mix(2)];
}

/** `#rrggbb` as numbers. */
export function parseRgb(hex: string): Rgb {
  const value = Number.parseInt(hex.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

function lookup(
  map: EmbeddingMap,
  colorBy: ColorBy,
  palette: PointPalette,
): { column: Uint8Array | Uint16Array; table: readonly Rgb[] } {
  switch (colorBy) {
    case 'given':
    case 'suggested':
      return { column: map[colorBy], table: palette.classes };
    case 'state':
      return { column: map.state, table: palette.states };
    case 'doubt':
    case 'weight':
      return {
        column: map[colorBy],
        table: Array.from({ length: 256 }, (_, value) => mixRgb(palette.ramp, value / 255)),
      };
  }
}
