import { fingerprintBytes, hashBytes } from '../../src-main/domain/fingerprint.ts';
import { isBlank, type ComparedPictures } from '../../src-main/domain/near-duplicates.ts';

/** Pictures whose fingerprints lie in memory, `[pictures, fingerprintBytes]`. */
export function comparedPictures(fingerprints: Uint8Array): ComparedPictures {
  const count = fingerprints.length / fingerprintBytes;
  const printOf = (picture: number): Uint8Array =>
    fingerprints.subarray(picture * fingerprintBytes, (picture + 1) * fingerprintBytes);
  const hashes = new Uint8Array(count * hashBytes);
  for (let i = 0; i < count; i++) hashes.set(printOf(i).subarray(0, hashBytes), i * hashBytes);
  return {
    hashes,
    compared: Uint8Array.from({ length: count }, (_, i) => Number(!isBlank(printOf(i)))),
    read: (picture, into) => into.set(printOf(picture)),
  };
}
