import { open } from 'node:fs/promises';
import { totalmem } from 'node:os';
import path from 'node:path';
import { expect, it } from 'vitest';
import { openPixelFeed, unitScale } from '../../src-main/trainer/feed.ts';
import { temporaryFolder } from '../dataset/pictures.ts';

const resolution = 96;
const size = resolution * resolution * 3;
/** 2.1 GiB of pixels. */
const samples = 83_000;

// With less memory the file is read piecewise.
it.skipIf(totalmem() < 3 * samples * size + 2 ** 30)(
  'reads pixels of more than 2 GiB, which Node reads in no one go',
  async () => {
    const file = path.join(await temporaryFolder(), 'large.pixels');
    await using handle = await open(file, 'w');
    // A hole, but for the last picture.
    await handle.write(new Uint8Array(size).fill(51), 0, size, (samples - 1) * size);
    const feed = openPixelFeed({ path: file, samples, resolution }, unitScale, { keep: true });
    const pictures = new Float32Array(2 * size);
    feed.read(Int32Array.of(0, samples - 1), pictures);
    feed.close();
    expect(new Set(pictures.subarray(0, size))).toEqual(new Set([0]));
    expect(new Set(pictures.subarray(size))).toEqual(new Set([Math.fround(0.2)]));
  },
);
