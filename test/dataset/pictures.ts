import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp, { type Sharp } from 'sharp';
import { onTestFinished } from 'vitest';
import { createRandom } from '../../src-main/domain/random.ts';

/** A folder that is removed when the test ends. */
export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'winnow-test-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** Writes files under a folder, making the folders on the way. */
export async function writeFiles(folder: string, files: Record<string, Uint8Array | string>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await writeFile(path.join(folder, name), content);
  }
}

/** A picture whose left half is one colour and right half another, so that orientation and channel order show. */
export function twoColours(width = 40, height = 20, left = '#e00000', right = '#0000e0'): Sharp {
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}"><rect width="100%" height="100%" fill="${right}"/><rect width="50%" height="100%" fill="${left}"/></svg>`;
  return sharp(Buffer.from(svg)).removeAlpha();
}

/** A JPEG that no other seed gives. */
export async function uniqueJpeg(seed: number, side = 24): Promise<Buffer> {
  const colour = `hsl(${(seed * 47) % 360} 70% ${20 + ((seed * 7) % 60)}%)`;
  return await twoColours(side, side, colour, `hsl(${(seed * 91) % 360} 50% 50%)`)
    .jpeg()
    .toBuffer();
}

/** A picture of many spots that no other seed gives. */
export function spots(seed: number, side = 160): Sharp {
  const random = createRandom(seed);
  const circles = Array.from({ length: 60 }, () => {
    const [x, y, r, hue] = [
      random.integer(side),
      random.integer(side),
      3 + random.integer(side / 6),
      random.integer(360),
    ];
    return `<circle cx="${x}" cy="${y}" r="${r}" fill="hsl(${hue} 60% ${20 + random.integer(60)}%)"/>`;
  });
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}"><rect width="100%" height="100%" fill="#777"/>${circles.join('')}</svg>`;
  return sharp(Buffer.from(svg)).removeAlpha();
}
