/*
 * What a picture looks like from afar, so that nearly identical ones can be found whatever their size and format: 128 bits that say
 * where it becomes brighter from left to right and from top to bottom (a difference hash), its colours on a coarse grid, and on a
 * finer one how much brighter each part is than those around it. The bits are for finding candidates quickly, the rest for judging
 * them: colours tell apart what has the same outline, detail what stands before the same background.
 */

/** Side of the square that a picture is squashed to first; its 9 × 8, 8 × 9 and 24 × 24 parts are whole pixels. */
export const fingerprintSide = 72;
export const hashBytes = 16;
export const colourBytes = 8 * 8 * 3;
export const detailBytes = 24 * 24;
/** `[hashBytes]` bits, then `[8, 8, 3]` colours, then `[24, 24]` detail. */
export const fingerprintBytes = hashBytes + colourBytes + detailBytes;

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
  fingerprint.set(detail(brightness(averages(pixels, fineGrid, fineGrid))), hashBytes + colourBytes);
  return fingerprint;
}

const grid = 8;
const fineGrid = 24;
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

/** Brightness above the mean of the 3 × 3 parts around, in half levels, 128 for none. */
function detail(values: Float64Array): Uint8ClampedArray {
  return Uint8ClampedArray.from(values, (value, i) => {
    const [x, y] = [i % fineGrid, Math.floor(i / fineGrid)];
    let sum = 0;
    let parts = 0;
    for (let row = Math.max(0, y - 1); row <= Math.min(fineGrid - 1, y + 1); row++) {
      for (let column = Math.max(0, x - 1); column <= Math.min(fineGrid - 1, x + 1); column++) {
        sum += values[row * fineGrid + column]!;
        parts++;
      }
    }
    return 128 + 2 * (value - sum / parts);
  });
}

/** ITU-R BT.601 luma. */
function brightness(colours: Float64Array): Float64Array {
  return Float64Array.from(
    { length: colours.length / 3 },
    (_, i) => 0.299 * colours[3 * i]! + 0.587 * colours[3 * i + 1]! + 0.114 * colours[3 * i + 2]!,
  );
}
