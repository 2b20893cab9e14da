import type { QueueQuery } from '../../shared/api.ts';
import type { SampleId } from '../../shared/domain.ts';
import { changesOf } from './changes.ts';
import { inSnapshot, type Database } from './database.ts';
import { orderDescending } from './order.ts';
import { readColumns, refreshReviews, type SampleColumns } from './sample-columns.ts';
import { readPaths, type SamplePaths } from './sample-paths.ts';
import { readPositions } from './sample-positions.ts';

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
  const changes = changesOf(db);
  const kept = keptByDatabase.get(db);
  let index = kept?.index;
  if (index === undefined || changes.others || kept?.dataVersion !== dataVersionOf(db)) {
    index = inSnapshot(db, () => {
      const read = createIndex(db);
      keptByDatabase.set(db, { index: read, dataVersion: dataVersionOf(db) });
      return read;
    });
  } else if (changes.decided.size > 0) {
    index.refresh(changes.decided);
  }
  changes.others = false;
  changes.decided.clear();
  return index;
}

interface OwnedIndex extends SampleIndex {
  /** Reads the decisions of these samples again. */
  refresh(ids: ReadonlySet<SampleId>): void;
}

const keptByDatabase = new WeakMap<Database, { index: OwnedIndex; dataVersion: number }>();

/** Changes when another connection has committed something. */
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
