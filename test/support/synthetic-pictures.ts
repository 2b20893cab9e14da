import { hash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { forEachConcurrently } from '../../src-main/dataset/concurrency.ts';
import { inspectAndThumbnail, type Inspection } from '../../src-main/dataset/decode.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';

/* The pictures of synthetic projects: drawn, or those of a folder with one subfolder per class. */

export interface Picture extends Inspection {
  file: string;
  byteSize: number;
  modifiedMs: number;
  contentHash: string;
}

/** Names such that each class resembles the one that it makes a pair with: 0 and 1, 2 and 3, … */
export function drawnClassNames(classes: number): string[] {
  if (classes > drawableClasses) throw new Error(`At most ${drawableClasses} classes can be told apart when drawn.`);
  return Array.from({ length: classes }, (_, index) => `${colourOf(index).name} ${shapeOf(index)}`);
}

/** Draws JPEGs of a shape in a colour, on a shaded background; `counts[i]` of class i. The same seed draws the same. */
export async function drawPictures(folder: string, counts: readonly number[], seed: number): Promise<Picture[][]> {
  const names = drawnClassNames(counts.length);
  const files = counts.map((count, index) =>
    Array.from({ length: count }, (_, k) => path.join(folder, names[index]!, `${String(k + 1).padStart(3, '0')}.jpg`)),
  );
  for (const name of names) await mkdir(path.join(folder, name), { recursive: true });
  const jobs = files.flatMap((ofClass, index) => ofClass.map((file, k) => ({ file, index, k })));
  await forEachConcurrently(jobs.length, availableParallelism(), async (job) => {
    const { file, index, k } = jobs[job]!;
    const random = createRandom(seed * 1_000_003 + index * 1009 + k);
    await writeFile(
      file,
      await sharp(Buffer.from(pictureSvg(index, random)))
        .jpeg({ quality: 85 })
        .toBuffer(),
    );
  });
  return readPictures(files);
}

/** Stands for pictures where no files are wanted. */
export function undrawnPictures(counts: readonly number[]): Picture[][] {
  const picture: Picture = {
    file: 'none.jpg',
    format: 'jpeg',
    width: 320,
    height: 240,
    thumbnail: null,
    byteSize: 20_000,
    modifiedMs: 0,
    contentHash: '',
  };
  return counts.map((count, index) =>
    Array.from({ length: count }, (_, k) => ({ ...picture, contentHash: hash('sha256', `${index} ${k}`) })),
  );
}

/** The pictures of a folder with one subfolder per class. */
export async function readClassFolders(folder: string): Promise<{ names: string[]; pictures: Picture[][] }> {
  const entries = await readdir(folder, { withFileTypes: true });
  const names = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const files = await Promise.all(
    names.map(async (name) =>
      (await readdir(path.join(folder, name))).sort().map((file) => path.join(folder, name, file)),
    ),
  );
  return { names, pictures: await readPictures(files) };
}

async function readPictures(files: readonly string[][]): Promise<Picture[][]> {
  const pictures: Picture[][] = files.map(() => []);
  const jobs = files.flatMap((ofClass, index) => ofClass.map((file, k) => ({ file, index, k })));
  await forEachConcurrently(jobs.length, availableParallelism(), async (job) => {
    const { file, index, k } = jobs[job]!;
    const bytes = await readFile(file);
    const inspected = await inspectAndThumbnail(bytes);
    if (!inspected.ok) throw new Error(`${file}: ${inspected.error.reason}`);
    const { mtimeMs } = await stat(file);
    pictures[index]![k] = {
      ...inspected.value,
      file,
      byteSize: bytes.length,
      modifiedMs: mtimeMs,
      contentHash: hash('sha256', bytes),
    };
  });
  return pictures;
}

/** Neighbours resemble each other. */
const colours = [
  { name: 'red', hue: 2, saturation: 78, lightness: 46 },
  { name: 'orange', hue: 26, saturation: 88, lightness: 52 },
  { name: 'green', hue: 128, saturation: 52, lightness: 36 },
  { name: 'teal', hue: 172, saturation: 62, lightness: 36 },
  { name: 'blue', hue: 220, saturation: 74, lightness: 48 },
  { name: 'violet', hue: 266, saturation: 58, lightness: 50 },
  { name: 'brown', hue: 24, saturation: 52, lightness: 28 },
  { name: 'black', hue: 30, saturation: 8, lightness: 10 },
  { name: 'pink', hue: 328, saturation: 76, lightness: 66 },
  { name: 'yellow', hue: 50, saturation: 92, lightness: 54 },
];

/** Within −1 … 1. */
const shapes = {
  disc: '<circle r="0.95"/>',
  square: '<rect x="-0.85" y="-0.85" width="1.7" height="1.7"/>',
  triangle: '<path d="M0 -1.05L0.98 0.75L-0.98 0.75Z"/>',
  star: '<path d="M0 -1.1L0.27 -0.37L1.05 -0.34L0.43 0.14L0.65 0.89L0 0.46L-0.65 0.89L-0.43 0.14L-1.05 -0.34L-0.27 -0.37Z"/>',
  ring: '<circle r="0.72" fill="none" stroke="currentColor" stroke-width="0.46"/>',
  cross: '<path d="M-0.3 -1H0.3V-0.3H1V0.3H0.3V1H-0.3V0.3H-1V-0.3H-0.3Z"/>',
};

const shapeNames = Object.keys(shapes) as (keyof typeof shapes)[];

/** A colour comes with the same shape again after so many. */
const drawableClasses = 60;

function colourOf(index: number): (typeof colours)[number] {
  return colours[index % colours.length]!;
}

function shapeOf(index: number): keyof typeof shapes {
  return shapeNames[(index >> 1) % shapeNames.length]!;
}

function pictureSvg(index: number, random: Random): string {
  const between = (least: number, most: number): number => least + (most - least) * random.next();
  const width = Math.round(between(160, 400));
  const height = Math.round(width * between(0.7, 1.3));
  const side = Math.min(width, height);
  const { hue, saturation, lightness } = colourOf(index);
  const colour = `hsl(${hue + between(-5, 5)} ${saturation}% ${lightness + between(-5, 5)}%)`;
  const grey = (): string => `hsl(${random.integer(360)} ${random.integer(18)}% ${Math.round(between(70, 96))}%)`;
  const [background, shade] = [grey(), grey()];
  const clutter = Array.from(
    { length: 14 },
    () =>
      `<circle cx="${between(0, width)}" cy="${between(0, height)}" r="${between(0.02, 0.16) * side}" fill="${grey()}" opacity="0.6"/>`,
  );
  const x = width / 2 + between(-0.12, 0.12) * width;
  const y = height / 2 + between(-0.12, 0.12) * height;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">
<defs><linearGradient id="background" gradientTransform="rotate(${random.integer(90)})">
<stop stop-color="${background}"/><stop offset="1" stop-color="${shade}"/>
</linearGradient></defs>
<rect width="100%" height="100%" fill="url(#background)"/>
${clutter.join('\n')}
<g transform="translate(${x} ${y}) rotate(${between(-18, 18)}) scale(${side * between(0.22, 0.36)})" fill="${colour}" color="${colour}">${shapes[shapeOf(index)]}</g>
</svg>`;
}
