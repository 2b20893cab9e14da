import { closeSync, fstatSync, openSync, readSync, writeSync } from 'node:fs';

/* Whole files of any size: Node reads and writes at most 2 GiB at once, which the pixels of 78,000 images of 96 × 96 exceed. */

/** The content of a file. */
export function readLargeFile(path: string): Uint8Array<ArrayBuffer> {
  const descriptor = openSync(path, 'r');
  try {
    const bytes = new Uint8Array(fstatSync(descriptor).size);
    for (let offset = 0; offset < bytes.length;) {
      const length = readSync(descriptor, bytes.subarray(offset, offset + pieceBytes));
      // It has become shorter meanwhile.
      if (length === 0) return bytes.slice(0, offset);
      offset += length;
    }
    return bytes;
  } finally {
    closeSync(descriptor);
  }
}

/** Writes all bytes where the file's position is. */
export function writeLarge(descriptor: number, bytes: Uint8Array): void {
  for (let offset = 0; offset < bytes.length;) {
    offset += writeSync(descriptor, bytes.subarray(offset, offset + pieceBytes));
  }
}

const pieceBytes = 2 ** 30;
