import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { createRandom, permutation, type Random } from '../domain/random.ts';
import { forEachConcurrently } from './concurrency.ts';
import { cell, plainDialect, writeCsv } from './formats/csv.ts';

export interface DemoRequest {
  /** Where the class folders are made. */
  folder: string;
  /** CSV that is to tell the true label of every picture, columns `file` and `truth`; null for none. */
  truthFile: string | null;
  seed: number;
  pictures?: number;
  onProgress?: (done: number, total: number) => void;
}

/**
 * Draws pictures of ten kinds of shapes into folders named by their labels, of which a known share is wrong; most of those are
 * named like the shape that they resemble. The same seed draws the same pictures.
 * Answers the true label of each picture by its path relative to the folder.
 */
export async function drawDemo({
  folder,
  truthFile,
  seed,
  pictures = 2000,
  onProgress,
}: DemoRequest): Promise<Map<string, string>> {
  const plans = planPictures(seed, pictures);
  for (const label of new Set(plans.map((plan) => plan.label))) {
    await mkdir(path.join(folder, label), { recursive: true });
  }
  let done = 0;
  await forEachConcurrently(plans.length, availableParallelism(), async (index) => {
    const { file, truth } = plans[index]!;
    // Each picture has its own sequence, so that it does not matter which is drawn first.
    await drawPicture(truth, createRandom(seed * 1_000_003 + index + 1), path.join(folder, file));
    onProgress?.(++done, plans.length);
  });
  if (truthFile !== null) {
    const rows = plans.map(({ file, truth }) => [cell(file), cell(truth)]);
    await writeCsv(truthFile, false, plainDialect, [[cell('file'), cell('truth')], ...rows]);
  }
  return new Map(plans.map(({ file, truth }) => [file, truth]));
}

type Shape = (typeof shapes)[number];

interface PicturePlan {
  /** Relative to the folder, `/` separated. */
  file: string;
  truth: Shape;
  label: Shape;
}

const shapes = [
  'circle',
  'crescent',
  'cross',
  'ellipse',
  'heart',
  'ring',
  'rounded-square',
  'square',
  'star',
  'triangle',
] as const;

/** What a careless eye takes a shape for. */
const lookAlikes: Record<Shape, Shape> = {
  circle: 'ellipse',
  ellipse: 'circle',
  square: 'rounded-square',
  'rounded-square': 'square',
  ring: 'circle',
  crescent: 'ring',
  heart: 'triangle',
  triangle: 'heart',
  star: 'cross',
  cross: 'star',
};

/** Side of a picture, pixels: the smallest input that training uses, so that a demo is over in minutes without a GPU. */
const side = 32;
const wrongShare = 0.08;
/** Share of the wrong labels that name the look-alike; the rest name any other shape. */
const lookAlikeShare = 0.6;
/** Standard deviation of the pixel noise, of 255. */
const noise = { least: 5, most: 18 };

function planPictures(seed: number, pictures: number): PicturePlan[] {
  const random = createRandom(seed);
  const wrong = new Set(permutation(pictures, random).subarray(0, Math.round(pictures * wrongShare)));
  return Array.from({ length: pictures }, (_, index) => {
    const truth = shapes[index % shapes.length]!;
    const label = wrong.has(index) ? wrongLabel(truth, random) : truth;
    return { file: `${label}/${String(index + 1).padStart(4, '0')}.png`, truth, label };
  });
}

function wrongLabel(truth: Shape, random: Random): Shape {
  if (random.next() < lookAlikeShare) return lookAlikes[truth];
  const others = shapes.filter((shape) => shape !== truth);
  return others[random.integer(others.length)]!;
}

async function drawPicture(shape: Shape, random: Random, file: string): Promise<void> {
  const svg = Buffer.from(pictureSvg(shape, random));
  const pixels = await sharp(svg).removeAlpha().raw().toBuffer();
  const deviation = between(random, noise.least, noise.most);
  for (let i = 0; i < pixels.length; i++) {
    pixels[i] = Math.max(0, Math.min(255, Math.round(pixels[i]! + deviation * random.normal())));
  }
  await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
    .png()
    .toFile(file);
}

