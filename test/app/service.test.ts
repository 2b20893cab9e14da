import { mkdir, readdir, readFile, rename, stat, symlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyFilter, type ApiEvents, type TrainingRequest } from '../../shared/api.ts';
import { createLogger } from '../../shared/logger.ts';
import { createService, type HostShell, type Service } from '../../src-main/app/service.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { createRun, setRunStatus, trainingSamples } from '../../src-main/store/runs.ts';
import { takeTrainingLock } from '../../src-main/store/training-lock.ts';
import { temporaryFolder, twoColours, uniqueJpeg, writeFiles } from '../dataset/pictures.ts';
import { plan } from '../store/fixtures.ts';

const quickRun: TrainingRequest = {
  budget: 'quick',
  engine: 'wasm',
  seed: 1,
  recipe: 'sat',
  startFrom: null,
  preset: null,
  overrides: { epochs: null, startEpoch: null, targetMomentum: null },
};

const shellWithoutDialogs: HostShell = {
  chooseFolder: () => Promise.resolve({ kind: 'unavailable' }),
  chooseProjectFile: () => Promise.resolve({ kind: 'unavailable' }),
  chooseSavePath: () => Promise.resolve({ kind: 'unavailable' }),
};

interface House {
  root: string;
  folder: string;
  projectPath: string;
  service: Service;
  log: string[];
  /** Another service on the same data folder, as after a restart or in another window. */
  another: () => Service;
  importAll: () => Promise<ApiEvents['projectChanged'] & object>;
}

/** Six images of two classes, a data folder, and a service on it. */
async function house(): Promise<House> {
  const root = await temporaryFolder();
  const folder = path.join(root, 'photos');
  for (let i = 0; i < 6; i++) await writeFiles(folder, { [`${i < 3 ? 'cat' : 'dog'}/${i}.jpg`]: await uniqueJpeg(i) });
  const log: string[] = [];
  const another = (): Service => {
    const service = createService({
      host: 'cli',
      version: '1.2.3',
      dataFolder: path.join(root, 'data'),
      nodePath: process.execPath,
      trainerProgram: path.join(root, 'no-trainer.js'),
      workerProgram: programPaths().workerProgram,
      shell: shellWithoutDialogs,
      logger: createLogger((entry) => log.push(entry)),
    });
    onTestFinished(() => service.close());
    return service;
  };
  const service = another();
  const projectPath = path.join(root, 'projects', 'photos.winnow');
  const importAll = async () => (await service.handlers.importFolder({ folder, projectPath, labels: null })).project;
  return { root, folder, projectPath, service, log, another, importAll };
}

async function queue({ handlers }: Service): Promise<number[]> {
  return [...(await handlers.queryQueue({ filter: emptyFilter, sort: 'path' })).ids];
}

/** What a service says of itself to the windows, in order. */
function listen(service: Service): { events: unknown[] } {
  const events: unknown[] = [];
  service.subscribe('projectChanged', (project) => events.push(['project', project?.name ?? null]));
  service.subscribe('reviewChanged', (change) => events.push(['review', change.direction, change.label]));
  service.subscribe('settingsChanged', (settings) => events.push(['settings', settings.reviewer]));
  return { events };
}

