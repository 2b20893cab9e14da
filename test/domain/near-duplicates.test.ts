import sharp, { type Sharp } from 'sharp';
import { describe, expect, it } from 'vitest';
import { decodeSquare } from '../../src-main/dataset/decode.ts';
import { fingerprintBytes, fingerprintOf, fingerprintSide, hashBytes } from '../../src-main/domain/fingerprint.ts';
import { groupNearDuplicates } from '../../src-main/domain/near-duplicates.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { spots } from '../dataset/pictures.ts';
import { comparedPictures } from '../support/compared-pictures.ts';

function plain(colour: string): Sharp {
  return sharp({ create: { width: 50, height: 50, channels: 3, background: colour } });
}

async function printOf(picture: Sharp): Promise<Uint8Array> {
  return fingerprintOf(await decodeSquare(await picture.png().toBuffer(), fingerprintSide));
}

function grouped(prints: readonly Uint8Array[]): number[] {
  const all = new Uint8Array(prints.length * fingerprintBytes);
  prints.forEach((print, i) => all.set(print, i * fingerprintBytes));
  return [...groupNearDuplicates(comparedPictures(all))];
}

async function groupsOf(pictures: readonly Sharp[]): Promise<number[]> {
  return grouped(await Promise.all(pictures.map(printOf)));
}

describe('pictures', () => {
  it.each([
    ['compressed hard', async () => sharp(await spots(1).jpeg({ quality: 40 }).toBuffer())],
    ['made smaller', async () => sharp(await spots(1).resize(90).png().toBuffer())],
    ['squashed', async () => sharp(await spots(1).resize(160, 120, { fit: 'fill' }).png().toBuffer())],
    ['made brighter', async () => sharp(await spots(1).modulate({ brightness: 1.15 }).png().toBuffer())],
    ['with less colour', async () => sharp(await spots(1).modulate({ saturation: 0.7 }).png().toBuffer())],
    [
      'cut a little',
      async () => sharp(await spots(1).extract({ left: 1, top: 1, width: 158, height: 158 }).png().toBuffer()),
    ],
  ])('%s is found beside others', async (_name, altered) => {
    expect(await groupsOf([spots(2), spots(1), spots(3), await altered(), spots(4)])).toEqual([0, 1, 2, 1, 4]);
  });

  it('that only have something in common stay apart', async () => {
    const mirrored = sharp(await spots(1).flop().png().toBuffer());
    const turned = sharp(await spots(1).rotate(90).png().toBuffer());
    const otherColours = sharp(await spots(1).modulate({ hue: 120 }).png().toBuffer());
    expect(await groupsOf([spots(1), mirrored, turned, otherColours, spots(5)])).toEqual([0, 1, 2, 3, 4]);
  });

  it('without contrast stay alone, whatever their colour', async () => {
    expect(await groupsOf([plain('#fff'), plain('#fff'), plain('#000'), plain('#c00'), plain('#c00')])).toEqual([
      0, 1, 2, 3, 4,
    ]);
  });
});

/** A random fingerprint. */
function draw(seed: number): Uint8Array {
  const random = createRandom(seed);
  return Uint8Array.from({ length: fingerprintBytes }, () => random.integer(256));
}

/** The same with so many bits of the hash turned, spread over it. */
function turned(print: Uint8Array, bits: number, start = 0): Uint8Array {
  const copy = print.slice();
  for (let i = 0; i < bits; i++) {
    const bit = (start + i * 41) % (8 * hashBytes);
    copy[bit >> 3]! ^= 1 << (bit & 7);
  }
  return copy;
}

describe('groups', () => {
  it('hold every picture within 15 bits, wherever the bits lie, and none beyond', () => {
    for (let start = 0; start < 128; start++) {
      const print = draw(start);
      expect(grouped([print, turned(print, 15, start), turned(print, 16, start)])).toEqual([0, 0, 2]);
    }
  });

  it('agree with comparing every pair', () => {
    const random = createRandom(8);
    const prints: Uint8Array[] = [];
    for (let i = 0; i < 400; i++) {
      prints.push(i < 20 ? draw(100 + i) : turned(prints[random.integer(i)]!, random.integer(9), random.integer(128)));
    }
    const distance = (a: Uint8Array, b: Uint8Array): number => {
      let bits = 0;
      for (let i = 0; i < hashBytes; i++) for (let x = a[i]! ^ b[i]!; x > 0; x &= x - 1) bits++;
      return bits;
    };
    const firsts: number[] = [];
    const leaders: number[] = [];
    prints.forEach((print, i) => {
      // Colours and detail are the same within a family, so the earliest first in reach is the best.
      const first = leaders.find(
        (leader) => distance(prints[leader]!, print) <= 15 && isFamily(prints[leader]!, print),
      );
      if (first === undefined) leaders.push(i);
      firsts.push(first ?? i);
    });
    expect(grouped(prints)).toEqual(firsts);
    expect(new Set(firsts).size).toBeGreaterThan(20);
    expect(new Set(firsts).size).toBeLessThan(400);
  });

  it('are found by hashes: of what is alike to nothing, no fingerprint is looked at', () => {
    const prints = Array.from({ length: 200 }, (_, i) => draw(i));
    const all = new Uint8Array([...prints, turned(prints[7]!, 3)].flatMap((print) => [...print]));
    const pictures = comparedPictures(all);
    const read: number[] = [];
    const firsts = groupNearDuplicates({
      ...pictures,
      read: (picture, into) => {
        read.push(picture);
        pictures.read(picture, into);
      },
    });
    expect([firsts[200], read]).toEqual([7, [200, 7]]);
  });

  it('do not grow along a chain', () => {
    const print = draw(1);
    const chain = Array.from({ length: 8 }, (_, i) => turned(print, 8 * i));
    expect(grouped(chain)).toEqual([0, 0, 2, 2, 4, 4, 6, 6]);
  });

  it('are the same each time, and none of none', () => {
    const prints = Array.from({ length: 50 }, (_, i) => turned(draw(i % 5), i));
    expect(grouped(prints)).toEqual(grouped(prints));
    expect(grouped([])).toEqual([]);
  });
});

function isFamily(a: Uint8Array, b: Uint8Array): boolean {
  return a.subarray(hashBytes).every((value, i) => value === b[hashBytes + i]);
}
