import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fingerprintBytes, hashBytes } from '../domain/fingerprint.ts';
import { isBlank, type ComparedPictures } from '../domain/near-duplicates.ts';

/** The fingerprints of many pictures while they are grouped: in a file, because a million would be 784 MB of memory. */
export interface PrintFile {
  /** Takes down the fingerprint of a picture; one whose fingerprint is blank is not compared. */
  add(picture: number, bits: Uint8Array): void;
  /** What a thread needs to read them, once all are there; its arrays are moved to that thread. */
  finish(): StoredPrints;
  /** Closes the file, and with that removes it. */
  close(): void;
}

/** For another thread of this process. */
export interface StoredPrints {
  descriptor: number;
  /** `[pictures, hashBytes]` */
  hashes: Uint8Array<ArrayBuffer>;
  /** 1 for each picture that has a fingerprint to compare, `[pictures]` */
  compared: Uint8Array<ArrayBuffer>;
  /** Where in the file each fingerprint lies, counted in fingerprints. `[pictures]` */
  places: Uint32Array<ArrayBuffer>;
}

export function openPrintFile(folder: string, pictures: number): PrintFile {
  const file = path.join(folder, `fingerprints-${process.pid}.partial`);
  const descriptor = openSync(file, 'w+');
  const stored: StoredPrints = {
    descriptor,
    hashes: new Uint8Array(pictures * hashBytes),
    compared: new Uint8Array(pictures),
    places: new Uint32Array(pictures),
  };
  const piece = new Uint8Array(pieceLength * fingerprintBytes);
  let written = 0;
  let held = 0;
  const writeHeld = (): void => {
    for (let offset = 0, end = held * fingerprintBytes; offset < end;) {
      offset += writeSync(descriptor, piece, offset, end - offset, written * fingerprintBytes + offset);
    }
    written += held;
    held = 0;
  };
  const remove = (): void => {
    try {
      rmSync(file, { force: true });
    } catch {
      // Where a file that is open cannot be removed.
    }
  };
  // At once, so that nothing is left behind however this process ends.
  remove();
  return {
    add(picture, bits) {
      if (isBlank(bits)) return;
      stored.hashes.set(bits.subarray(0, hashBytes), picture * hashBytes);
      stored.compared[picture] = 1;
      stored.places[picture] = written + held;
      piece.set(bits, held * fingerprintBytes);
      if (++held === pieceLength) writeHeld();
    },
    finish() {
      writeHeld();
      return stored;
    },
    close() {
      closeSync(descriptor);
      remove();
    },
  };
}

/** The pictures as they are grouped. */
export function readStoredPrints({ descriptor, hashes, compared, places }: StoredPrints): ComparedPictures {
  return {
    hashes,
    compared,
    read: (picture, into) => {
      readSync(descriptor, into, 0, fingerprintBytes, places[picture]! * fingerprintBytes);
    },
  };
}

/** Fingerprints that are written at once. */
const pieceLength = 1000;
