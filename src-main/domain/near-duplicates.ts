import { colourBytes, detailBytes, fingerprintBytes, hashBytes } from './fingerprint.ts';

/** Bits in which two pictures that are nearly identical differ at most, of 128. */
const largestHashDistance = 15;
/** Correlations that the colours and the detail of two such pictures have at least; ADR 11 says what they find and miss. */
const leastColourCorrelation = 0.95;
const leastDetailCorrelation = 0.72;

/** Pictures to group. Of a million the hashes are 16 MB, and the fingerprints 784 MB, of which few are ever looked at. */
export interface ComparedPictures {
  /** The hashes of the fingerprints, `[pictures, hashBytes]`; starts at a multiple of 4. */
  hashes: Uint8Array;
  /** 1 for each picture to compare, `[pictures]`; others stay alone. */
  compared: Uint8Array;
  /** Fills `into` with the fingerprint of a picture that is compared. */
  read(picture: number, into: Uint8Array): void;
}

/**
 * Groups pictures that look nearly the same: for each picture the index of its group's first; its own where it is alone or a
 * first itself. Every member is alike to the first, so that no chain of small changes joins what is different.
 */
export function groupNearDuplicates(
  { hashes, compared, read }: ComparedPictures,
  onProgress: (done: number) => void = () => undefined,
): Int32Array {
  const count = compared.length;
  const firsts = Int32Array.from({ length: count }, (_, index) => index);
  const index = createHashIndex(new Uint32Array(hashes.buffer, hashes.byteOffset, hashes.length / 4));
  const own = new Uint8Array(fingerprintBytes);
  const other = new Uint8Array(fingerprintBytes);
  for (let picture = 0; picture < count; picture++) {
    if (picture % progressStep === 0) onProgress(picture);
    if (compared[picture] === 0) continue;
    let best = -1;
    let bestLikeness = 0;
    let isRead = false;
    index.forEachWithin(picture, (first) => {
      if (!isRead) read(picture, own);
      isRead = true;
      read(first, other);
      const found = likeness(own, other);
      // Of equally alike ones, the earliest: the index does not visit them in their order.
      if (found < bestLikeness || (found === bestLikeness && first > best)) return;
      best = first;
      bestLikeness = found;
    });
    if (best === -1) index.add(picture);
    else firsts[picture] = best;
  }
  return firsts;
}

/** Whether a picture has no contrast: blank pages and black frames look like each other whatever they mean, and are not to be compared. */
export function isBlank(fingerprint: Uint8Array): boolean {
  const parts = colourBytes / 3;
  let variance = 0;
  // Within each channel: a page that is all red has no contrast either.
  for (let channel = 0; channel < 3; channel++) {
    let sum = 0;
    let squares = 0;
    for (let i = channel; i < colourBytes; i += 3) {
      const value = fingerprint[hashBytes + i]!;
      sum += value;
      squares += value * value;
    }
    variance = Math.max(variance, squares / parts - (sum / parts) ** 2);
  }
  return variance < leastContrast ** 2;
}

const progressStep = 1024;

/** How alike two pictures are: the correlation of their detail, −1 where that or their colours are too different. */
function likeness(a: Uint8Array, b: Uint8Array): number {
  const colours = correlation(a, b, hashBytes, colourBytes);
  if (colours < leastColourCorrelation) return -1;
  const detail = correlation(a, b, hashBytes + colourBytes, detailBytes);
  return detail < leastDetailCorrelation ? -1 : detail;
}

/** Pearson's correlation of a stretch of two fingerprints; 0 where one of them does not vary. */
function correlation(a: Uint8Array, b: Uint8Array, offset: number, length: number): number {
  let [sumA, sumB, squaresA, squaresB, products] = [0, 0, 0, 0, 0];
  for (let i = offset; i < offset + length; i++) {
    const valueA = a[i]!;
    const valueB = b[i]!;
    sumA += valueA;
    sumB += valueB;
    squaresA += valueA * valueA;
    squaresB += valueB * valueB;
    products += valueA * valueB;
  }
  const covariance = products - (sumA * sumB) / length;
  const variances = (squaresA - (sumA * sumA) / length) * (squaresB - (sumB * sumB) / length);
  return variances <= 0 ? 0 : covariance / Math.sqrt(variances);
}

