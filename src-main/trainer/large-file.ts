import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/* Whole files of any size: Node reads and writes at most 2 GiB at once, which the pixels of 78,000 images of 96 × 96 exceed. */

/** The content of a file. */
export function readLargeFile(path: string): Uint8Array<ArrayBuffer> {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(descriptor).size);
    const length = readLarge(descriptor, bytes, 0);
    // It may have become shorter meanwhile.
    return length < bytes.length ? bytes.slice(0, length) : bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Fills `into` with what is in a file from `position` on; answers how many bytes there were. */
export function readLarge(descriptor: number, into: Uint8Array, position: number): number {
  for (let offset = 0; offset < into.length;) {
    const length = readSync(descriptor, into.subarray(offset, offset + pieceBytes), { position: position + offset });
    if (length === 0) return offset;
    offset += length;
  }
  return into.length;
}

/** Writes all bytes where the file's position is. */
export function writeLarge(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) {
    offset += writeSync(descriptor, bytes.subarray(offset, offset + pieceBytes));
  }
}

const pieceBytes = 2 ** 30;
