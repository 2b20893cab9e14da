import { availableParallelism } from 'node:os';
import sharp, { type Sharp } from 'sharp';
import type { ProblemKind } from '../../shared/domain.ts';
import { errorMessage, type Result } from '../../shared/result.ts';
import { decodeBmp, readBmpHeader } from './bmp.ts';
import {
  contentTypes,
  detectFormat,
  formatName,
  isBrowserFormat,
  looksTruncated,
  peekSize,
  type ImageFormat,
  type ImageSize,
} from './image-format.ts';

/** Why a file's picture cannot be used. */
export interface ImageProblem {
  kind: ProblemKind;
  reason: string;
}

export interface Inspection {
  format: ImageFormat;
  /** Pixels as shown, that is after the EXIF orientation. */
  width: number;
  height: number;
  /** JPEG of at most `thumbnailSide` pixels a side; null when the file itself serves as its thumbnail. */
  thumbnail: Uint8Array | null;
}

export interface EncodedImage {
  bytes: Uint8Array;
  contentType: string;
}

/** Longest side of a thumbnail, pixels. */
export const thumbnailSide = 256;
/** Larger pictures are refused before they are decoded: 100 megapixels are 300 MB once unpacked. */
export const maxPixels = 100_000_000;
/** Larger files are refused before they are read. 100 megapixels of 16-bit RGBA are 0.8 GB. */
export const maxFileBytes = 1_000_000_000;

/** Colour under transparent pixels: white would hide white drawings and black black ones; mid-grey hides neither, and is a network's zero. */
const background = { r: 128, g: 128, b: 128 };

// One thread a picture and as many pictures at once as there are cores: twice as fast on small pictures as threads within one.
sharp.concurrency(1);
// libuv's four threads would leave cores idle. It reads this when its first thread starts, which importing modules does not cause.
process.env['UV_THREADPOOL_SIZE'] ??= String(Math.max(4, availableParallelism() + 2));
// Files are read once; libvips' cache of operations would only hold memory.
sharp.cache(false);

/**
 * Reads header and pixels of a file and makes its thumbnail. All pixels are decoded, also when no thumbnail is needed, so that a
 * damaged file is known at import and not in the middle of training.
 */
export async function inspectAndThumbnail(bytes: Uint8Array): Promise<Result<Inspection, ImageProblem>> {
  const detected = detectFormat(bytes);
  if (bytes.length === 0) return problem('empty', 'The file is empty; copy it again from where it came from.');
  if (detected.kind === 'other')
    return problem(
      'unreadable',
      'The file is not a picture in a format that Winnow knows (JPEG, PNG, WebP, GIF, TIFF, AVIF, BMP).',
    );
  if (detected.kind === 'unsupported')
    return problem(
      'unsupported',
      `${detected.name} pictures cannot be read; convert it to JPEG or PNG and import again.`,
    );

  const { format } = detected;
  try {
    const size = peekSize(bytes, format) ?? (await readSize(bytes, format));
    const { width, height } = size;
    if (width * height > maxPixels) {
      const megapixels = Math.round((width * height) / 1e6);
      return problem(
        'too-large',
        `The picture has ${width} × ${height} pixels (${megapixels} megapixels; at most ${maxPixels / 1e6} are read); make it smaller and import again.`,
      );
    }
    const thumbnail = await whenItsTurn(width * height, async () => {
      if (!isOwnThumbnail(bytes, format, size)) return await encodeThumbnail(open(bytes, format));
      // Taking the raw pixels is the cheapest complete decode.
      await open(bytes, format).raw().toBuffer();
      return null;
    });
    return { ok: true, value: { format, width, height, thumbnail } };
  } catch (error) {
    if (looksTruncated(bytes, format))
      return problem(
        'truncated',
        `The ${formatName(format)} file ends before its picture does; copy it again from where it came from.`,
      );
    return problem(
      'unreadable',
      `The ${formatName(format)} file is damaged (${firstLine(error)}); copy it again from where it came from, or open and save it in an image editor.`,
    );
  }
}

