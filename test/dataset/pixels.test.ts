import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { expect, test } from 'vitest';
import { pixelFileName, writePixelFile } from '../../src-main/dataset/pixels.ts';
import { temporaryFolder, writeFiles } from './pictures.ts';

async function flat(grey: number): Promise<Buffer> {
  return await sharp({ create: { width: 9, height: 9, channels: 3, background: { r: grey, g: grey, b: grey } } })
    .png()
    .toBuffer();
}

test('samples lie in order; what cannot be read any more is mid-grey and told', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, { '0.png': await flat(10), '1.png': 'no picture', '2.png': await flat(30) });
  const files = ['0.png', '1.png', '2.png', 'gone.png'].map((name) => path.join(folder, name));
  const out = path.join(folder, 'out.pixels');
  const seen: number[] = [];
  const report = await writePixelFile({
    files,
    count: files.length,
    resolution: 4,
    path: out,
    concurrency: 2,
    onProgress: (done) => seen.push(done),
  });
  expect(report).toEqual({ unreadable: [1, 3] });
  const expected = [10, 128, 30, 128].flatMap((grey) => Array<number>(4 * 4 * 3).fill(grey));
  expect([...(await readFile(out))]).toEqual(expected);
  expect(seen).toEqual([1, 2, 3, 4]);
});

test('cancelled, it leaves nothing behind', async () => {
  const folder = await temporaryFolder();
  await writeFiles(folder, { '0.png': await flat(10) });
  const controller = new AbortController();
  const writing = writePixelFile({
    files: Array<string>(50).fill(path.join(folder, '0.png')),
    count: 50,
    resolution: 4,
    path: path.join(folder, 'out.pixels'),
    concurrency: 2,
    onProgress: (done) => done === 10 && controller.abort(),
    signal: controller.signal,
  });
  await expect(writing).rejects.toMatchObject({ code: 'cancelled' });
  expect(await readdir(folder)).toEqual(['0.png']);
});

test('the name follows content, order and resolution', () => {
  const names = [
    pixelFileName(['a', 'b'], 32),
    pixelFileName(['b', 'a'], 32),
    pixelFileName(['a', 'b'], 64),
    pixelFileName(['ab'], 32),
  ];
  expect(new Set(names).size).toBe(4);
  expect(pixelFileName(['a', 'b'], 32)).toBe(names[0]);
});
