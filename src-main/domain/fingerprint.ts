/*
 * What a picture looks like from afar, so that nearly identical ones can be found whatever their size and format: 128 bits that say
 * where it becomes brighter from left to right and from top to bottom (a difference hash), and its colours on a coarse grid. The bits
 * are for finding candidates quickly, the colours for judging them.
 */

/** Side of the square that a picture is squashed to first; its 9 × 8 and 8 × 9 parts are whole pixels. */
export const fingerprintSide = 72;
export const hashBytes = 16;
export const colourBytes = 8 * 8 * 3;
/** `[hashBytes]` bits, then `[8, 8, 3]` colours. */
export const fingerprintBytes = hashBytes + colourBytes;

/** The fingerprint of a picture. `pixels`: uint8 RGB, `[fingerprintSide, fingerprintSide, 3]`. */
export function fingerprintOf(pixels: Uint8Array): Uint8Array {
  const fingerprint = new Uint8Array(fingerprintBytes);
  const across = brightness(averages(pixels, grid + 1, grid));
  const down = brightness(averages(pixels, grid, grid + 1));
  let step = 0;
  const add = (before: number, after: number): void => {
    // Neighbouring steps go to different 16-bit bands of the hash, so that an empty margin does not empty a whole band.
    const bit = (step % 8) * 16 + Math.floor(step / 8);
    if (after - before > leastStep) fingerprint[bit >> 3]! |= 1 << (bit & 7);
    step++;
  };
  for (let y = 0; y < grid; y++) {
    for (let x = 0; x < grid; x++) {
      add(across[y * (grid + 1) + x]!, across[y * (grid + 1) + x + 1]!);
      add(down[y * grid + x]!, down[(y + 1) * grid + x]!);
    }
  }
  fingerprint.set(averages(pixels, grid, grid).map(Math.round), hashBytes);
  return fingerprint;
}

const grid = 8;
/** Steps of brightness (0..255) up to this are as likely noise as picture. */
const leastStep = 1;

/** Mean colour of each part of the picture. `[rows, columns, 3]` */
function averages(pixels: Uint8Array, columns: number, rows: number): Float64Array {
  const width = fingerprintSide / columns;
  const height = fingerprintSide / rows;
  const sums = new Float64Array(columns * rows * 3);
  let pixel = 0;
  for (let y = 0; y < fingerprintSide; y++) {
    const row = Math.floor(y / height) * columns;
    for (let x = 0; x < fingerprintSide; x++) {
      const part = 3 * (row + Math.floor(x / width));
      sums[part]! += pixels[pixel++]!;
      sums[part + 1]! += pixels[pixel++]!;
      sums[part + 2]! += pixels[pixel++]!;
    }
  }
  return sums.map((sum) => sum / (width * height));
}

/** ITU-R BT.601 luma. */
function brightness(colours: Float64Array): Float64Array {
  return Float64Array.from(
    { length: colours.length / 3 },
    (_, i) => 0.299 * colours[3 * i]! + 0.587 * colours[3 * i + 1]! + 0.114 * colours[3 * i + 2]!,
  );
}