/** Standard deviation over a picture's parts, in levels of 0..255, below which it shows nothing. */
const leastContrast = 4;

const wordsPerHash = hashBytes / 4;
/**
 * Bands of 16 bits, in pairs. Of two hashes that differ in at most 15 of 128 bits, at least one of the 4 pairs differs in at most 3, and so one
 * of its bands in at most 1: by that band they are found, and the other is the first thing to look at.
 */
const bands = hashBytes / 2;
const bandBits = 16;
const bandKeys = 2 ** bandBits;
const largestPairDistance = 3;

/** Finds every added hash within `largestHashDistance` of another, without looking at most of them. */
function createHashIndex(hashes: Uint32Array) {
  const count = hashes.length / wordsPerHash;
  const keyOf = (picture: number, band: number): number => {
    const word = hashes[picture * wordsPerHash + (band >> 1)]!;
    return band % 2 === 0 ? word & 0xffff : word >>> bandBits;
  };
  // For each band the pictures by their key, and beside each its key in the other band of the pair: lists have 15 entries of a million
  // pictures, or thousands where all stand before one background, and are read from end to end. Every list has room for all of its key.
  const places = new Uint32Array(bands * bandKeys + 1);
  for (let band = 0; band < bands; band++) {
    for (let picture = 0; picture < count; picture++) places[band * bandKeys + keyOf(picture, band) + 1]!++;
  }
  for (let list = 1; list < places.length; list++) places[list]! += places[list - 1]!;
  const ends = places.slice();
  const pictures = new Uint32Array(bands * count);
  const partnerKeys = new Uint16Array(bands * count);
  const lastSeenBy = new Int32Array(count).fill(-1);
  const starts = new Uint32Array(bandBits + 1);
  const stops = new Uint32Array(bandBits + 1);
  const begun = new Uint16Array(bandBits + 1);

  return {
    add(picture: number): void {
      for (let band = 0; band < bands; band++) {
        const place = ends[band * bandKeys + keyOf(picture, band)]!++;
        pictures[place] = picture;
        partnerKeys[place] = keyOf(picture, band ^ 1);
      }
    },
    forEachWithin(picture: number, visit: (other: number) => void): void {
      for (let band = 0; band < bands; band++) {
        const own = keyOf(picture, band);
        const partner = keyOf(picture, band ^ 1);
        // All lists are begun before any is read on, so that the processor waits for their memory once and not for each.
        for (let probe = 0; probe <= bandBits; probe++) {
          const list = band * bandKeys + (probe === bandBits ? own : own ^ (1 << probe));
          starts[probe] = places[list]!;
          stops[probe] = ends[list]!;
        }
        for (let probe = 0; probe <= bandBits; probe++) begun[probe] = partnerKeys[starts[probe]!]!;
        for (let probe = 0; probe <= bandBits; probe++) {
          const left = largestPairDistance - (probe === bandBits ? 0 : 1);
          const end = stops[probe]!;
          for (let place = starts[probe]!; place < end; place++) {
            if (bitsOfKey[partnerKeys[place]! ^ partner]! > left) continue;
            const other = pictures[place]!;
            if (lastSeenBy[other] === picture) continue;
            lastSeenBy[other] = picture;
            if (isWithin(hashes, picture, other)) visit(other);
          }
        }
      }
    },
  };
}

function isWithin(hashes: Uint32Array, a: number, b: number): boolean {
  let distance = 0;
  for (let word = 0; word < wordsPerHash; word++) {
    distance += countBits(hashes[a * wordsPerHash + word]! ^ hashes[b * wordsPerHash + word]!);
    if (distance > largestHashDistance) return false;
  }
  return true;
}

/** Set bits of every key. */
const bitsOfKey = Uint8Array.from({ length: bandKeys }, (_, key) => countBits(key));

/** Set bits of a 32-bit word (Hacker's Delight, 5-1). */
function countBits(word: number): number {
  let bits = word - ((word >>> 1) & 0x55555555);
  bits = (bits & 0x33333333) + ((bits >>> 2) & 0x33333333);
  bits = (bits + (bits >>> 4)) & 0x0f0f0f0f;
  return Math.imul(bits, 0x01010101) >>> 24;
}