describe('a service', () => {
  it('imports, decides, is closed, and undoes after it was opened again', async () => {
    const { projectPath, folder, service, another, importAll } = await house();
    const { events } = listen(service);
    expect(await importAll()).toMatchObject({
      path: projectPath,
      name: 'photos',
      imageFolder: folder,
      imageFolderMissing: false,
      samples: 6,
    });
    const [first, second] = (await queue(service)) as [number, number];
    await service.handlers.decide({ sampleIds: [first], decision: { kind: 'drop' } });
    await service.handlers.decide({ sampleIds: [first, second], decision: { kind: 'relabel-new', className: 'fox' } });
    await service.close();
    expect(await readdir(path.dirname(projectPath))).toEqual(['photos.winnow']);

    const later = another();
    expect(await later.handlers.openProject({ path: projectPath })).toMatchObject({
      review: { unreviewed: 4, confirmed: 0, relabeled: 2, dropped: 0, skipped: 0 },
      undoLabel: 'Relabel 2 images to fox',
      redoLabel: null,
    });
    await later.handlers.undo({});
    await later.handlers.undo({});
    expect(await later.handlers.undo({})).toBeNull();
    expect(await later.handlers.redo({})).toMatchObject({
      samples: [{ id: first, state: 'dropped', currentClassId: null }],
    });
    expect(events).toEqual([
      ['project', 'photos'],
      ['review', 'done', 'Drop 1 image'],
      ['review', 'done', 'Relabel 2 images to fox'],
    ]);
  });

  it('asks for a project where there is none', async () => {
    const { service } = await house();
    await expect(async () => service.handlers.queryQueue({ filter: emptyFilter, sort: 'doubt' })).rejects.toMatchObject(
      {
        code: 'no-project',
      },
    );
    expect([await service.handlers.getProject({}), await service.readImage(1, 'full')]).toEqual([null, null]);
  });

  it('keeps the open project when another cannot be opened', async () => {
    const { root, service, importAll } = await house();
    await importAll();
    await writeFile(path.join(root, 'notes.winnow'), 'These are notes, no project.');
    await expect(async () =>
      service.handlers.openProject({ path: path.join(root, 'notes.winnow') }),
    ).rejects.toMatchObject({ code: 'project-file' });
    expect(await queue(service)).toHaveLength(6);
  });

  it('leaves nothing behind of a first import that fails or is cancelled', async () => {
    const { root, service, projectPath, importAll } = await house();
    await mkdir(path.join(root, 'empty'));
    const failing = async () =>
      service.handlers.importFolder({ folder: path.join(root, 'empty'), projectPath, labels: null });
    await expect(failing).rejects.toMatchObject({ code: 'folder-empty' });
    const cancelled = importAll();
    const [outcome] = await Promise.all([
      cancelled.catch((error: unknown) => error),
      service.handlers.cancelImport({}),
    ]);
    expect(outcome).toMatchObject({ code: 'cancelled' });
    expect(await readdir(path.dirname(projectPath))).toEqual([]);
    expect(await service.handlers.getProject({})).toBeNull();
  });

  it('refuses to import another folder over a project, but follows one that was moved', async () => {
    const { root, folder, service, projectPath, importAll } = await house();
    await importAll();
    const other = path.join(root, 'other');
    for (let i = 0; i < 2; i++) await writeFiles(other, { [`class${i}/new.jpg`]: await uniqueJpeg(50 + i) });
    const wrong = async () => service.handlers.importFolder({ folder: other, projectPath, labels: null });
    await expect(wrong).rejects.toMatchObject({ code: 'images-missing', message: expect.stringContaining(other) });
    const [id] = (await queue(service)) as [number];
    await service.handlers.decide({ sampleIds: [id], decision: { kind: 'drop' } });
    const moved = path.join(root, 'moved');
    await rename(folder, moved);
    expect((await service.handlers.getProject({}))?.imageFolderMissing).toBe(true);
    await expect(async () => service.handlers.relocateImages({ folder: other })).rejects.toMatchObject({
      code: 'images-missing',
    });
    expect(await service.handlers.relocateImages({ folder: moved })).toMatchObject({
      imageFolder: moved,
      imageFolderMissing: false,
    });
    expect(await service.readImage(id, 'full')).not.toBeNull();
    const again = await service.handlers.importFolder({ folder: moved, projectPath, labels: null });
    expect(again).toMatchObject({ unchanged: 6, gone: 0, added: 0, project: { review: { dropped: 1 } } });
  });

  it('opens a project that was moved together with its images', async () => {
    const { root, projectPath, service, another, importAll } = await house();
    await importAll();
    await service.close();
    await mkdir(path.join(root, 'elsewhere'));
    await rename(path.dirname(projectPath), path.join(root, 'elsewhere', 'projects'));
    await rename(path.join(root, 'photos'), path.join(root, 'elsewhere', 'photos'));
    const later = another();
    const opened = await later.handlers.openProject({
      path: path.join(root, 'elsewhere', 'projects', 'photos.winnow'),
    });
    expect(opened).toMatchObject({ imageFolder: path.join(root, 'elsewhere', 'photos'), imageFolderMissing: false });
  });

  it('shows two windows on one project the same decisions', async () => {
    const { projectPath, service, another, importAll } = await house();
    await importAll();
    const second = another();
    await second.handlers.openProject({ path: projectPath });
    const [id] = (await queue(service)) as [number];
    await service.handlers.decide({ sampleIds: [id], decision: { kind: 'skip' } });
    expect((await second.handlers.undo({}))?.label).toBe('Skip 1 image');
    expect((await service.handlers.getProject({}))?.redoLabel).toBe('Skip 1 image');
  });
});

