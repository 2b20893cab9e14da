import sharp, { type Sharp } from 'sharp';
import { describe, expect, test } from 'vitest';
import { decodeSquare, inspectAndThumbnail, maxPixels, toBrowserImage } from '../../src-main/dataset/decode.ts';
import { twoColours } from './pictures.ts';

describe('every format decodes to the same red and blue halves', () => {
  const formats: Record<string, () => Promise<Buffer>> = {
    jpeg: () => twoColours().jpeg({ quality: 100, chromaSubsampling: '4:4:4' }).toBuffer(),
    'progressive jpeg': () => twoColours().jpeg({ progressive: true, quality: 100 }).toBuffer(),
    png: () => twoColours().png().toBuffer(),
    'palette png': () => twoColours().png({ palette: true }).toBuffer(),
    '16-bit png': () => twoColours().toColourspace('rgb16').png().toBuffer(),
    'png with alpha': () => twoColours().ensureAlpha().png().toBuffer(),
    webp: () => twoColours().webp({ lossless: true }).toBuffer(),
    gif: () => twoColours().gif().toBuffer(),
    tiff: () => twoColours().tiff({ compression: 'lzw' }).toBuffer(),
    '16-bit tiff': () => twoColours().toColourspace('rgb16').tiff().toBuffer(),
    avif: () => twoColours().avif({ lossless: true }).toBuffer(),
    bmp: async () => encodeBmp24(await twoColours().raw().toBuffer(), 40, 20),
  };
  test.each(Object.keys(formats))('%s', async (name) => {
    const bytes = await formats[name]!();
    const inspected = await inspectAndThumbnail(bytes);
    expect(inspected).toMatchObject({ ok: true, value: { width: 40, height: 20 } });
    expect(await halves(bytes)).toEqual(['red', 'blue']);
  });
});

test('CMYK becomes sRGB', async () => {
  const bytes = await twoColours().toColourspace('cmyk').jpeg({ quality: 100 }).toBuffer();
  expect((await sharp(bytes).metadata()).space).toBe('cmyk');
  expect(await halves(bytes)).toEqual(['red', 'blue']);
});

test('grayscale, 16-bit and with alpha, becomes three equal channels', async () => {
  const grey = sharp(Buffer.alloc(16 * 16, 200), { raw: { width: 16, height: 16, channels: 1 } }).toColourspace('b-w');
  const sixteenBits = sharp(new Uint16Array(16 * 16).fill(200 * 257), {
    raw: { width: 16, height: 16, channels: 1 },
  }).toColourspace('grey16');
  for (const bytes of [await grey.png().toBuffer(), await sixteenBits.png().toBuffer()]) {
    const pixels = await decodeSquare(bytes, 8);
    expect([pixels.length, Math.min(...pixels), Math.max(...pixels)]).toEqual([8 * 8 * 3, 200, 200]);
  }
});

test('transparent pixels are mid-grey', async () => {
  const clear = await sharp({
    create: { width: 8, height: 8, channels: 4, background: { r: 255, g: 0, b: 0, alpha: 0 } },
  })
    .png()
    .toBuffer();
  expect([...new Set(await decodeSquare(clear, 8))]).toEqual([128]);
});

test('EXIF orientation is applied, to the size and to the pixels', async () => {
  const turned = await twoColours().rotate(90).withMetadata({ orientation: 8 }).jpeg({ quality: 100 }).toBuffer();
  expect(await sharp(turned).metadata()).toMatchObject({ width: 20, height: 40, orientation: 8 });
  expect(await inspectAndThumbnail(turned)).toMatchObject({ ok: true, value: { width: 40, height: 20 } });
  expect(await halves(turned)).toEqual(['red', 'blue']);
});

test('only the first frame of an animation counts', async () => {
  const frames = await Promise.all(
    [twoColours(), twoColours(40, 20, '#00e000', '#00e000')].map((each) => each.png().toBuffer()),
  );
  const bytes = await sharp(frames, { join: { animated: true } })
    .gif()
    .toBuffer();
  expect((await sharp(bytes, { animated: true }).metadata()).pages).toBe(2);
  expect(await inspectAndThumbnail(bytes)).toMatchObject({ ok: true, value: { width: 40, height: 20 } });
  expect(await halves(bytes)).toEqual(['red', 'blue']);
});

