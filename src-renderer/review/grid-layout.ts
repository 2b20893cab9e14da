/*
 * The grid's geometry: fixed cells, so that the place of every sample follows from its position alone.
 */

export interface GridLayout {
  columns: number;
  /** Width of a cell and of its square picture, px. */
  cellWidth: number;
  /** Height of a cell with its caption, px. */
  cellHeight: number;
  rows: number;
  /** Height of everything, px. */
  totalHeight: number;
}

export type Direction = 'left' | 'right' | 'up' | 'down' | 'first' | 'last' | 'page-up' | 'page-down';

/** Space between cells and around them, px. */
export const gridGap = 10;
/** Height of the caption under the picture, px. */
export const captionHeight = 42;

/** Columns of about `wantedSize`, narrowed or widened to fill the width. */
export function layOutGrid(width: number, wantedSize: number, count: number): GridLayout {
  const usable = Math.max(1, width - gridGap);
  const columns = Math.max(1, Math.round(usable / (wantedSize + gridGap)));
  const cellWidth = Math.max(1, Math.floor(usable / columns) - gridGap);
  const cellHeight = cellWidth + captionHeight;
  const rows = Math.ceil(count / columns);
  return { columns, cellWidth, cellHeight, rows, totalHeight: rows * (cellHeight + gridGap) + gridGap };
}

/** Positions `[start, end)` that are in view, with `overscan` rows more on either side. */
export function visibleRange(
  layout: GridLayout,
  scrollTop: number,
  viewHeight: number,
  overscan: number,
  count: number,
): { start: number; end: number } {
  const rowHeight = layout.cellHeight + gridGap;
  const firstRow = Math.max(0, Math.floor((scrollTop - gridGap) / rowHeight) - overscan);
  const lastRow = Math.min(layout.rows, Math.ceil((scrollTop + viewHeight) / rowHeight) + overscan);
  return { start: Math.min(count, firstRow * layout.columns), end: Math.min(count, lastRow * layout.columns) };
}

/** How many cells it takes for any range that is visible with `overscan`: whole rows. */
export function slotCount(layout: GridLayout, viewHeight: number, overscan: number): number {
  const rowHeight = layout.cellHeight + gridGap;
  return layout.columns * (Math.ceil((viewHeight + gridGap) / rowHeight) + 1 + 2 * overscan);
}

/** The one position from `start` on, among `slots` in a row, whose cell is this slot's; the others keep theirs while `start` moves. */
export function positionInSlot(slot: number, slots: number, start: number): number {
  return start + ((((slot - start) % slots) + slots) % slots);
}

export function cellOffset(layout: GridLayout, position: number): { left: number; top: number } {
  const row = Math.floor(position / layout.columns);
  const column = position % layout.columns;
  return {
    left: gridGap + column * (layout.cellWidth + gridGap),
    top: gridGap + row * (layout.cellHeight + gridGap),
  };
}

/** The nearest scroll offset that shows the whole cell. */
export function scrollToShow(layout: GridLayout, position: number, scrollTop: number, viewHeight: number): number {
  const { top } = cellOffset(layout, position);
  if (top - gridGap < scrollTop) return top - gridGap;
  const bottom = top + layout.cellHeight + gridGap;
  return bottom > scrollTop + viewHeight ? bottom - viewHeight : scrollTop;
}

/** The scroll offset with the cell's row on top, as far as there is enough below it. */
export function scrollToTop(layout: GridLayout, position: number, viewHeight: number): number {
  return Math.max(0, Math.min(cellOffset(layout, position).top - gridGap, layout.totalHeight - viewHeight));
}

/** Where a key leads from `position`. With one column (one image at a time) all arrows go to a neighbour. */
export function moveFrom(
  position: number,
  direction: Direction,
  columns: number,
  rowsPerPage: number,
  count: number,
): number {
  const steps: Record<Direction, number> = {
    left: -1,
    right: 1,
    up: -columns,
    down: columns,
    first: -count,
    last: count,
    'page-up': -columns * rowsPerPage,
    'page-down': columns * rowsPerPage,
  };
  const wanted = position + steps[direction];
  // Up and down stay where they are rather than change the column at the first and last row.
  if (direction === 'up' && wanted < 0) return position;
  if (direction === 'down' && wanted >= count) {
    const isLastRow = Math.floor(position / columns) === Math.floor((count - 1) / columns);
    return isLastRow ? position : count - 1;
  }
  return Math.max(0, Math.min(count - 1, wanted));
}
