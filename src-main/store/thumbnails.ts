import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import BetterSqlite3 from 'better-sqlite3';

/** Thumbnails of one project by the content hash of their file. A cache: it may be deleted at any time, and is made anew. */
export interface ThumbnailCache {
  get(contentHash: string): Uint8Array | null;
  put(thumbnails: readonly { contentHash: string; bytes: Uint8Array }[]): void;
  close(): void;
}

/** Opens the cache in a folder, making both when they are missing. One that is damaged or of another version is replaced. */
export function openThumbnailCache(folder: string): ThumbnailCache {
  const file = path.join(folder, `thumbnails-v${version}.sqlite`);
  mkdirSync(folder, { recursive: true });
  let db: BetterSqlite3.Database;
  try {
    db = openCache(file);
  } catch {
    for (const suffix of ['', '-wal', '-shm']) rmSync(file + suffix, { force: true });
    db = openCache(file);
  }
  const select = db.prepare<[string], { bytes: Buffer }>('SELECT bytes FROM thumbnail WHERE content_hash = ?');
  const insert = db.prepare('INSERT OR REPLACE INTO thumbnail (content_hash, bytes) VALUES (?, ?)');
  const insertAll = db.transaction((thumbnails: readonly { contentHash: string; bytes: Uint8Array }[]) => {
    for (const { contentHash, bytes } of thumbnails) insert.run(contentHash, bytes);
  });
  return {
    get: (contentHash) => select.get(contentHash)?.bytes ?? null,
    put: (thumbnails) => void insertAll(thumbnails),
    close: () => void db.close(),
  };
}

/** In the file name: raised when thumbnails are made differently, so that old ones are not shown. */
const version = 1;

function openCache(file: string): BetterSqlite3.Database {
  const db = new BetterSqlite3(file);
  try {
    db.pragma('journal_mode = WAL');
    // Losing the newest thumbnails to a power cut costs nothing but making them again.
    db.pragma('synchronous = OFF');
    db.exec('CREATE TABLE IF NOT EXISTS thumbnail (content_hash TEXT PRIMARY KEY, bytes BLOB NOT NULL) STRICT');
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}
