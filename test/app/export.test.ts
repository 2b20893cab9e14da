import { mkdir, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { parse } from 'csv-parse/sync';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { ClassEdit, DecisionInput, ExportSummary, LabelsFile } from '../../shared/api.ts';
import { correctLabels } from '../../src-main/app/corrected-labels.ts';
import { exportLabels } from '../../src-main/app/export.ts';
import { importImages } from '../../src-main/app/import.ts';
import { editClass } from '../../src-main/store/class-edits.ts';
import { openDatabase, type Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { openStaging } from '../../src-main/store/import-staging.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';
import { knownSamplesByPath } from '../support/import-samples.ts';
import { temporaryFolder, uniqueJpeg, writeFiles } from '../dataset/pictures.ts';
import { classId } from '../store/fixtures.ts';

const decidedAt = '2026-02-03T04:05:06.000Z';

describe('a folder of class folders', () => {
  const files = ['cat/1.jpg', 'cat/2.jpg', 'dog/1.jpg', 'dog/a, "b".jpg', 'zebra/=SUM(A1).jpg'];

  async function decided(): Promise<Project> {
    const project = await makeProject(files, null);
    project.decide('cat/1.jpg', { kind: 'relabel-new', className: 'dog' });
    project.decide('cat/2.jpg', { kind: 'confirm' });
    project.decide('dog/a, "b".jpg', { kind: 'drop' });
    return project;
  }

  test('as CSV', async () => {
    const { out, run } = await decided();
    expect(await run('csv', 'labels.csv')).toEqual({ out: out('labels.csv'), written: 5, relabeled: 1, dropped: 1 });
    expect(await readFile(out('labels.csv'), 'utf8')).toBe(
      [
        'file,given,label,state,suggested,score,confidence_weight,decided_at',
        `cat/1.jpg,cat,dog,relabeled,,,,${decidedAt}`,
        `cat/2.jpg,cat,cat,confirmed,,,,${decidedAt}`,
        'dog/1.jpg,dog,dog,unreviewed,,,,',
        `"dog/a, ""b"".jpg",dog,,dropped,,,,${decidedAt}`,
        'zebra/=SUM(A1).jpg,zebra,zebra,unreviewed,,,,',
        '',
      ].join('\n'),
    );
  });

  test('as JSONL', async () => {
    const { out, run } = await decided();
    await run('jsonl', 'labels.jsonl');
    const lines = (await readFile(out('labels.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toMatchObject([
      {
        file: 'cat/1.jpg',
        given: 'cat',
        label: 'dog',
        state: 'relabeled',
        suggested: null,
        score: null,
        decided_at: decidedAt,
      },
      { label: 'cat' },
      { label: 'dog' },
      { file: 'dog/a, "b".jpg', label: null, state: 'dropped' },
      { label: 'zebra' },
    ]);
  });

  test('as folders: copies by current label, none for dropped ones, and numbered where names meet', async () => {
    const { out, run, images } = await decided();
    expect(await run('folder', 'clean')).toMatchObject({ written: 4, dropped: 1 });
    expect(await filesUnder(out('clean'))).toEqual(['cat/2.jpg', 'dog/1 (2).jpg', 'dog/1.jpg', 'zebra/=SUM(A1).jpg']);
    expect(await readFile(path.join(out('clean'), 'dog/1.jpg'))).toEqual(
      await readFile(path.join(images, 'cat/1.jpg')),
    );
    const copied = await stat(path.join(out('clean'), 'cat/2.jpg'));
    const original = await stat(path.join(images, 'cat/2.jpg'));
    expect(copied.ino).not.toBe(original.ino);
  });

  test('renamed and merged classes, in every format', async () => {
    const { out, run, edit, class: classId, ...project } = await makeProject(files, null);
    project.decide('dog/1.jpg', { kind: 'relabel-new', className: 'cat' });
    edit({ kind: 'rename', classId: classId('cat'), name: 'feline' });
    edit({ kind: 'merge', classIds: [classId('zebra')], into: classId('feline') });
    const labels = [
      ['cat/1.jpg', 'feline', 'feline'],
      ['cat/2.jpg', 'feline', 'feline'],
      ['dog/1.jpg', 'dog', 'feline'],
      ['dog/a, "b".jpg', 'dog', 'dog'],
      ['zebra/=SUM(A1).jpg', 'feline', 'feline'],
    ];
    expect(await run('csv', 'labels.csv')).toMatchObject({ written: 5, relabeled: 1 });
    const csv: string[][] = parse(await readFile(out('labels.csv')));
    expect(csv.slice(1).map((row) => row.slice(0, 3))).toEqual(labels);
    await run('jsonl', 'labels.jsonl');
    const lines = (await readFile(out('labels.jsonl'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => Object.values(JSON.parse(line) as Record<string, unknown>).slice(0, 3))).toEqual(labels);
    await run('folder', 'clean');
    expect(await filesUnder(out('clean'))).toEqual([
      'dog/a, "b".jpg',
      'feline/1 (2).jpg',
      'feline/1.jpg',
      'feline/2.jpg',
      'feline/=SUM(A1).jpg',
    ]);
  });

  test('nothing that is there is replaced unasked, and a failure leaves nothing', async () => {
    const { out, run, images, root } = await decided();
    await writeFiles(root, { 'labels.csv': 'mine', 'full/mine.txt': 'mine' });
    await symlink(images, out('link'));
    const attempts = [
      ['csv', 'labels.csv', 'already-exists'],
      ['csv', 'no such folder/labels.csv', 'export'],
      ['folder', 'full', 'export'],
      ['folder', 'images/inside', 'export'],
      ['folder', 'link/inside', 'export'],
    ] as const;
    for (const [format, name, code] of attempts) await expect(run(format, name)).rejects.toMatchObject({ code });
    await rm(path.join(images, 'zebra/=SUM(A1).jpg'));
    await expect(run('folder', 'clean')).rejects.toMatchObject({
      message: expect.stringContaining('SUM(A1)') as string,
    });
    expect((await readdir(root)).sort()).toEqual(['cache', 'full', 'images', 'labels.csv', 'link']);
    expect(await readFile(out('labels.csv'), 'utf8')).toBe('mine');
    expect(await run('csv', 'labels.csv', true)).toMatchObject({ written: 5 });
  });

  test('a label cannot lead out of the export', async () => {
    const { out, run, decide: decideOn } = await makeProject(['cat/1.jpg', 'dog/2.jpg'], null);
    decideOn('cat/1.jpg', { kind: 'relabel-new', className: '../../evil' });
    decideOn('dog/2.jpg', { kind: 'relabel-new', className: '/tmp//x' });
    await run('folder', 'clean');
    expect(await filesUnder(out('clean'))).toEqual(['_/_/evil/1.jpg', '_/tmp/_/x/2.jpg']);
  });
});

describe('a labels CSV comes back as it was', () => {
  const csv =
    '\uFEFFid;"file";label;"a ""note"""\r\n' +
    '3;"b.jpg"; cat ;"keep; me"\r\n' +
    '1;a.jpg;cat;\r\n' +
    '2;gone.jpg;dog;x\r\n' +
    '4;c;"dog";=1+1\r\n' +
    '5;d.jpg;dog;n;one too many\r\n';

  test('columns, order, quotes and line ends stay; labels are corrected, and what is known is added', async () => {
    const project = await makeProject(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg'], csv);
    project.decide('a.jpg', { kind: 'relabel-new', className: 'big; dog' });
    project.decide('sub/c.jpg', { kind: 'drop' });
    expect(await project.run('csv', 'clean.csv')).toMatchObject({ written: 4, relabeled: 1, dropped: 1 });
    const clean = await readFile(project.out('clean.csv'), 'utf8');
    expect(clean).toBe(
      '\uFEFFid;"file";label;"a ""note""";;winnow_given;winnow_state;winnow_suggested;winnow_score;winnow_confidence_weight;winnow_decided_at\r\n' +
        '3;"b.jpg"; cat ;"keep; me";;cat;unreviewed;;;;\r\n' +
        `1;a.jpg;"big; dog";;;cat;relabeled;;;;${decidedAt}\r\n` +
        '2;gone.jpg;dog;x;;;;;;;\r\n' +
        `4;c;"";=1+1;;dog;dropped;;;;${decidedAt}\r\n` +
        '5;d.jpg;dog;n;one too many;dog;unreviewed;;;;\r\n',
    );

    // Cleaned once more: the columns are filled again, not added again.
    const again = await makeProject(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg'], clean);
    await again.run('csv', 'again.csv');
    const header = (await readFile(again.out('again.csv'), 'utf8')).split('\r\n')[0];
    expect(header).toBe(clean.split('\r\n')[0]);
  });

  test('labels of renamed and merged classes are rewritten, and another import of either file changes nothing', async () => {
    const project = await makeProject(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg'], csv);
    project.edit({ kind: 'rename', classId: project.class('dog'), name: 'hound' });
    project.decide('d.jpg', { kind: 'confirm' });
    await project.run('csv', 'renamed.csv');
    const rows = (await readFile(project.out('renamed.csv'), 'utf8')).split('\r\n').slice(1, 6);
    expect(rows.map((row) => row.split(';').slice(0, 3).join(';'))).toEqual([
      '3;"b.jpg"; cat ',
      '1;a.jpg;cat',
      // No image of the project: nothing is known of it.
      '2;gone.jpg;dog',
      '4;c;"hound"',
      '5;d.jpg;hound',
    ]);
    const same = { unchanged: 4, changed: 0, added: 0 };
    expect(await project.importAgain('given.csv')).toMatchObject(same);
    expect(await project.importAgain('renamed.csv')).toMatchObject(same);
    project.edit({ kind: 'merge', classIds: [project.class('cat')], into: project.class('hound') });
    await project.run('csv', 'merged.csv');
    expect(await readFile(project.out('merged.csv'), 'utf8')).toContain('1;a.jpg;hound;');
    expect(await project.importAgain('given.csv')).toMatchObject(same);
  });

  test('the labels as they were given are never replaced', async () => {
    const project = await makeProject(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg'], csv);
    await expect(project.run('csv', 'given.csv', true)).rejects.toMatchObject({ code: 'export' });
    expect(await readFile(project.out('given.csv'), 'utf8')).toBe(csv);
    await rm(project.out('given.csv'));
    await expect(project.run('csv', 'clean.csv')).rejects.toMatchObject({
      code: 'export',
      message: expect.stringContaining('given.csv') as string,
    });
  });

  test('a labels file that changes between the two times it is read gives nothing, since labels could go to other images', async () => {
    const project = await makeProject(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg'], csv);
    const file = project.out('given.csv');
    const matching = openDatabase(':memory:', { create: true });
    onTestFinished(() => {
      matching.close();
    });
    const staging = openStaging(matching);
    staging.addPaths(['a.jpg', 'b.jpg', 'sub/c.jpg', 'd.jpg']);
    const labels = { file, fileColumn: 'file', labelColumn: 'label' };
    const { rows } = await correctLabels(project.db, labels, project.images, staging);
    const lines = csv.split('\n');
    await writeFile(file, [lines[0], ...lines.slice(1).reverse()].join('\n'));
    await expect(Array.fromAsync(rows)).rejects.toMatchObject({
      code: 'export',
      message: expect.stringContaining('given.csv changed') as string,
    });
  });
});

interface Project {
  db: Database;
  root: string;
  images: string;
  /** A path beside the images. */
  out: (name: string) => string;
  decide: (file: string, decision: DecisionInput) => void;
  edit: (edit: ClassEdit) => void;
  /** Id of the class of that name. */
  class: (name: string) => number;
  /** Takes the labels from this file beside the images. */
  importAgain: (labelsFile: string) => ReturnType<typeof importImages>;
  run: (format: 'csv' | 'jsonl' | 'folder', name: string, overwrite?: boolean) => Promise<ExportSummary>;
}

/** Imports real pictures of these names; `csv` gives their labels where folders do not. */
async function makeProject(files: readonly string[], csv: string | null): Promise<Project> {
  const root = await temporaryFolder();
  const images = path.join(root, 'images');
  await mkdir(images);
  for (const [index, file] of files.entries()) await writeFiles(images, { [file]: await uniqueJpeg(index) });
  let labels: LabelsFile | null = null;
  if (csv !== null) {
    labels = { file: path.join(root, 'given.csv'), fileColumn: 'file', labelColumn: 'label' };
    await writeFile(labels.file, csv);
  }
  const db = openDatabase(':memory:', { create: true });
  const thumbnails = openThumbnailCache(path.join(root, 'cache'));
  onTestFinished(() => {
    db.close();
    thumbnails.close();
  });
  const info = { name: 'test', imageFolder: images, labels, createdAt: decidedAt };
  await importImages({ db, thumbnails, info });
  const out = (name: string): string => path.join(root, name);
  return {
    db,
    root,
    images,
    out,
    decide: (file, decision) => {
      decide(db, { sampleIds: [knownSamplesByPath(db).get(file)!.id], decision, decidedAt });
    },
    edit: (edit) => {
      editClass(db, edit, { author: '', madeAt: decidedAt });
    },
    class: (name) => classId(db, name),
    importAgain: (labelsFile) =>
      importImages({ db, thumbnails, info: { ...info, labels: { ...labels!, file: out(labelsFile) } } }),
    run: (format, name, overwrite = false) => exportLabels(db, info, { format, out: out(name), overwrite }),
  };
}

async function filesUnder(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)))
    .sort();
}
