/*
 * How well nearly identical pictures are found, and how quickly they are grouped.
 *
 *   node test/bench/near-duplicates.ts FOLDER [--pictures 300] [--count 100000,1000000]
 *
 * Recall: of so many pictures of the folder, the share that is grouped with an altered copy of itself. Time: fingerprints drawn at
 * random with a tenth of near copies, and worse, all of them within a few bits of each other.
 */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { decodeSquare } from '../../src-main/dataset/decode.ts';
import { fingerprintBytes, fingerprintOf, fingerprintSide, hashBytes } from '../../src-main/domain/fingerprint.ts';
import { groupNearDuplicates } from '../../src-main/domain/near-duplicates.ts';
import { createRandom, permutation } from '../../src-main/domain/random.ts';
import { comparedPictures } from '../support/compared-pictures.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pictures: { type: 'string', default: '300' }, count: { type: 'string', default: '100000' } },
});
const [folder] = positionals;
if (folder === undefined) throw new Error('Usage: node test/bench/near-duplicates.ts FOLDER [--pictures 300]');

type Alteration = (bytes: Buffer, width: number, height: number) => Promise<Buffer>;

const alterations: Record<string, Alteration> = {
  'JPEG of quality 50': (bytes) => sharp(bytes).jpeg({ quality: 50 }).toBuffer(),
  'smaller, 60 %': (bytes, width) =>
    sharp(bytes)
      .resize(Math.round(0.6 * width))
      .png()
      .toBuffer(),
  'brighter, 15 %': (bytes) => sharp(bytes).modulate({ brightness: 1.15 }).png().toBuffer(),
  'less colour, 30 %': (bytes) => sharp(bytes).modulate({ saturation: 0.7 }).png().toBuffer(),
  'cut by 1 % a side': cut(0.01),
  'cut by 2 % a side': cut(0.02),
  'cut by 5 % a side': cut(0.05),
};

const all = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(jpe?g|png)$/i.test(name));
const chosen = [...permutation(all.length, createRandom(1)).subarray(0, Number(values.pictures))].map((i) => all[i]!);
const originals: Uint8Array[] = [];
const copies = new Map<string, Uint8Array[]>(Object.keys(alterations).map((name) => [name, []]));
for (const name of chosen) {
  const bytes = readFileSync(path.join(folder, name));
  const { width, height } = await sharp(bytes).metadata();
  originals.push(await printOf(bytes));
  for (const [alteration, alter] of Object.entries(alterations))
    copies.get(alteration)!.push(await printOf(await alter(bytes, width, height)));
}
const alone = groupNearDuplicates(comparedPictures(joined(originals)));
console.log(`${chosen.length} pictures; ${alone.filter((first, i) => first !== i).length} join another as they are`);
for (const [alteration, prints] of copies) {
  const firsts = groupNearDuplicates(comparedPictures(joined([...originals, ...prints])));
  const found = originals.filter((_, i) => firsts[i] === firsts[originals.length + i]).length;
  console.log(`${alteration.padEnd(20)} found ${((100 * found) / originals.length).toFixed(1)} %`);
}

for (const count of values.count.split(',').map(Number)) {
  time(`${count} pictures, a tenth near copies`, drawPrints(count, 0.1, 0));
  time(`${count} pictures before one background`, drawPrints(count, 0.1, 0.3));
}

function cut(share: number): Alteration {
  return (bytes, width, height) => {
    const left = Math.max(1, Math.round(share * width));
    const top = Math.max(1, Math.round(share * height));
    return sharp(bytes)
      .extract({ left, top, width: width - 2 * left, height: height - 2 * top })
      .png()
      .toBuffer();
  };
}

async function printOf(bytes: Uint8Array): Promise<Uint8Array> {
  return fingerprintOf(await decodeSquare(bytes, fingerprintSide));
}

function joined(prints: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(prints.length * fingerprintBytes);
  prints.forEach((print, i) => all.set(print, i * fingerprintBytes));
  return all;
}

/** `commonBits`: share of the hash that all have in common, as pictures before one background do. */
function drawPrints(count: number, copyShare: number, commonBits: number): Uint8Array {
  const random = createRandom(1);
  const prints = new Uint8Array(count * fingerprintBytes);
  for (let i = 0; i < count; i++) {
    const start = i * fingerprintBytes;
    if (i > 0 && random.next() < copyShare) {
      const source = random.integer(i) * fingerprintBytes;
      prints.copyWithin(start, source, source + fingerprintBytes);
      prints[start + random.integer(hashBytes)]! ^= 1 << random.integer(8);
      continue;
    }
    for (let byte = 0; byte < hashBytes; byte++) {
      for (let bit = 0; bit < 8; bit++)
        if (random.next() >= commonBits && random.next() < 0.5) prints[start + byte]! |= 1 << bit;
    }
    for (let byte = hashBytes; byte < fingerprintBytes; byte++) prints[start + byte] = random.integer(256);
  }
  return prints;
}

function time(name: string, prints: Uint8Array): void {
  const pictures = comparedPictures(prints);
  const before = process.cpuUsage();
  const firsts = groupNearDuplicates(pictures);
  const { user } = process.cpuUsage(before);
  const members = firsts.filter((first, i) => first !== i).length;
  console.log(`${name}: ${(user / 1e6).toFixed(2)} s of one core, ${members} joined another`);
}