it('edits classes, lists the history and jumps in it, as the reviewer of the settings', async () => {
  const { projectPath, service, another, importAll } = await house();
  const { classes } = await importAll();
  const { events } = listen(service);
  await service.handlers.saveSettings({ reviewer: 'Ann' });
  const [first] = (await queue(service)) as [number];
  await service.handlers.decide({ sampleIds: [first], decision: { kind: 'confirm' } });
  await service.handlers.editClass({ kind: 'rename', classId: classes[0]!.id, name: 'feline' });
  await service.handlers.saveSettings({ reviewer: 'Bob' });
  await service.handlers.editClass({ kind: 'merge', classIds: [classes[1]!.id], into: classes[0]!.id });
  await service.handlers.jumpTo({ actionId: 1 });
  await expect(async () => service.handlers.jumpTo({ actionId: 9 })).rejects.toMatchObject({ code: 'not-found' });
  expect(events).toEqual([
    ['settings', 'Ann'],
    ['review', 'done', 'Confirm 1 image'],
    ['review', 'done', 'Rename cat to feline'],
    ['settings', 'Bob'],
    ['review', 'done', 'Merge dog into feline'],
    ['review', 'undone', 'Back to: Confirm 1 image'],
  ]);
  expect(await service.handlers.getSample({ id: first })).toMatchObject({ decidedBy: 'Ann' });

  const later = another();
  expect(await later.handlers.openProject({ path: projectPath })).toMatchObject({
    reviewers: ['Ann'],
    redoLabel: 'Rename cat to feline',
    classes: [{ name: 'cat' }, { name: 'dog' }],
  });
  const { total, entries } = await later.handlers.listHistory({ before: null, limit: 2, author: null });
  expect(total).toBe(3);
  expect(entries.map(({ author, status }) => [author, status])).toEqual([
    ['Bob', 'undone'],
    ['Ann', 'undone'],
  ]);
  expect(await later.handlers.listHistory({ before: null, limit: 9, author: 'Ann' })).toMatchObject({
    total: 2,
    entries: [{ label: 'Rename cat to feline' }, { label: 'Confirm 1 image' }],
    standing: 1,
    authors: ['Ann', 'Bob'],
  });
});

describe('a run that is marked as running', () => {
  it('was interrupted if nobody trains the project, and is left alone while somebody does', async () => {
    const { projectPath, service, another, importAll } = await house();
    await importAll();
    await service.close();
    const db = openDatabase(projectPath, { create: false });
    const runId = createRun(db, {
      plan,
      classIds: [1, 2],
      samples: trainingSamples(db),
      startedAt: '2026-01-01T00:00:00.000Z',
    });
    setRunStatus(db, { runId, status: 'running' });
    db.close();

    const training = takeTrainingLock(projectPath);
    const watching = another();
    expect((await watching.handlers.openProject({ path: projectPath })).latestRun?.status).toBe('running');
    const start = async () => watching.handlers.startTraining(quickRun);
    await expect(start).rejects.toMatchObject({ code: 'busy' });
    await watching.close();
    training?.release();

    expect((await another().handlers.openProject({ path: projectPath })).latestRun).toMatchObject({
      status: 'interrupted',
      canResume: true,
      error: expect.stringContaining('while it was training; no epoch was finished'),
    });
  });
});

it('lets go of the project when a run cannot start', async () => {
  const { projectPath, service, importAll } = await house();
  await importAll();
  const start = async () => service.handlers.startTraining(quickRun);
  await expect(start).rejects.toMatchObject({ code: 'engine' });
  const lock = takeTrainingLock(projectPath);
  expect(lock).not.toBeNull();
  lock?.release();
  await service.handlers.closeProject({});
  expect(await readdir(path.dirname(projectPath))).toEqual(['photos.winnow']);
});

describe('images', () => {
  it('are served as browsers can show them', async () => {
    const { folder, service, importAll } = await house();
    await writeFiles(folder, { 'dog/scan.tiff': await twoColours(600, 300).tiff().toBuffer() });
    await importAll();
    const ids = await queue(service);
    const jpeg = await service.readImage(ids[0]!, 'full');
    expect(jpeg?.contentType).toBe('image/jpeg');
    expect(Buffer.from(jpeg!.bytes).equals(await readFile(path.join(folder, 'cat', '0.jpg')))).toBe(true);
    const scan = await service.readImage(ids.at(-1)!, 'full');
    expect(await sharp(scan!.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 600, height: 300 });
    const thumbnail = await service.readImage(ids.at(-1)!, 'thumbnail');
    expect(await sharp(thumbnail!.bytes).metadata()).toMatchObject({ format: 'jpeg', width: 256, height: 128 });
    expect(await service.readImage(99, 'thumbnail')).toBeNull();
  });

  it('never come from outside the image folder, nor is anything served that is no image', async () => {
    const { root, folder, service, projectPath, importAll } = await house();
    await importAll();
    const [first, second, third, fourth] = (await queue(service)) as [number, number, number, number];
    await writeFile(path.join(root, 'secret.jpg'), await uniqueJpeg(7));
    await writeFile(path.join(root, 'password.txt'), 'hunter2');
    const db = openDatabase(projectPath, { create: false });
    const forge = db.prepare('UPDATE sample SET path = ? WHERE id = ?');
    forge.run('../secret.jpg', first);
    forge.run(path.join(root, 'secret.jpg'), second);
    forge.run('cat/link.jpg', third);
    forge.run('cat', fourth);
    db.close();
    await symlink(path.join(root, 'password.txt'), path.join(folder, 'cat', 'link.jpg'));
    for (const id of [first, second, third, fourth]) {
      expect([await service.readImage(id, 'full'), await service.readImage(id, 'thumbnail')]).toEqual([null, null]);
    }
  });
});

