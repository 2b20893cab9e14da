/*
 * Windows and OS/2 bitmaps, which libvips as built for sharp does not read. Written here because the decoders on the registry
 * stop at odd widths of 4 bits, ignore where the header says the pixels start, or swap the channels of palettes.
 * Layout: Microsoft, "Bitmap Storage" (BITMAPFILEHEADER, BITMAPCOREHEADER, BITMAPINFOHEADER, BITMAPV4HEADER, BITMAPV5HEADER).
 */

export interface BmpHeader {
  width: number;
  height: number;
  /** Rows are stored from the top; otherwise from the bottom. */
  topDown: boolean;
  bitsPerPixel: number;
  compression: number;
  /** Where the pixels start in the file. */
  pixelOffset: number;
  /** Where the palette starts, and its entries of `entryBytes` bytes each (blue, green, red, …). */
  paletteOffset: number;
  paletteEntries: number;
  entryBytes: 3 | 4;
  /** Bit masks of red, green, blue, alpha; used by 16 and 32 bits per pixel. */
  masks: [number, number, number, number];
}

/** RGBA, 8 bits, `[height, width, 4]`. */
export interface BmpPixels {
  width: number;
  height: number;
  data: Buffer;
}

/** Reads the header alone, so that dimensions can be judged before anything is allocated. Throws on a malformed one. */
export function readBmpHeader(bytes: Uint8Array): BmpHeader {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerSize = view.readUInt32LE(14);
  const pixelOffset = view.readUInt32LE(10);
  if (headerSize === 12) {
    const bitsPerPixel = view.readUInt16LE(24);
    const paletteEntries = bitsPerPixel <= 8 ? 2 ** bitsPerPixel : 0;
    const [width, height] = [view.readUInt16LE(18), view.readUInt16LE(20)];
    return checked({
      width,
      height,
      topDown: false,
      bitsPerPixel,
      compression: uncompressed,
      pixelOffset,
      paletteOffset: 26,
      paletteEntries,
      entryBytes: 3,
      masks: noMasks,
    });
  }
  if (headerSize < 40) throw new Error(`unknown BMP header of ${headerSize} bytes`);

  const signedHeight = view.readInt32LE(22);
  const bitsPerPixel = view.readUInt16LE(28);
  const compression = view.readUInt32LE(30);
  const colours = view.readUInt32LE(46);
  const hasMasks = compression === bitFields || compression === alphaBitFields;
  // After a 40-byte header the masks follow it; larger headers contain them, at the same place.
  const masksOutside = headerSize === 40 && hasMasks ? (compression === alphaBitFields ? 16 : 12) : 0;
  const hasAlphaMask = headerSize >= 56 || compression === alphaBitFields;
  return checked({
    width: view.readInt32LE(18),
    height: Math.abs(signedHeight),
    topDown: signedHeight < 0,
    bitsPerPixel,
    compression,
    pixelOffset,
    paletteOffset: 14 + headerSize + masksOutside,
    paletteEntries: bitsPerPixel <= 8 ? Math.min(colours === 0 ? 256 : colours, 2 ** bitsPerPixel) : 0,
    entryBytes: 4,
    masks: hasMasks
      ? [view.readUInt32LE(54), view.readUInt32LE(58), view.readUInt32LE(62), hasAlphaMask ? view.readUInt32LE(66) : 0]
      : bitsPerPixel === 16
        ? [0x7c00, 0x03e0, 0x001f, 0]
        : [0xff0000, 0xff00, 0xff, 0],
  });
}

/** Decodes the whole picture. Throws `RangeError` when the file ends too early. */
export function decodeBmp(bytes: Uint8Array): BmpPixels {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const header = readBmpHeader(view);
  const { width, height, bitsPerPixel, compression } = header;
  const runLength = compression === runLength8 || compression === runLength4;
  const rowBytes = Math.ceil((width * bitsPerPixel) / 32) * 4;
  if (!runLength && header.pixelOffset + rowBytes * height > view.length)
    throw new RangeError('the file ends before its last row');

  const data = Buffer.alloc(width * height * 4, 255);
  const palette = bitsPerPixel <= 8 ? readPalette(view, header) : null;
  if (palette !== null) {
    const indices = runLength ? readRunLength(view, header) : null;
    const pixelsPerByte = 8 / bitsPerPixel;
    for (let row = 0; row < height; row++) {
      const source = header.pixelOffset + row * rowBytes;
      let target = targetRow(header, row) * width * 4;
      for (let x = 0; x < width; x++, target += 4) {
        const index =
          indices !== null
            ? indices[row * width + x]!
            : (view[source + Math.floor(x / pixelsPerByte)]! >> (8 - bitsPerPixel * ((x % pixelsPerByte) + 1))) &
              (2 ** bitsPerPixel - 1);
        data[target] = palette[index * 3]!;
        data[target + 1] = palette[index * 3 + 1]!;
        data[target + 2] = palette[index * 3 + 2]!;
      }
    }
    return { width, height, data };
  }

  if (bitsPerPixel === 24) {
    for (let row = 0; row < height; row++) {
      let source = header.pixelOffset + row * rowBytes;
      let target = targetRow(header, row) * width * 4;
      for (let x = 0; x < width; x++, source += 3, target += 4) {
        data[target] = view[source + 2]!;
        data[target + 1] = view[source + 1]!;
        data[target + 2] = view[source]!;
      }
    }
    return { width, height, data };
  }

  const channels = header.masks.map(channelOfMask);
  const pixelBytes = bitsPerPixel / 8;
  let anyAlpha = false;
  for (let row = 0; row < height; row++) {
    const source = header.pixelOffset + row * rowBytes;
    let target = targetRow(header, row) * width * 4;
    for (let x = 0; x < width; x++, target += 4) {
      const pixel = pixelBytes === 2 ? view.readUInt16LE(source + x * 2) : view.readUInt32LE(source + x * 4);
      for (let channel = 0; channel < 4; channel++) {
        const { mask, shift, scale } = channels[channel]!;
        if (mask !== 0) data[target + channel] = Math.round((((pixel & mask) >>> 0) / shift) * scale);
      }
      anyAlpha ||= data[target + 3] !== 0;
    }
  }
  // Many writers declare alpha and leave it zero; a wholly invisible picture is never what was meant.
  if (!anyAlpha) for (let i = 3; i < data.length; i += 4) data[i] = 255;
  return { width, height, data };
}

