import type { ClassId, ConfusedPair } from '../../shared/domain.ts';
import type { Direction } from './grid-layout.ts';

export type Pair = Pick<ConfusedPair, 'givenClassId' | 'suggestedClassId'>;

/** A pair at its place in the matrix. */
export interface MatrixCell extends ConfusedPair {
  row: number;
  column: number;
}

/** Given labels down, suggested labels across; only classes that have a pair. */
export interface PairMatrix {
  rowClassIds: readonly ClassId[];
  columnClassIds: readonly ClassId[];
  /** By row, each from left to right; every row and every column has one. */
  rows: readonly (readonly MatrixCell[])[];
  /** Undecided samples of the cell that has most of them. */
  mostUndecided: number;
}

/** Shades of a cell, besides none. */
export const shadeCount = 5;

/** Rows and columns stand in one order, in which classes that are often confused stand together, the most confused first. */
export function createPairMatrix(pairs: readonly ConfusedPair[]): PairMatrix {
  const order = orderClasses(pairs);
  const given = new Set(pairs.map(({ givenClassId }) => givenClassId));
  const suggested = new Set(pairs.map(({ suggestedClassId }) => suggestedClassId));
  const rowClassIds = order.filter((classId) => given.has(classId));
  const columnClassIds = order.filter((classId) => suggested.has(classId));
  const rowOf = placesOf(rowClassIds);
  const columnOf = placesOf(columnClassIds);
  const rows: MatrixCell[][] = rowClassIds.map(() => []);
  for (const pair of pairs) {
    const row = rowOf.get(pair.givenClassId)!;
    rows[row]!.push({ ...pair, row, column: columnOf.get(pair.suggestedClassId)! });
  }
  for (const cells of rows) cells.sort((first, second) => first.column - second.column);
  return {
    rowClassIds,
    columnClassIds,
    rows,
    mostUndecided: pairs.reduce((most, { undecided }) => Math.max(most, undecided), 0),
  };
}

/** Null when the pair has no samples. */
export function findCell(matrix: PairMatrix, { givenClassId, suggestedClassId }: Pair): MatrixCell | null {
  const row = matrix.rows[matrix.rowClassIds.indexOf(givenClassId)];
  return row?.find((cell) => cell.suggestedClassId === suggestedClassId) ?? null;
}

/** The cell that a key leads to. Only cells with samples are stepped on, so that no key is pressed for nothing. */
export function moveInMatrix(matrix: PairMatrix, from: MatrixCell, direction: Direction): MatrixCell {
  const cells = matrix.rows[from.row] ?? [];
  const place = cells.findIndex(({ column }) => column === from.column);
  switch (direction) {
    case 'left':
      return cells[place - 1] ?? from;
    case 'right':
      return cells[place + 1] ?? from;
    case 'first':
      return cells[0] ?? from;
    case 'last':
      return cells.at(-1) ?? from;
    case 'up':
      return nearestInRow(matrix, from.row - 1, from.column) ?? from;
    case 'down':
      return nearestInRow(matrix, from.row + 1, from.column) ?? from;
    case 'page-up':
      return nearestInRow(matrix, 0, from.column) ?? from;
    case 'page-down':
      return nearestInRow(matrix, matrix.rows.length - 1, from.column) ?? from;
  }
}

/** The pair with most undecided samples; null when everything is decided. */
export function largestUndecided(pairs: readonly ConfusedPair[]): ConfusedPair | null {
  return pairs.reduce<ConfusedPair | null>(
    (largest, pair) => (pair.undecided > (largest?.undecided ?? 0) ? pair : largest),
    null,
  );
}

/** 0 for nothing left to decide, else 1 to `shadeCount`; by the root, so that small numbers can be told apart beside a large one. */
export function shadeOf(undecided: number, most: number): number {
  return undecided === 0 ? 0 : Math.max(1, Math.round(Math.sqrt(undecided / most) * shadeCount));
}

function nearestInRow(matrix: PairMatrix, row: number, column: number): MatrixCell | null {
  return (
    matrix.rows[row]?.reduce((nearest, cell) =>
      Math.abs(cell.column - column) < Math.abs(nearest.column - column) ? cell : nearest,
    ) ?? null
  );
}

/**
 * Greedily: always the class that is confused most often, where being confused with a class that stands already counts twice. Counts of all samples decide, not of the undecided, so that the order stays while one works.
 */
function orderClasses(pairs: readonly ConfusedPair[]): ClassId[] {
  const totals = new Map<ClassId, number>();
  const links = new Map<ClassId, Map<ClassId, number>>();
  const add = (from: ClassId, to: ClassId, count: number): void => {
    totals.set(from, (totals.get(from) ?? 0) + count);
    const own = links.get(from) ?? new Map<ClassId, number>();
    own.set(to, (own.get(to) ?? 0) + count);
    links.set(from, own);
  };
  for (const { givenClassId, suggestedClassId, count } of pairs) {
    add(givenClassId, suggestedClassId, count);
    add(suggestedClassId, givenClassId, count);
  }
  const order: ClassId[] = [];
  const pull = new Map(totals);
  while (pull.size > 0) {
    let next: ClassId | null = null;
    for (const [classId, value] of pull) {
      const best = next === null ? -1 : pull.get(next)!;
      if (next === null || value > best || (value === best && classId < next)) next = classId;
    }
    if (next === null) break;
    order.push(next);
    pull.delete(next);
    for (const [classId, count] of links.get(next) ?? []) {
      const before = pull.get(classId);
      if (before !== undefined) pull.set(classId, before + count);
    }
  }
  return order;
}

function placesOf(classIds: readonly ClassId[]): Map<ClassId, number> {
  return new Map(classIds.map((classId, place) => [classId, place]));
}
