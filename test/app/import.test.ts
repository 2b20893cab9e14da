import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import sharp from 'sharp';
import { expect, onTestFinished, test } from 'vitest';
import type { ImportProgress, LabelsFile } from '../../shared/api.ts';
import type { Problem } from '../../shared/domain.ts';
import { importImages, type ImportContext } from '../../src-main/app/import.ts';
import { readThumbnail } from '../../src-main/dataset/thumbnails.ts';
import { classNames } from '../../src-main/store/classes.ts';
import { openDatabase, type Database } from '../../src-main/store/database.ts';
import { listProblems } from '../../src-main/store/problems.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';
import { knownSamplesByPath } from '../support/import-samples.ts';
import { temporaryFolder, twoColours, uniqueJpeg, writeFiles } from '../dataset/pictures.ts';

test('good files become samples, bad ones problems with their reason', async () => {
  const { folder, context } = await project();
  const jpeg = await uniqueJpeg(1);
  await writeFiles(folder, {
    'cat/1.jpg': jpeg,
    'cat/same content.jpg': jpeg,
    'dog/same content.jpg': jpeg,
    'dog/really a png.jpg': await twoColours().png().toBuffer(),
    'dog/large 🐕.webp': await twoColours(1000, 500).webp().toBuffer(),
    'dog/empty.jpg': '',
    'dog/text.jpg': 'no picture',
    'dog/cut.jpg': (await uniqueJpeg(2, 300)).subarray(0, 900),
    'dog/README': 'no extension, no picture, no problem',
  });
  const outcome = await importImages(context);
  expect(outcome).toMatchObject({ added: 5, changed: 0, gone: 0, unchanged: 0, problems: 4, conflictingDuplicates: 2 });
  expect(kinds(context.db)).toEqual({
    'dog/empty.jpg': 'empty',
    'dog/text.jpg': 'unreadable',
    'dog/cut.jpg': 'truncated',
    'dog/really a png.jpg': 'wrong-extension',
  });
  const samples = knownSamplesByPath(context.db);
  expect(samples.get('dog/large 🐕.webp')).toMatchObject({
    width: 1000,
    height: 500,
    format: 'webp',
  });
  expect(classNames(context.db).get(samples.get('dog/large 🐕.webp')!.givenClassId)).toBe('dog');
  expect(samples.get('cat/1.jpg')!.contentHash).toBe(samples.get('dog/same content.jpg')!.contentHash);
});

test('importing again tells new, changed, moved and gone, and opens nothing else', async () => {
  const { folder, context } = await project();
  for (let i = 0; i < 8; i++)
    await writeFiles(folder, { [`${i % 2 === 0 ? 'a' : 'b'}/${i}.jpg`]: await uniqueJpeg(i) });
  const longAgo = new Date('2020-02-02');
  await utimes(path.join(folder, 'b/1.jpg'), longAgo, longAgo);
  await importImages(context);
  const before = knownSamplesByPath(context.db);

  await writeFile(path.join(folder, 'a/0.jpg'), await uniqueJpeg(100));
  await rename(path.join(folder, 'a/2.jpg'), path.join(folder, 'b/2.jpg'));
  await rm(path.join(folder, 'a/4.jpg'));
  await writeFiles(folder, { 'c/new.jpg': await uniqueJpeg(200) });
  // Same size and time as before: trusted, so the damage is not even seen.
  const { size } = await stat(path.join(folder, 'b/1.jpg'));
  await writeFile(path.join(folder, 'b/1.jpg'), Buffer.alloc(size));
  await utimes(path.join(folder, 'b/1.jpg'), longAgo, longAgo);

  expect(await importImages(context)).toMatchObject({
    added: 1,
    changed: 1,
    moved: 1,
    gone: 1,
    unchanged: 5,
    problems: 0,
  });
  const after = knownSamplesByPath(context.db);
  expect(after.get('b/2.jpg')!.id).toBe(before.get('a/2.jpg')!.id);
  expect(after.get('a/4.jpg')).toMatchObject({ id: before.get('a/4.jpg')!.id, present: false });
});

test('labels from a CSV', async () => {
  const root = await temporaryFolder();
  const labels: LabelsFile = { file: path.join(root, 'labels.csv'), fileColumn: 'file', labelColumn: 'kind' };
  const { folder, context } = await project(labels);
  await writeFiles(folder, { 'x/1.jpg': await uniqueJpeg(1), '2.jpg': await uniqueJpeg(2), 'notes.txt': 'text' });
  await writeFile(labels.file, 'file,kind\nx/1.jpg,left\n2.jpg,right\nnotes.txt,left\n');
  expect(await importImages(context)).toMatchObject({ added: 2, problems: 1 });
  expect(kinds(context.db)).toEqual({ 'notes.txt': 'unreadable' });
  expect(classNames(context.db).get(knownSamplesByPath(context.db).get('2.jpg')!.givenClassId)).toBe('right');
});

