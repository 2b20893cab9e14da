import type { QueueQuery, ReviewCounts } from '../../shared/api.ts';
import { reviewStates, type SampleId } from '../../shared/domain.ts';
import type { Database } from './database.ts';
import { orderDescending } from './order.ts';
import { readColumns, refreshReviews, type SampleColumns } from './sample-columns.ts';
import { readPaths, readPositions, type SamplePaths } from './sample-places.ts';

/**
 * What the queue needs of all present samples, in memory, because filtering and sorting a hundred thousand rows takes SQLite longer
 * than a person wants to wait (ADR 9). SQLite stays the only truth: nothing is written here but what was read there.
 */
export interface SampleIndex {
  readonly columns: Readonly<SampleColumns>;
  /** All rows in an order of the queue. */
  order(sort: QueueQuery['sort']): Uint32Array;
  paths(): SamplePaths;
  /** See `readPositions`. */
  positions(): Float32Array | null;
}

/**
 * The index as the project is now. It is read when first asked for; later, only the decisions that have changed are read again, or
 * everything when something else has changed or another process has written.
 */
export function sampleIndex(db: Database): SampleIndex {
  const watch = watches.get(db) ?? startWatching(db);
  // What the transaction has changed before now went unseen, and it may yet be rolled back: an index for this once.
  if (watch === null) return createIndex(db);
  if (watch.index === null || watch.isStale || watch.dataVersion !== dataVersionOf(db)) {
    watch.index = db.transaction(() => {
      watch.dataVersion = dataVersionOf(db);
      return createIndex(db);
    })();
  } else if (watch.decided.size > 0) {
    watch.index.refresh(watch.decided);
  }
  // A transaction may be rolled back: what it has changed is read again after its end.
  if (!db.inTransaction) {
    watch.isStale = false;
    watch.decided.clear();
  }
  return watch.index;
}

/** How many present samples are in each state. */
export function countReview(db: Database): ReviewCounts {
  const counts = new Uint32Array(reviewStates.length);
  for (const state of sampleIndex(db).columns.state) counts[state]!++;
  return Object.fromEntries(reviewStates.map((state, i) => [state, counts[i]!])) as ReviewCounts;
}

interface OwnedIndex extends SampleIndex {
  /** Reads the decisions of these samples again. */
  refresh(ids: ReadonlySet<SampleId>): void;
}

/** What has happened to a database since its index was read. */
interface Watch {
  index: OwnedIndex | null;
  /** Changes when another connection has committed something. */
  dataVersion: number;
  /** Whether this connection has changed anything but decisions. */
  isStale: boolean;
  /** Samples whose decisions this connection has changed. */
  decided: Set<SampleId>;
}

const watches = new WeakMap<Database, Watch>();

/** Null inside a transaction, whose earlier changes would go unseen. */
function startWatching(db: Database): Watch | null {
  if (db.inTransaction) return null;
  const watch: Watch = { index: null, dataVersion: 0, isStale: false, decided: new Set() };
  db.function('note_decision', (id) => {
    watch.decided.add(id as SampleId);
    return null;
  });
  db.function('note_change', () => {
    watch.isStale = true;
    return null;
  });
  // Of this connection alone, and not in the file. Whoever writes need not know of the index, and cannot forget it.
  db.exec(
    triggers
      .map(([name, event, note]) => `CREATE TEMP TRIGGER ${name} AFTER ${event} BEGIN SELECT ${note}; END;`)
      .join('\n'),
  );
  watches.set(db, watch);
  return watch;
}

/** Findings are not watched row by row, because they are only ever replaced together with their summary. */
const triggers = [
  ['review_made', 'INSERT ON main.review', 'note_decision(new.sample_id)'],
  ['review_changed', 'UPDATE ON main.review', 'note_decision(new.sample_id)'],
  ['review_removed', 'DELETE ON main.review', 'note_decision(old.sample_id)'],
  ['sample_made', 'INSERT ON main.sample', 'note_change()'],
  ['sample_changed', 'UPDATE ON main.sample', 'note_change()'],
  ['sample_removed', 'DELETE ON main.sample', 'note_change()'],
  ['class_merged', 'UPDATE OF merged_into ON main.class WHEN new.merged_into IS NOT old.merged_into', 'note_change()'],
  ['findings_made', 'UPDATE OF findings_json ON main.run', 'note_change()'],
  ['run_removed', 'DELETE ON main.run', 'note_change()'],
  ['map_made', 'INSERT ON main.map', 'note_change()'],
  ['map_changed', 'UPDATE ON main.map', 'note_change()'],
  ['map_removed', 'DELETE ON main.map', 'note_change()'],
] as const;

function dataVersionOf(db: Database): number {
  return db.pragma('data_version', { simple: true }) as number;
}

function createIndex(db: Database): OwnedIndex {
  const columns = readColumns(db);
  const orders = new Map<QueueQuery['sort'], Uint32Array>();
  let paths: SamplePaths | null = null;
  let positions: Float32Array | null | undefined;

  const readOrder = (sort: QueueQuery['sort']): Uint32Array => {
    switch (sort) {
      case 'doubt':
        return orderDescending(columns.score);
      case 'abstention':
        return orderDescending(columns.abstention, index.order('doubt'));
      case 'confidence':
        return orderDescending(columns.weight);
      case 'decided':
        return orderDescending(columns.decidedAt);
      case 'path':
        return index.paths().order;
    }
  };

  const index: OwnedIndex = {
    columns,
    order: (sort) => {
      let order = orders.get(sort);
      if (order === undefined) {
        order = readOrder(sort);
        orders.set(sort, order);
      }
      return order;
    },
    paths: () => (paths ??= readPaths(db, columns)),
    positions: () => (positions === undefined ? (positions = readPositions(db, columns)) : positions),
    refresh: (ids) => {
      refreshReviews(db, columns, ids);
      orders.delete('decided');
    },
  };
  return index;
}
