/** Positions in the queue that a decision applies to. Empty means: only the one under the cursor. */
export interface Selection {
  /** Where a range began. */
  anchor: number;
  positions: ReadonlySet<number>;
}

export function selectNone(cursor: number): Selection {
  return { anchor: cursor, positions: new Set() };
}

/** Everything from the anchor to the cursor. */
export function selectRange(selection: Selection, cursor: number): Selection {
  const positions = new Set<number>();
  const last = Math.max(selection.anchor, cursor);
  for (let position = Math.min(selection.anchor, cursor); position <= last; position += 1) positions.add(position);
  return { anchor: selection.anchor, positions };
}

/** Adds a position or takes it out; the first addition keeps what was under the cursor before. */
export function toggleSelected(selection: Selection, cursor: number, position: number): Selection {
  const positions = new Set(selection.positions.size === 0 ? [cursor] : selection.positions);
  if (positions.has(position)) positions.delete(position);
  else positions.add(position);
  return { anchor: position, positions };
}

export function selectAll(selection: Selection, count: number): Selection {
  const positions = new Set<number>();
  for (let position = 0; position < count; position += 1) positions.add(position);
  return { anchor: selection.anchor, positions };
}

/** Every position that has this state. */
export function selectWhere(selection: Selection, states: Uint8Array, state: number): Selection {
  const positions = new Set<number>();
  for (const [position, value] of states.entries()) if (value === state) positions.add(position);
  return { anchor: selection.anchor, positions };
}
