import { hash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { inspectAndThumbnail, type EncodedImage } from './decode.ts';
import { contentTypes } from './image-format.ts';

/** Where thumbnails are kept; `store/thumbnails.ts` is one. */
export interface ThumbnailStore {
  get(contentHash: string): Uint8Array | null;
  put(thumbnails: readonly { contentHash: string; bytes: Uint8Array }[]): void;
}

/**
 * The thumbnail of a file: from the store, made and kept there if it is missing, or the file itself where that is small enough.
 * Null when the file can no longer be read as a picture.
 */
export async function readThumbnail(
  store: ThumbnailStore,
  file: string,
  contentHash: string,
): Promise<EncodedImage | null> {
  const kept = store.get(contentHash);
  if (kept !== null) return { bytes: kept, contentType: contentTypes.jpeg };
  // A pipe that has taken the file's name would never end.
  const stats = await stat(file).catch(() => null);
  if (stats?.isFile() !== true) return null;
  const bytes = await readFile(file).catch(() => null);
  if (bytes === null) return null;
  const inspected = await inspectAndThumbnail(bytes);
  if (!inspected.ok) return null;
  const { thumbnail, format } = inspected.value;
  if (thumbnail === null) return { bytes, contentType: contentTypes[format] };
  // A file that has changed since the import is shown as it is now, but not kept as what it was.
  if (hash('sha256', bytes) === contentHash) store.put([{ contentHash, bytes: thumbnail }]);
  return { bytes: thumbnail, contentType: contentTypes.jpeg };
}
