import sharp from 'sharp';
import { expect, test } from 'vitest';
import { peekSize } from '../../src-main/dataset/image-format.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { twoColours } from './pictures.ts';

const orientations = [1, 2, 3, 4, 5, 6, 7, 8];

test('a JPEG is as large as it is shown, whichever way EXIF turns it', async () => {
  for (const orientation of orientations) {
    const bytes = await twoColours().withMetadata({ orientation }).jpeg().toBuffer();
    expect(peekSize(bytes, 'jpeg')).toEqual(orientation > 4 ? { width: 20, height: 40 } : { width: 40, height: 20 });
    expect(peekSize(bytes, 'jpeg')).toEqual((await sharp(bytes).metadata()).autoOrient);
  }
  const progressive = await twoColours().jpeg({ progressive: true }).toBuffer();
  expect(peekSize(progressive, 'jpeg')).toEqual({ width: 40, height: 20 });
});

test('a PNG that may be turned is left to the decoder', async () => {
  expect(peekSize(await twoColours().png().toBuffer(), 'png')).toEqual({ width: 40, height: 20 });
  expect(peekSize(await twoColours().withMetadata({ orientation: 6 }).png().toBuffer(), 'png')).toBeNull();
});

test('the size of a picture with a broken header is the one that the decoder finds, or not known', async () => {
  const random = createRandom(1);
  const outcomes = { same: 0, unknown: 0 };
  for (const format of ['jpeg', 'png'] as const) {
    for (let i = 0; i < 400; i++) {
      const bytes = await twoColours()
        .withMetadata({ orientation: orientations[i % 8]! })
        .toFormat(format)
        .toBuffer();
      const whole = peekSize(bytes, format);
      // Behind the first bytes, which say the format.
      for (let change = 0; change < 1 + random.integer(3); change++)
        bytes[8 + random.integer(200)] = random.integer(256);
      const peeked = peekSize(bytes, format);
      const decoded = await sharp(bytes, { failOn: 'error' })
        .autoOrient()
        .raw()
        .toBuffer({ resolveWithObject: true })
        .catch(() => null);
      // What cannot be decoded becomes a problem, whatever its size was taken for.
      if (decoded === null) continue;
      const { width, height } = decoded.info;
      if (peeked !== null) expect({ i, format, ...peeked }).toEqual({ i, format, width, height });
      outcomes[peeked !== null && whole !== null ? 'same' : 'unknown']++;
    }
  }
  expect(outcomes.same).toBeGreaterThan(50);
});