/** A dark shape of random colour, size, place and turn over a light, shaded background with some clutter. */
function pictureSvg(shape: Shape, random: Random): string {
  const colour = (lightness: number): string =>
    `hsl(${random.integer(360)} ${Math.round(between(random, 15, 85))}% ${Math.round(lightness)}%)`;
  const light = (): string => colour(between(random, 68, 92));
  const dark = (): string => colour(between(random, 14, 42));
  const size = between(random, 8.5, 12.5);
  const x = side / 2 + between(random, -4, 4);
  const y = side / 2 + between(random, -4, 4);
  const clutter = Array.from({ length: 1 + random.integer(3) }, () => {
    const [fromX, fromY] = [random.next() * side, random.next() * side];
    if (random.next() < 0.5) {
      return `<circle cx="${fromX}" cy="${fromY}" r="${between(random, 0.8, 2)}" fill="${dark()}"/>`;
    }
    const [toX, toY] = [fromX + between(random, -14, 14), fromY + between(random, -14, 14)];
    return `<path d="M${fromX} ${fromY}L${toX} ${toY}" stroke="${dark()}" stroke-width="${between(random, 0.6, 1.4)}"/>`;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${side}" height="${side}">
<defs><linearGradient id="background" gradientTransform="rotate(${random.integer(90)})">
<stop stop-color="${light()}"/><stop offset="1" stop-color="${light()}"/>
</linearGradient></defs>
<rect width="100%" height="100%" fill="url(#background)"/>
${clutter.join('\n')}
<g transform="translate(${x} ${y}) rotate(${between(random, -turns[shape], turns[shape])}) scale(${size})" fill="${dark()}">${shapeSvg(shape, random)}</g>
</svg>`;
}

/** Degrees to either side; a heart on its head would be another picture. */
const turns: Record<Shape, number> = {
  circle: 180,
  crescent: 40,
  cross: 20,
  ellipse: 180,
  heart: 25,
  ring: 180,
  'rounded-square': 20,
  square: 20,
  star: 20,
  triangle: 25,
};

/** The shape within −1 … 1. */
function shapeSvg(shape: Shape, random: Random): string {
  switch (shape) {
    case 'circle':
      return '<circle r="1"/>';
    case 'ellipse':
      return `<ellipse rx="1.05" ry="${between(random, 0.6, 0.86)}"/>`;
    case 'square':
      return '<rect x="-0.85" y="-0.85" width="1.7" height="1.7"/>';
    case 'rounded-square':
      return `<rect x="-0.88" y="-0.88" width="1.76" height="1.76" rx="${between(random, 0.24, 0.5)}"/>`;
    case 'triangle':
      return '<path d="M0 -1.05L0.98 0.75L-0.98 0.75Z"/>';
    case 'star':
      return `<path d="${starPath(between(random, 0.4, 0.5))}"/>`;
    case 'ring': {
      const inner = between(random, 0.3, 0.65);
      return `<path fill-rule="evenodd" d="M1 0A1 1 0 1 1 -1 0A1 1 0 1 1 1 0ZM${inner} 0A${inner} ${inner} 0 1 1 ${-inner} 0A${inner} ${inner} 0 1 1 ${inner} 0Z"/>`;
    }
    case 'cross': {
      const half = between(random, 0.24, 0.38);
      return `<path d="M${-half} -1H${half}V${-half}H1V${half}H${half}V1H${-half}V${half}H-1V${-half}H${-half}Z"/>`;
    }
    case 'crescent':
      return `<path d="M0.35 -0.95A1 1 0 1 0 0.35 0.95A${between(random, 0.95, 1.15)} 1 0 0 1 0.35 -0.95Z"/>`;
    case 'heart':
      return '<path d="M0 0.95C-1.5 -0.1 -1 -1 -0.5 -0.95C-0.2 -0.95 0 -0.7 0 -0.5C0 -0.7 0.2 -0.95 0.5 -0.95C1 -1 1.5 -0.1 0 0.95Z"/>';
  }
}

/** Five points; `inner` is the radius between them. */
function starPath(inner: number): string {
  const corners = Array.from({ length: 10 }, (_, index) => {
    const radius = index % 2 === 0 ? 1.1 : inner;
    const angle = (index * Math.PI) / 5 - Math.PI / 2;
    return `${(radius * Math.cos(angle)).toFixed(3)} ${(radius * Math.sin(angle)).toFixed(3)}`;
  });
  return `M${corners.join('L')}Z`;
}

function between(random: Random, least: number, most: number): number {
  return least + (most - least) * random.next();
}
