export type ImageFormat = 'jpeg' | 'png' | 'webp' | 'gif' | 'tiff' | 'avif' | 'bmp';

export interface ImageSize {
  width: number;
  height: number;
}

/** What the first bytes of a file say it is: a format we read, an image format we do not, or no image at all. */
export type DetectedFormat =
  { kind: 'image'; format: ImageFormat } | { kind: 'unsupported'; name: string } | { kind: 'other' };

/** Detects the format by the magic bytes; the name is never trusted. Twelve bytes suffice for all but AVIF's compatible brands. */
export function detectFormat(bytes: Uint8Array): DetectedFormat {
  const image = (format: ImageFormat): DetectedFormat => ({ kind: 'image', format });
  const unsupported = (name: string): DetectedFormat => ({ kind: 'unsupported', name });
  const starts = (...magic: number[]): boolean => magic.every((byte, index) => bytes[index] === byte);
  const text = (from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));

  if (starts(0xff, 0xd8, 0xff)) return image('jpeg');
  if (starts(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return image('png');
  if (text(0, 4) === 'GIF8') return image('gif');
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return image('webp');
  // Classic and Big TIFF, both byte orders.
  if (starts(0x49, 0x49, 42, 0) || starts(0x49, 0x49, 43, 0)) return image('tiff');
  if (starts(0x4d, 0x4d, 0, 42) || starts(0x4d, 0x4d, 0, 43)) return image('tiff');
  if (text(0, 2) === 'BM') return image('bmp');
  if (text(4, 8) === 'ftyp') return detectIsoMedia(bytes);
  if (starts(0xff, 0x0a) || text(4, 8) === 'JXL ') return unsupported('JPEG XL');
  if (text(4, 8) === 'jP  ') return unsupported('JPEG 2000');
  if (text(0, 4) === '8BPS') return unsupported('Photoshop');
  return { kind: 'other' };
}

/** The format that a file name promises, null if its extension is none of an image format that we read. */
export function formatOfName(name: string): ImageFormat | null {
  return formatByExtension.get(extensionOf(name)) ?? null;
}

/**
 * Whether a file is worth opening: its extension is one of an image format (also of formats that can only be reported as
 * unsupported), or it has none, as in many research data sets.
 */
export function mayBeImage(name: string): boolean {
  const extension = extensionOf(name);
  return extension === '' || formatByExtension.has(extension) || unsupportedExtensions.has(extension);
}

/** Lower case, without the dot; empty if there is none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= name.lastIndexOf('/') + 1 ? '' : name.slice(dot + 1).toLowerCase();
}

export const contentTypes: Record<ImageFormat, string> = {
  jpeg: 'image/jpeg',
  png: 'image/png',
  webp: 'image/webp',
  gif: 'image/gif',
  tiff: 'image/tiff',
  avif: 'image/avif',
  bmp: 'image/bmp',
};

/** Every current browser engine shows all of ours but TIFF. */
export function isBrowserFormat(format: ImageFormat): boolean {
  return format !== 'tiff';
}

/** For people. */
export function formatName(format: ImageFormat): string {
  return format === 'webp' ? 'WebP' : format.toUpperCase();
}

/**
 * Whether the file stops before its format says that it ends. Looked at only after decoding has failed, to tell a cut file from a
 * broken one; decoders word the difference each in their own way.
 */
export function looksTruncated(bytes: Uint8Array, format: ImageFormat): boolean {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const tail = view.subarray(-1024);
  switch (format) {
    case 'jpeg':
      return !tail.includes(Buffer.from([0xff, 0xd9]));
    case 'png':
      return !tail.includes('IEND');
    case 'gif':
      // The trailer is the last byte; some writers pad with zeros.
      return tail.findLast((byte) => byte !== 0) !== 0x3b;
    case 'webp':
      return view.length < 12 || view.readUInt32LE(4) + 8 > view.length;
    case 'bmp':
      return view.length < 26 || view.readUInt32LE(2) > view.length;
    case 'avif':
      return isoMediaEndsEarly(view);
    case 'tiff':
      return tiffDirectoryLiesOutside(view);
  }
}

/**
 * Width and height as the picture is shown, that is after the EXIF orientation; null where it takes more than a glance at the header. A
 * tenth of the cost of asking the decoder, which counts when pictures are small and many.
 */
export function peekSize(bytes: Uint8Array, format: ImageFormat): ImageSize | null {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (format === 'png') return peekPng(view);
  return format === 'jpeg' ? peekJpeg(view) : null;
}

const formatByExtension = new Map<string, ImageFormat>([
  ['jpg', 'jpeg'],
  ['jpeg', 'jpeg'],
  ['jpe', 'jpeg'],
  ['jfif', 'jpeg'],
  ['png', 'png'],
  ['webp', 'webp'],
  ['gif', 'gif'],
  ['tif', 'tiff'],
  ['tiff', 'tiff'],
  ['avif', 'avif'],
  ['bmp', 'bmp'],
  ['dib', 'bmp'],
]);

const unsupportedExtensions = new Set(['heic', 'heif', 'jxl', 'jp2', 'j2k', 'psd']);

/** The header chunk is always the first. Where a later one may turn the picture, the decoder knows better. */
function peekPng(view: Buffer): ImageSize | null {
  for (let start = 8; start + 12 <= view.length; start += 12 + view.readUInt32BE(start)) {
    const type = view.toString('latin1', start + 4, start + 8);
    if (type === 'eXIf') return null;
    if ((type === 'tEXt' || type === 'zTXt') && view.toString('latin1', start + 8, start + 19) === 'Raw profile')
      return null;
  }
  return view.length < 24 ? null : { width: view.readUInt32BE(16), height: view.readUInt32BE(20) };
}

/** Goes through the segments up to the first scan. */
function peekJpeg(view: Buffer): ImageSize | null {
  let size: ImageSize | null = null;
  let orientation: number | null = null;
  for (let start = 2; start + 4 <= view.length; start += 2 + view.readUInt16BE(start + 2)) {
    const marker = view[start + 1]!;
    if (view[start] !== 0xff) return null;
    if (marker === startOfScan) {
      const turned = orientation !== null && orientation > 4;
      return size !== null && turned ? { width: size.height, height: size.width } : size;
    }
    if (isStartOfFrame(marker) && start + 9 <= view.length) {
      size = { width: view.readUInt16BE(start + 7), height: view.readUInt16BE(start + 5) };
    } else if (marker === app1 && view.toString('latin1', start + 4, start + 10) === 'Exif\0\0') {
      const read = readOrientation(view.subarray(start + 10, start + 2 + view.readUInt16BE(start + 2)));
      // Which of two the decoder goes by is not for us to know.
      if (read === null || orientation !== null) return null;
      orientation = read;
    }
  }
  return null;
}

const startOfScan = 0xda;
const app1 = 0xe1;

/** SOF0 … SOF15 without the tables (DHT, JPG, DAC) that lie among them. */
function isStartOfFrame(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** The EXIF orientation, 1 … 8 and 1 where none is given; null for data that is not as it should be. */
function readOrientation(exif: Buffer): number | null {
  const order = exif.toString('latin1', 0, 2);
  if (exif.length < 8 || (order !== 'II' && order !== 'MM')) return null;
  const read16 = (at: number): number => (order === 'II' ? exif.readUInt16LE(at) : exif.readUInt16BE(at));
  const read32 = (at: number): number => (order === 'II' ? exif.readUInt32LE(at) : exif.readUInt32BE(at));
  const directory = read32(4);
  if (read16(2) !== 42 || directory + 2 > exif.length) return null;
  const end = directory + 2 + 12 * read16(directory);
  if (end > exif.length) return null;
  for (let entry = directory + 2; entry < end; entry += 12) {
    if (read16(entry) !== orientationTag) continue;
    const value = read16(entry + 8);
    return read16(entry + 2) === typeShort && read32(entry + 4) === 1 && value >= 1 && value <= 8 ? value : null;
  }
  return 1;
}

const orientationTag = 0x0112;
const typeShort = 3;

/** The ISO media family tells its members by brands: the major one at 8, compatible ones from 16 to the end of the first box. */
function detectIsoMedia(bytes: Uint8Array): DetectedFormat {
  const size = Buffer.from(bytes.buffer, bytes.byteOffset, 4).readUInt32BE(0);
  const brands = Buffer.from(bytes.subarray(8, Math.min(size, 256, bytes.length))).toString('latin1');
  if (brands.includes('avif') || brands.includes('avis')) return { kind: 'image', format: 'avif' };
  if (/heic|heix|heim|heis|hevc|hevx|mif1|msf1/.test(brands)) return { kind: 'unsupported', name: 'HEIC' };
  return { kind: 'other' };
}

/** Whether the chain of top-level boxes runs past the end of the file. */
function isoMediaEndsEarly(view: Buffer): boolean {
  let position = 0;
  while (position + 8 <= view.length) {
    const size = view.readUInt32BE(position);
    if (size === 0) return false;
    if (size < 8) return false;
    position += size;
  }
  return position !== view.length;
}

/** TIFF writers put the directory last more often than not, so a cut file usually points past its own end. */
function tiffDirectoryLiesOutside(view: Buffer): boolean {
  if (view.length < 8) return true;
  const offset = view[0] === 0x49 ? view.readUInt32LE(4) : view.readUInt32BE(4);
  return offset + 2 > view.length;
}