describe('folders', () => {
  it('are listed as people sort them, without hidden ones', async () => {
    const { root, folder, service } = await house();
    await writeFiles(root, {
      'list/a10/x': '',
      'list/a9/x': '',
      'list/.git/x': '',
      'list/p.winnow': '',
      'list/l.CSV': '',
      'list/i.JPG': '',
      'list/t.txt': '',
    });
    await symlink(folder, path.join(root, 'list', 'B'));
    await symlink(path.join(root, 'nowhere'), path.join(root, 'list', 'broken'));
    const list = path.join(root, 'list');
    const expected = { path: list, parent: root, folders: ['a9', 'a10', 'B'], files: ['p.winnow'], images: 1 };
    expect(await service.handlers.listFolder({ path: list, showFiles: false })).toEqual(expected);
    expect(await service.handlers.listFolder({ path: `${list}/../list`, showFiles: true })).toEqual({
      ...expected,
      files: ['l.CSV', 'p.winnow'],
    });
    for (const missing of ['nowhere', 'list/t.txt']) {
      await expect(async () =>
        service.handlers.listFolder({ path: path.join(root, missing), showFiles: true }),
      ).rejects.toMatchObject({ code: 'folder-missing' });
    }
  });

  it('get a project of their own in the home folder, the same one again', async () => {
    const { root, folder, service } = await house();
    const home = process.env.HOME;
    process.env.HOME = path.join(root, 'home');
    onTestFinished(() => void (process.env.HOME = home));
    const first = path.join(root, 'home', 'Winnow', 'photos.winnow');
    expect(await service.handlers.suggestProjectPath({ folder })).toEqual({ path: first, exists: false });
    await service.handlers.importFolder({ folder, projectPath: first, labels: null });
    expect(await service.handlers.suggestProjectPath({ folder: `${folder}/` })).toEqual({ path: first, exists: true });
    const second = path.join(root, 'home', 'Winnow', 'photos 2.winnow');
    await writeFile(second, 'not a project');
    expect(await service.handlers.suggestProjectPath({ folder: path.join(root, 'b', 'photos') })).toEqual({
      path: path.join(root, 'home', 'Winnow', 'photos 3.winnow'),
      exists: false,
    });
  });
});

describe('recent projects', () => {
  it('are listed newest first with their progress, until forgotten', async () => {
    const { root, folder, projectPath, service, another, importAll } = await house();
    await importAll();
    const [id] = (await queue(service)) as [number];
    await service.handlers.decide({ sampleIds: [id], decision: { kind: 'confirm' } });
    const copy = path.join(root, 'second.winnow');
    await service.handlers.importFolder({ folder, projectPath: copy, labels: null });
    await service.close();
    await rename(copy, `${copy}.away`);
    const later = another();
    expect((await later.handlers.listRecentProjects({})).map(({ openedAt: _openedAt, ...rest }) => rest)).toEqual([
      { path: copy, name: 'second', samples: 6, reviewed: 0, missing: true },
      { path: projectPath, name: 'photos', samples: 6, reviewed: 1, missing: false },
    ]);
    await later.handlers.forgetRecentProject({ path: copy });
    expect((await later.handlers.listRecentProjects({})).map(({ name }) => name)).toEqual(['photos']);
  });

  it('start anew from a damaged file, and never stand in the way', async () => {
    const { root, service, log, importAll } = await house();
    const file = path.join(root, 'data', 'recent-projects.json');
    await writeFiles(root, { 'data/recent-projects.json': '[{"path": 7}, ' });
    expect(await service.handlers.listRecentProjects({})).toEqual([]);
    await importAll();
    expect((await service.handlers.listRecentProjects({})).map(({ name }) => name)).toEqual(['photos']);
    expect((await stat(file)).size).toBeGreaterThan(0);
    expect(log.some((entry) => entry.includes('recent-projects.json is damaged'))).toBe(true);
  });
});