const uncompressed = 0;
const runLength8 = 1;
const runLength4 = 2;
const bitFields = 3;
const alphaBitFields = 6;
const noMasks: [number, number, number, number] = [0, 0, 0, 0];

function checked(header: BmpHeader): BmpHeader {
  const { width, height, bitsPerPixel, compression } = header;
  if (width < 1 || height < 1) throw new Error(`a BMP of ${width} × ${height} pixels`);
  if (![1, 4, 8, 16, 24, 32].includes(bitsPerPixel)) throw new Error(`a BMP of ${bitsPerPixel} bits per pixel`);
  const known =
    compression === uncompressed ||
    (compression === runLength8 && bitsPerPixel === 8) ||
    (compression === runLength4 && bitsPerPixel === 4) ||
    ((compression === bitFields || compression === alphaBitFields) && (bitsPerPixel === 16 || bitsPerPixel === 32));
  if (!known) throw new Error(`a BMP of compression ${compression} with ${bitsPerPixel} bits per pixel`);
  return header;
}

function targetRow({ topDown, height }: BmpHeader, row: number): number {
  return topDown ? row : height - 1 - row;
}

/** RGB triples of all indices that the depth allows; what the file does not define is black. */
function readPalette(view: Buffer, { bitsPerPixel, paletteOffset, paletteEntries, entryBytes }: BmpHeader): Uint8Array {
  const palette = new Uint8Array(2 ** bitsPerPixel * 3);
  for (let index = 0; index < paletteEntries; index++) {
    const entry = paletteOffset + index * entryBytes;
    palette[index * 3] = view.readUInt8(entry + 2);
    palette[index * 3 + 1] = view.readUInt8(entry + 1);
    palette[index * 3 + 2] = view.readUInt8(entry);
  }
  return palette;
}

/** Palette indices in file order, `[height, width]`; skipped pixels are index 0. */
function readRunLength(view: Buffer, { width, height, compression, pixelOffset }: BmpHeader): Uint8Array {
  const indices = new Uint8Array(width * height);
  const fourBits = compression === runLength4;
  let position = pixelOffset;
  let x = 0;
  let row = 0;
  const put = (index: number): void => {
    if (x < width && row < height) indices[row * width + x] = index;
    x++;
  };
  while (row < height) {
    const count = view.readUInt8(position);
    const value = view.readUInt8(position + 1);
    position += 2;
    if (count > 0) {
      for (let i = 0; i < count; i++) put(fourBits ? (i % 2 === 0 ? value >> 4 : value & 15) : value);
    } else if (value === 0) {
      x = 0;
      row++;
    } else if (value === 1) {
      break;
    } else if (value === 2) {
      x += view.readUInt8(position);
      row += view.readUInt8(position + 1);
      position += 2;
    } else {
      const byteCount = fourBits ? Math.ceil(value / 2) : value;
      for (let i = 0; i < value; i++) {
        const byte = view.readUInt8(position + (fourBits ? i >> 1 : i));
        put(fourBits ? (i % 2 === 0 ? byte >> 4 : byte & 15) : byte);
      }
      // Absolute runs are padded to 16 bits.
      position += byteCount + (byteCount % 2);
    }
  }
  return indices;
}

/** How to bring a masked channel to 0..255: divide by the mask's lowest bit, then scale. */
function channelOfMask(mask: number): { mask: number; shift: number; scale: number } {
  if (mask === 0) return { mask: 0, shift: 1, scale: 0 };
  const shift = (mask & -mask) >>> 0;
  return { mask, shift, scale: 255 / ((mask >>> 0) / shift) };
}
