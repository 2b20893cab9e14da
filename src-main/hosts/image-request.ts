import type { SampleId } from '../../shared/domain.ts';

export type ImageSize = 'thumbnail' | 'full';

export interface ImageRequest {
  id: SampleId;
  size: ImageSize;
}

/** An image address names a sample by number and nothing else, so no path of the file system can be asked for. Null if it is malformed. */
export function parseImageRequest(idText: string, query: URLSearchParams): ImageRequest | null {
  const size = query.get('size') ?? 'full';
  if (!/^[1-9]\d{0,15}$/.test(idText) || (size !== 'thumbnail' && size !== 'full')) return null;
  return { id: Number(idText), size };
}

/** The version in the address changes with the file's content, so what it names never changes. */
export function imageCacheControl(query: URLSearchParams): string {
  return query.has('v') ? 'private, max-age=31536000, immutable' : 'no-store';
}
