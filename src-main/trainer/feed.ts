import { closeSync, openSync, readSync } from 'node:fs';
import { totalmem } from 'node:os';
import type { PixelFile } from '../../shared/trainer-protocol.ts';
import { seenPixels, type Moves } from '../sat/augmentation.ts';
import { readLargeFile } from './large-file.ts';

/** Decoded pictures by index, as the network wants them. */
export interface PixelFeed {
  /** Writes the scaled pixels of the samples into `into`, `[indices, resolution, resolution, 3]`, moved where moves are given. */
  read(indices: Int32Array, into: Float32Array, moves?: Moves | null): void;
  samples: number;
  resolution: number;
  /** Floats per picture. */
  size: number;
  scale: ChannelScale;
  close(): void;
}

/** Per channel: what is taken off a pixel's byte, and what the rest is divided by. */
export interface ChannelScale {
  mean: number[];
  deviation: number[];
}

/** Pixels as they are, from 0 to 1. */
export const unitScale: ChannelScale = { mean: [0, 0, 0], deviation: [255, 255, 255] };

/** Past this share of the machine's memory no file is kept, but read piecewise, and the system's page cache decides what stays. */
const largestShareInMemory = 1 / 3;
const samplesForStatistics = 2000;

/**
 * Opens a pixel file. `standardised` scales each channel to mean 0 and variance 1 over (a sample of) the data set.
 * @param keep reads it into memory where that is not too much, for a reader that jumps about in it for hours
 * @throws Error when the file is shorter than it should be
 */
export function openPixelFeed(
  { path, samples, resolution }: PixelFile,
  wantedScale: ChannelScale | 'standardised',
  { keep = false } = {},
): PixelFeed {
  const size = resolution * resolution * 3;
  const fits = samples * size <= totalmem() * largestShareInMemory;
  const source = keep && fits ? readWhole(path) : readPiecewise(path);
  const scale =
    wantedScale === 'standardised'
      ? channelStatistics(samples, (index) => source.read(index * size, size))
      : wantedScale;
  const { mean, deviation } = scale;
  // One table per channel: 256 possible values, so no arithmetic per pixel.
  const tables = mean.map((value, channel) =>
    Float32Array.from({ length: 256 }, (_, byte) => (byte - value) / deviation[channel]!),
  ) as ChannelTables;
  const plain = seenPixels(resolution, 0, false, 'reflect');
  return {
    samples,
    resolution,
    size,
    scale,
    read: (indices, into, moves = null) => {
      for (let i = 0; i < indices.length; i++) {
        const picture = into.subarray(i * size, (i + 1) * size);
        const bytes = source.read(indices[i]! * size, size);
        if (moves === null) {
          scalePicture(bytes, tables, picture, plain, plain);
          continue;
        }
        const [down, right, mirrored] = moves.offsets.subarray(3 * i) as unknown as [number, number, number];
        const rows = seenPixels(resolution, down, false, moves.border);
        const columns = seenPixels(resolution, right, mirrored === 1, moves.border);
        scalePicture(bytes, tables, picture, rows, columns);
      }
    },
    close: source.close,
  };
}

type ChannelTables = [red: Float32Array, green: Float32Array, blue: Float32Array];

/**
 * Scales one picture and moves it on the way, straight from the file's bytes.
 * @param rows which of the picture's rows is seen in each row, and the same for `columns`; −1 for black
 */
function scalePicture(
  bytes: Uint8Array,
  [red, green, blue]: ChannelTables,
  into: Float32Array,
  rows: Int32Array,
  columns: Int32Array,
): void {
  const side = rows.length;
  let to = 0;
  for (let y = 0; y < side; y++) {
    const row = rows[y]!;
    for (let x = 0; x < side; x++) {
      const column = columns[x]!;
      if (row < 0 || column < 0) {
        into[to] = red[0]!;
        into[to + 1] = green[0]!;
        into[to + 2] = blue[0]!;
      } else {
        const from = (row * side + column) * 3;
        into[to] = red[bytes[from]!]!;
        into[to + 1] = green[bytes[from + 1]!]!;
        into[to + 2] = blue[bytes[from + 2]!]!;
      }
      to += 3;
    }
  }
}

interface ByteSource {
  /** The bytes from an offset on, good until the next call. */
  read(offset: number, length: number): Uint8Array;
  close(): void;
}

function readWhole(path: string): ByteSource {
  const bytes = readLargeFile(path);
  return {
    read: (offset, length) => {
      if (offset + length > bytes.length) throw shortFile(path);
      return bytes.subarray(offset, offset + length);
    },
    close: () => undefined,
  };
}

function readPiecewise(path: string): ByteSource {
  const descriptor = openSync(path, 'r');
  let piece = new Uint8Array();
  return {
    read: (offset, length) => {
      if (piece.length !== length) piece = new Uint8Array(length);
      if (readSync(descriptor, piece, 0, length, offset) < length) throw shortFile(path);
      return piece;
    },
    close: () => closeSync(descriptor),
  };
}

function shortFile(path: string): Error {
  return new Error(`The pixel cache ${path} is shorter than it should be; delete it and start the training again.`);
}

function channelStatistics(samples: number, read: (index: number) => Uint8Array): ChannelScale {
  const sum = [0, 0, 0];
  const sumOfSquares = [0, 0, 0];
  const used = Math.min(samples, samplesForStatistics);
  let pixels = 0;
  for (let i = 0; i < used; i++) {
    const picture = read(Math.floor((i * samples) / used));
    pixels += picture.length / 3;
    for (let p = 0; p < picture.length; p++) {
      const value = picture[p]!;
      sum[p % 3]! += value;
      sumOfSquares[p % 3]! += value * value;
    }
  }
  const mean = sum.map((total) => total / pixels);
  // A constant channel (all black, say) must not divide by zero.
  const deviation = sumOfSquares.map((total, c) => Math.max(1, Math.sqrt(Math.max(0, total / pixels - mean[c]! ** 2))));
  return { mean, deviation };
}
