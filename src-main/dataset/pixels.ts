import { createHash } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { AppError, errorMessage } from '../../shared/result.ts';
import { decodeSquare } from './decode.ts';
import { forEachConcurrently } from './concurrency.ts';

export interface PixelFileRequest {
  /** Absolute paths, in the order of the file's samples. */
  files: Iterable<string>;
  /** How many they are. */
  count: number;
  /** Side of the square in pixels. */
  resolution: number;
  /** Where the file is written; nothing appears there before it is complete. */
  path: string;
  /** Pictures decoded at once. */
  concurrency?: number;
  onProgress?: (done: number, total: number) => void;
  signal?: AbortSignal;
}

export interface PixelFileReport {
  /** Indexes of files that can no longer be read; their pixels are mid-grey. */
  unreadable: number[];
}

/**
 * Decodes all samples of a run once into one file, uint8 `[samples, resolution, resolution, 3]`. Only one chunk is ever in memory.
 * Throws `AppError` ('cancelled', or 'internal' when the disk refuses); then no file is left behind.
 */
export async function writePixelFile(request: PixelFileRequest): Promise<PixelFileReport> {
  const { files, count, resolution, path, concurrency = availableParallelism(), onProgress, signal } = request;
  const sampleBytes = resolution * resolution * 3;
  const chunkSamples = Math.max(1, Math.floor(chunkBytes / sampleBytes));
  const unreadable: number[] = [];
  const temporary = `${path}.partial`;
  const output = await open(temporary, 'w').catch((error: unknown) => {
    throw diskError(path, error);
  });
  try {
    let start = 0;
    for (const chunkFiles of chunksOf(files, chunkSamples)) {
      const chunk = Buffer.alloc(chunkFiles.length * sampleBytes, midGrey);
      let done = start;
      await forEachConcurrently(chunkFiles.length, concurrency, async (offset) => {
        if (signal?.aborted) throw new AppError('cancelled', 'Preparing the images was cancelled.');
        try {
          const pixels = await decodeSquare(await readFile(chunkFiles[offset]!), resolution);
          chunk.set(pixels, offset * sampleBytes);
        } catch {
          unreadable.push(start + offset);
        }
        onProgress?.(++done, count);
      });
      await output.write(chunk, 0, chunk.length, start * sampleBytes);
      start += chunkFiles.length;
    }
    await output.sync();
    await output.close();
    await rename(temporary, path);
  } catch (error) {
    await output.close().catch(() => undefined);
    await rm(temporary, { force: true });
    throw error instanceof AppError ? error : diskError(path, error);
  }
  return { unreadable: unreadable.sort((a, b) => a - b) };
}

/** Name of the pixel file of these samples in this order: the same content needs no second decoding. */
export function pixelFileName(contentHashes: Iterable<string>, resolution: number): string {
  const hash = createHash('sha256');
  for (const contentHash of contentHashes) hash.update(contentHash).update('\n');
  return `${hash.digest('hex').slice(0, 32)}-${resolution}-v${pixelVersion}.pixels`;
}

/** Raised when `decodeSquare` would give other pixels for the same file, so that old caches are not reused. */
const pixelVersion = 1;
const midGrey = 128;
/** Memory per chunk: enough samples to keep every core busy, little enough not to matter. */
const chunkBytes = 32 * 1024 * 1024;

function* chunksOf<T>(items: Iterable<T>, length: number): Generator<T[]> {
  let chunk: T[] = [];
  for (const item of items) {
    chunk.push(item);
    if (chunk.length < length) continue;
    yield chunk;
    chunk = [];
  }
  if (chunk.length > 0) yield chunk;
}

function diskError(path: string, error: unknown): AppError {
  return new AppError(
    'internal',
    `The decoded images could not be written to ${path}: ${errorMessage(error)}. Free some space, or set WINNOW_HOME to another disk.`,
    {
      cause: error,
    },
  );
}