test('cancelled, or with nothing usable, it leaves the project as it was', async () => {
  const { folder, context } = await project();
  for (let i = 0; i < 20; i++)
    await writeFiles(folder, { [`${i % 2 === 0 ? 'a' : 'b'}/${i}.jpg`]: await uniqueJpeg(i) });
  const controller = new AbortController();
  const onProgress = ({ phase }: ImportProgress): void => {
    if (phase === 'reading') controller.abort();
  };
  await expect(importImages({ ...context, onProgress, signal: controller.signal })).rejects.toMatchObject({
    code: 'cancelled',
  });
  expect(knownSamplesByPath(context.db).size).toBe(0);

  await rm(folder, { recursive: true });
  await writeFiles(folder, { 'a/1.jpg': 'text', 'b/2.jpg': 'text' });
  await expect(importImages(context)).rejects.toMatchObject({
    code: 'folder-empty',
    message: expect.stringContaining('a/1.jpg') as string,
  });
  await writeFiles(folder, { 'a/1.jpg': await uniqueJpeg(1) });
  await expect(importImages(context)).rejects.toMatchObject({ code: 'single-class' });
  expect(knownSamplesByPath(context.db).size).toBe(0);
});

test('nothing stays behind of what an import has found, however it ends', async () => {
  const { folder, context } = await project();
  await writeFiles(folder, { 'a/1.jpg': await uniqueJpeg(1), 'b/2.jpg': await uniqueJpeg(2), 'b/3.jpg': 'text' });
  const left = (): unknown =>
    context.db.prepare('SELECT (SELECT count(*) FROM staged_file), (SELECT count(*) FROM staged_problem)').raw().get();
  await importImages(context);
  expect(left()).toEqual([0, 0]);
  await expect(importImages({ ...context, signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
  expect(left()).toEqual([0, 0]);
  await writeFile(path.join(folder, 'b/2.jpg'), 'no picture');
  await expect(importImages(context)).rejects.toMatchObject({ code: 'single-class' });
  expect(left()).toEqual([0, 0]);
  expect(kinds(context.db)).toEqual({ 'b/3.jpg': 'unreadable' });
});

test('progress goes through the phases and ends complete; the folder is not touched', async () => {
  const { folder, context } = await project();
  for (let i = 0; i < 10; i++)
    await writeFiles(folder, { [`${i % 2 === 0 ? 'a' : 'b'}/${i}.jpg`]: await uniqueJpeg(i) });
  const listing = async (): Promise<string[]> => (await readdir(folder, { recursive: true })).sort();
  const before = await listing();
  const seen: ImportProgress[] = [];
  await importImages({ ...context, onProgress: (progress) => seen.push(progress) });
  expect([...new Set(seen.map(({ phase }) => phase))]).toEqual(['scanning', 'reading', 'saving']);
  expect(seen.at(-1)).toMatchObject({ phase: 'saving', done: 10, total: 10 });
  expect(await listing()).toEqual(before);
});

test('thumbnails are made at import, and again when the cache was thrown away', async () => {
  const { folder, context } = await project();
  await writeFiles(folder, { 'a/large.jpg': await uniqueJpeg(1, 800), 'b/small.jpg': await uniqueJpeg(2, 50) });
  await importImages(context);
  const samples = knownSamplesByPath(context.db);
  const { contentHash } = samples.get('a/large.jpg')!;
  expect(context.thumbnails.get(contentHash)).not.toBeNull();
  expect(context.thumbnails.get(samples.get('b/small.jpg')!.contentHash)).toBeNull();

  const emptyFolder = path.join(await temporaryFolder(), 'cache');
  await mkdir(emptyFolder);
  await writeFile(path.join(emptyFolder, 'thumbnails-v1.sqlite'), 'damaged '.repeat(200));
  const empty = openThumbnailCache(emptyFolder);
  onTestFinished(() => empty.close());
  const made = await readThumbnail(empty, path.join(folder, 'a/large.jpg'), contentHash);
  expect(await sharp(made!.bytes).metadata()).toMatchObject({ width: 256, height: 256 });
  expect(empty.get(contentHash)).toEqual(made!.bytes);
  const small = await readThumbnail(empty, path.join(folder, 'b/small.jpg'), 'any');
  expect(small).toEqual({ bytes: await uniqueJpeg(2, 50), contentType: 'image/jpeg' });
  expect(await readThumbnail(empty, path.join(folder, 'gone.jpg'), 'other')).toBeNull();
});

async function project(labels: LabelsFile | null = null): Promise<{ folder: string; context: ImportContext }> {
  const root = await temporaryFolder();
  const folder = path.join(root, 'images');
  await mkdir(folder);
  const db = openDatabase(':memory:', { create: true });
  const thumbnails = openThumbnailCache(path.join(root, 'cache'));
  onTestFinished(() => {
    db.close();
    thumbnails.close();
  });
  const info = { name: 'test', imageFolder: folder, labels, createdAt: '2026-01-01T00:00:00.000Z' };
  return { folder, context: { db, thumbnails, info, concurrency: 2 } };
}

function kinds(db: Database): Record<string, Problem['kind']> {
  return Object.fromEntries(listProblems(db, { offset: 0, limit: 100 }).map(({ path: file, kind }) => [file, kind]));
}
