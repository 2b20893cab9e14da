import { expect, test } from 'vitest';
import { decodeBmp } from '../../src-main/dataset/bmp.ts';

const red = [255, 0, 0, 255];
const green = [0, 255, 0, 255];
const blue = [0, 0, 255, 255];
const white = [255, 255, 255, 255];
/** Blue, green, red, 0. */
const palette = [0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0, 255, 255, 255, 0];

// A picture of 3 × 2 pixels in every depth: red green blue over white red green. Rows are stored bottom up and padded to 4 bytes.
const picture = [...red, ...green, ...blue, ...white, ...red, ...green];

test.each([
  ['4 bits, odd width', bmp({ bits: 4, palette, pixels: [0x30, 0x10, 0, 0, 0x01, 0x20, 0, 0] })],
  ['8 bits', bmp({ bits: 8, palette, pixels: [3, 0, 1, 0, 0, 1, 2, 0] })],
  ['8 bits, top down', bmp({ bits: 8, palette, height: -2, pixels: [0, 1, 2, 0, 3, 0, 1, 0] })],
  ['8 bits, a gap before the pixels', bmp({ bits: 8, palette, gap: 10, pixels: [3, 0, 1, 0, 0, 1, 2, 0] })],
  [
    'run lengths of 8 bits',
    bmp({ bits: 8, palette, compression: 1, pixels: [1, 3, 1, 0, 1, 1, 0, 0, 0, 3, 0, 1, 2, 0, 0, 1] }),
  ],
  [
    'run lengths of 4 bits',
    bmp({ bits: 4, palette, compression: 2, pixels: [2, 0x30, 1, 0x10, 0, 0, 0, 3, 0x01, 0x20, 0, 1] }),
  ],
  ['16 bits', bmp({ bits: 16, pixels: [0xff, 0x7f, 0, 0x7c, 0xe0, 3, 0, 0, 0, 0x7c, 0xe0, 3, 0x1f, 0, 0, 0] })],
  [
    '24 bits',
    bmp({ bits: 24, pixels: [255, 255, 255, 0, 0, 255, 0, 255, 0, 0, 0, 0, 0, 0, 255, 0, 255, 0, 255, 0, 0, 0, 0, 0] }),
  ],
  [
    '32 bits, nothing in the fourth byte',
    bmp({ bits: 32, pixels: [255, 255, 255, 0, 0, 0, 255, 0, 0, 255, 0, 0, 0, 0, 255, 0, 0, 255, 0, 0, 255, 0, 0, 0] }),
  ],
])('%s', (_name, bytes) => {
  const { width, height, data } = decodeBmp(bytes);
  expect({ width, height, data: [...data] }).toEqual({ width: 3, height: 2, data: picture });
});

test('masks with alpha', () => {
  const bytes = bmp({
    bits: 32,
    width: 1,
    height: 1,
    compression: 6,
    masks: [0xff, 0xff00, 0xff0000, 0xff000000],
    pixels: [9, 8, 7, 100],
  });
  expect([...decodeBmp(bytes).data]).toEqual([9, 8, 7, 100]);
});

test('a cut file throws instead of inventing pixels', () => {
  const whole = bmp({ bits: 8, palette, pixels: [3, 0, 1, 0, 0, 1, 2, 0] });
  expect(() => decodeBmp(whole.subarray(0, whole.length - 2))).toThrow(RangeError);
});

interface Parts {
  bits: number;
  pixels: number[];
  palette?: number[];
  masks?: number[];
  width?: number;
  height?: number;
  compression?: number;
  /** Unused bytes before the pixels. */
  gap?: number;
}

function bmp({
  bits,
  pixels,
  palette: colours = [],
  masks = [],
  width = 3,
  height = 2,
  compression = 0,
  gap = 0,
}: Parts): Buffer {
  const header = Buffer.alloc(54);
  const maskBytes = Buffer.alloc(masks.length * 4);
  masks.forEach((mask, index) => maskBytes.writeUInt32LE(mask, index * 4));
  const pixelOffset = 54 + maskBytes.length + colours.length + gap;
  header.write('BM');
  header.writeUInt32LE(pixelOffset + pixels.length, 2);
  header.writeUInt32LE(pixelOffset, 10);
  header.writeUInt32LE(40, 14);
  header.writeInt32LE(width, 18);
  header.writeInt32LE(height, 22);
  header.writeUInt16LE(1, 26);
  header.writeUInt16LE(bits, 28);
  header.writeUInt32LE(compression, 30);
  header.writeUInt32LE(colours.length / 4, 46);
  return Buffer.concat([header, maskBytes, Buffer.from(colours), Buffer.alloc(gap, 0xee), Buffer.from(pixels)]);
}