/** The picture in full size in a format that a browser can show: the file as it is where possible, else a JPEG. */
export async function toBrowserImage(bytes: Uint8Array): Promise<EncodedImage> {
  const detected = detectFormat(bytes);
  if (detected.kind !== 'image') throw new Error('The file is not a picture any more.');
  if (isBrowserFormat(detected.format)) return { bytes, contentType: contentTypes[detected.format] };
  const jpeg = await open(bytes, detected.format).flatten({ background }).jpeg({ quality: 92 }).toBuffer();
  return { bytes: jpeg, contentType: contentTypes.jpeg };
}

/**
 * Pixels for training: uint8 sRGB, `[resolution, resolution, 3]`. The picture is squashed to a square, not cropped: what the label
 * names may lie at an edge, and a crop that loses it would raise a doubt about a right label.
 */
export async function decodeSquare(bytes: Uint8Array, resolution: number): Promise<Uint8Array> {
  const detected = detectFormat(bytes);
  if (detected.kind !== 'image') throw new Error('The file is not a picture any more.');
  const { data, info } = await open(bytes, detected.format)
    .resize(resolution, resolution, { fit: 'fill' })
    .flatten({ background })
    .toColourspace('srgb')
    .raw()
    .toBuffer({ resolveWithObject: true });
  return info.channels === 3 ? data : toThreeChannels(data, info.channels);
}

/** Above this a file is no thumbnail, however few its pixels: animations and 16-bit pictures can be heavy. */
const ownThumbnailBytes = 128 * 1024;

/** Pictures above this many pixels are decoded one at a time, so that memory does not grow with the number of cores. */
const largePicturePixels = 24_000_000;

let largePictureDone: Promise<unknown> = Promise.resolve();

function isOwnThumbnail(bytes: Uint8Array, format: ImageFormat, { width, height }: ImageSize): boolean {
  return isBrowserFormat(format) && Math.max(width, height) <= thumbnailSide && bytes.length <= ownThumbnailBytes;
}

async function encodeThumbnail(image: Sharp): Promise<Uint8Array> {
  return await image
    // Cubic instead of Lanczos saves a twentieth of the import; at this size nobody sees the difference.
    .resize(thumbnailSide, thumbnailSide, { fit: 'inside', withoutEnlargement: true, kernel: 'cubic' })
    .flatten({ background })
    // The second pass for optimal Huffman tables costs a fifth of the whole import and saves a few hundred bytes.
    .jpeg({ quality: 80, optimiseCoding: false })
    .toBuffer();
}

/** The file as a pipeline: first frame, upright, refusing what is damaged. */
function open(bytes: Uint8Array, format: ImageFormat): Sharp {
  if (format === 'bmp') {
    const { width, height, data } = decodeBmp(bytes);
    return sharp(data, { raw: { width, height, channels: 4 } });
  }
  return sharp(bytes, { failOn: 'error', limitInputPixels: maxPixels, autoOrient: true });
}

async function readSize(bytes: Uint8Array, format: ImageFormat): Promise<ImageSize> {
  if (format === 'bmp') return readBmpHeader(bytes);
  // No limit here: the header alone allocates nothing, and the caller says better what is wrong.
  const { autoOrient } = await sharp(bytes, { limitInputPixels: false }).metadata();
  return autoOrient;
}

async function whenItsTurn<T>(pixels: number, work: () => Promise<T>): Promise<T> {
  if (pixels <= largePicturePixels) return await work();
  const turn = largePictureDone.then(work);
  largePictureDone = turn.catch(() => undefined);
  return await turn;
}

/** Grey, grey with alpha, or RGBA (alpha is already flattened away) to RGB. */
function toThreeChannels(data: Uint8Array, channels: number): Uint8Array {
  const pixels = data.length / channels;
  const rgb = new Uint8Array(pixels * 3);
  for (let pixel = 0; pixel < pixels; pixel++) {
    for (let channel = 0; channel < 3; channel++)
      rgb[pixel * 3 + channel] = data[pixel * channels + (channels < 3 ? 0 : channel)]!;
  }
  return rgb;
}

function problem(kind: ProblemKind, reason: string): { ok: false; error: ImageProblem } {
  return { ok: false, error: { kind, reason } };
}

function firstLine(error: unknown): string {
  return errorMessage(error).split('\n')[0]!.trim();
}
