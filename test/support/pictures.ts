import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { createRandom } from '../../src-main/domain/random.ts';

/** A picture with the class that it shows and the one that it is filed under. */
export interface LabeledPicture {
  /** `<given>/<number>.png` */
  path: string;
  given: string;
  shown: string;
}

const kinds = ['cross', 'disc', 'stripes'];

/**
 * Draws `count` small pictures of three kinds into `folder/<given label>/`; every `wrongEvery`-th is filed under a wrong label.
 * The same arguments give the same pictures.
 */
export async function drawPictures(folder: string, count: number, wrongEvery: number): Promise<LabeledPicture[]> {
  const random = createRandom(7);
  const pictures: LabeledPicture[] = [];
  for (let i = 0; i < count; i++) {
    const shown = kinds[i % kinds.length]!;
    const given = i % wrongEvery === 0 ? kinds[(i + 1) % kinds.length]! : shown;
    const file = path.join(given, `${String(i).padStart(4, '0')}.png`);
    const pixels = drawPixels(shown, () => random.next());
    await mkdir(path.join(folder, given), { recursive: true });
    await writeFile(
      path.join(folder, file),
      await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
        .png()
        .toBuffer(),
    );
    pictures.push({ path: file.split(path.sep).join('/'), given, shown });
  }
  return pictures;
}

const side = 32;

function drawPixels(kind: string, next: () => number): Buffer {
  const pixels = Buffer.alloc(side * side * 3);
  const colour = [0, 1, 2].map(() => 60 + 195 * next());
  const [x0, y0] = [12 + 8 * next(), 12 + 8 * next()];
  const inside: Record<string, (x: number, y: number) => boolean> = {
    cross: (x, y) => Math.abs(x - x0) < 3 || Math.abs(y - y0) < 3,
    disc: (x, y) => Math.hypot(x - x0, y - y0) < 9,
    stripes: (x, y) => (x + y) % 8 < 4,
  };
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const on = inside[kind]!(x, y);
      colour.forEach((value, c) => (pixels[(y * side + x) * 3 + c] = (on ? value : 30) + 20 * next()));
    }
  }
  return pixels;
}
