import type { ActionId, HistoryEntry } from '../../shared/domain.ts';

/** What stands in the list, newest first. */
export type HistoryRow =
  | { kind: 'day'; madeAt: string }
  /** Between what is undone and what stands. */
  | { kind: 'now' }
  | { kind: 'entry'; entry: HistoryEntry; index: number };

export interface HistoryLayout {
  rows: HistoryRow[];
  /** Where each row begins, and at the end where the last one ends, px. `[rows + 1]` */
  offsets: Float64Array;
}

export const rowHeights: Record<HistoryRow['kind'], number> = { day: 30, now: 26, entry: 76 };

/**
 * `standing`: the newest step of anybody that stands, whether or not it is among the entries. `complete`: there are no older
 * entries, so that "now" stands below them all when all are undone.
 */
export function layOutHistory(
  entries: readonly HistoryEntry[],
  standing: ActionId | null,
  complete: boolean,
): HistoryLayout {
  const rows: HistoryRow[] = [];
  const newestStanding = entries.findIndex(({ id }) => standing !== null && id <= standing);
  let day: { start: number; end: number } | null = null;
  for (const [index, entry] of entries.entries()) {
    if (index === newestStanding) rows.push({ kind: 'now' });
    const time = Date.parse(entry.madeAt);
    if (day === null || time < day.start || time >= day.end) {
      day = dayOf(time);
      rows.push({ kind: 'day', madeAt: entry.madeAt });
    }
    rows.push({ kind: 'entry', entry, index });
  }
  if (newestStanding === -1 && complete && entries.length > 0) rows.push({ kind: 'now' });

  const offsets = new Float64Array(rows.length + 1);
  for (const [place, { kind }] of rows.entries()) offsets[place + 1] = offsets[place]! + rowHeights[kind];
  return { rows, offsets };
}

/** The rows that a window of this height shows, with a few around them: from `start` up to, not including, `end`. */
export function rowsInView(
  { rows, offsets }: HistoryLayout,
  scrollTop: number,
  height: number,
): { start: number; end: number } {
  const margin = 3;
  const start = rowAt(offsets, scrollTop);
  const end = rowAt(offsets, scrollTop + height) + 1;
  return { start: Math.max(0, start - margin), end: Math.min(rows.length, end + margin) };
}

/** What a jump to an entry would do; null where there is nothing to do or it is not possible. */
export function jumpFor(entry: HistoryEntry | null, standing: ActionId | null): 'back' | 'forward' | null {
  if (entry === null || entry.status === 'discarded') return null;
  if (entry.status === 'undone') return 'forward';
  return entry.id === standing ? null : 'back';
}

/** The last row that begins at or above this place. */
function rowAt(offsets: Float64Array, top: number): number {
  let low = 0;
  let high = offsets.length - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (offsets[middle]! <= top) low = middle;
    else high = middle - 1;
  }
  return low;
}

function dayOf(time: number): { start: number; end: number } {
  const date = new Date(time);
  const [year, month, day] = [date.getFullYear(), date.getMonth(), date.getDate()];
  return { start: new Date(year, month, day).getTime(), end: new Date(year, month, day + 1).getTime() };
}
