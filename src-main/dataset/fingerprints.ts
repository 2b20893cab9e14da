import { fingerprintOf, fingerprintSide } from '../domain/fingerprint.ts';
import { decodeSquare } from './decode.ts';
import { readThumbnail, type ThumbnailStore } from './thumbnails.ts';

/** The fingerprint of a file, by its thumbnail; null when it can no longer be read as a picture. */
export async function readFingerprint(
  store: ThumbnailStore,
  file: string,
  contentHash: string,
): Promise<Uint8Array | null> {
  const thumbnail = await readThumbnail(store, file, contentHash);
  if (thumbnail === null) return null;
  const pixels = await decodeSquare(thumbnail.bytes, fingerprintSide).catch(() => null);
  return pixels === null ? null : fingerprintOf(pixels);
}