describe('thumbnails', () => {
  test('a large picture gets one of 256 pixels, a small one serves as its own', async () => {
    const large = await inspectAndThumbnail(await twoColours(1200, 300).jpeg().toBuffer());
    if (!large.ok || large.value.thumbnail === null) throw new Error('expected a thumbnail');
    expect(await sharp(large.value.thumbnail).metadata()).toMatchObject({ width: 256, height: 64, format: 'jpeg' });
    expect(await inspectAndThumbnail(await twoColours(256, 256).png().toBuffer())).toMatchObject({
      value: { thumbnail: null },
    });
  });

  test('what a browser cannot show gets one at any size, and a full view', async () => {
    const tiff = await twoColours().tiff().toBuffer();
    expect((await inspectAndThumbnail(tiff)).ok && (await toBrowserImage(tiff)).contentType).toBe('image/jpeg');
    expect(await inspectAndThumbnail(tiff)).not.toMatchObject({ value: { thumbnail: null } });
    const png = await twoColours().png().toBuffer();
    expect(await toBrowserImage(png)).toEqual({ bytes: png, contentType: 'image/png' });
  });
});

describe('damaged files are told apart', () => {
  const noisy = async (): Promise<Sharp> =>
    sharp({
      create: {
        width: 300,
        height: 300,
        channels: 3,
        background: 'grey',
        noise: { type: 'gaussian', mean: 128, sigma: 60 },
      },
    });

  test.each(['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif'] as const)('a cut %s', async (format) => {
    const whole = await (await noisy()).toFormat(format).toBuffer();
    expect(await inspectAndThumbnail(whole)).toMatchObject({ ok: true });
    expect(await inspectAndThumbnail(whole.subarray(0, Math.floor(whole.length * 0.6)))).toMatchObject({
      ok: false,
      error: { kind: 'truncated' },
    });
  });

  test('empty, no picture, unsupported, damaged inside', async () => {
    const broken = await (await noisy()).png().toBuffer();
    broken.fill(0x55, 60, 4000);
    const kinds: unknown[] = [];
    for (const bytes of [
      Buffer.alloc(0),
      Buffer.from('hello, this is text'),
      Buffer.from('\0\0\0\x18ftypheic\0\0\0\0mif1heic'),
      broken,
    ]) {
      const inspected = await inspectAndThumbnail(bytes);
      kinds.push(inspected.ok || inspected.error.kind);
    }
    expect(kinds).toEqual(['empty', 'unreadable', 'unsupported', 'unreadable']);
  });

  test('more than 100 megapixels are refused by the header', async () => {
    const side = Math.ceil(Math.sqrt(maxPixels)) + 1;
    const bytes = await sharp({
      create: { width: side, height: side, channels: 3, background: 'red' },
      limitInputPixels: false,
    })
      .png({ compressionLevel: 1 })
      .toBuffer();
    const started = performance.now();
    expect(await inspectAndThumbnail(bytes)).toMatchObject({ ok: false, error: { kind: 'too-large' } });
    expect(performance.now() - started).toBeLessThan(200);
  });
});

/** What the two halves of a decoded square look like. */
async function halves(bytes: Buffer): Promise<string[]> {
  const side = 16;
  const pixels = await decodeSquare(bytes, side);
  expect(pixels.length).toBe(side * side * 3);
  return [2, 13].map((x) => {
    const [red, green, blue] = pixels.subarray((8 * side + x) * 3, (8 * side + x) * 3 + 3);
    if (green! > 70) return 'other';
    return red! > 180 && blue! < 90 ? 'red' : blue! > 120 && red! < 90 ? 'blue' : 'other';
  });
}

/** From RGB rows, top to bottom. */
function encodeBmp24(rgb: Buffer, width: number, height: number): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + rowBytes * height);
  bytes.write('BM');
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      for (let c = 0; c < 3; c++)
        bytes[54 + (height - 1 - y) * rowBytes + x * 3 + c] = rgb[(y * width + x) * 3 + 2 - c]!;
    }
  }
  return bytes;
}
