import { rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import process from 'node:process';
import sharp from 'sharp';
import { describe, expect, it, onTestFinished } from 'vitest';
import { emptyFilter, type Preparation } from '../../shared/api.ts';
import type { Prepared } from '../../shared/domain.ts';
import { createLogger } from '../../shared/logger.ts';
import { layOutMap } from '../../src-main/app/map-layout.ts';
import { createPreparations, type Work } from '../../src-main/app/preparation.ts';
import { createService, type Service } from '../../src-main/app/service.ts';
import { fingerprintBytes } from '../../src-main/domain/fingerprint.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { shellWithoutDialogs } from '../../src-main/hosts/server/shell.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { appendEmbeddings } from '../../src-main/store/embeddings.ts';
import { writeFingerprints } from '../../src-main/store/fingerprints.ts';
import { toHalf } from '../../src-main/store/half.ts';
import { applyImport } from '../support/import-samples.ts';
import { spots, temporaryFolder, writeFiles } from '../dataset/pictures.ts';
import { runWithFindings, scanned } from '../store/fixtures.ts';

const pictureCount = 91;
const classes = ['cat', 'dog', 'fox'];
const dimension = 12;

interface House {
  folder: string;
  projectPath: string;
  service: Service;
  events: Preparation[];
  log: string[];
}

/** A project of pictures with the embeddings of a run, open in a service. */
async function house(workerProgram = programPaths().workerProgram): Promise<House> {
  const root = await temporaryFolder();
  const folder = path.join(root, 'photos');
  const projectPath = path.join(root, 'photos.winnow');
  for (let i = 0; i < pictureCount - 1; i++) {
    await writeFiles(folder, { [`${classes[i % 3]}/${i}.png`]: await spots(i).png().toBuffer() });
  }
  // The first again, smaller and compressed, under another label.
  await writeFiles(folder, { 'dog/again.jpg': await spots(0).resize(100).jpeg({ quality: 60 }).toBuffer() });
  const log: string[] = [];
  const service = createService({
    host: 'cli',
    version: '1.2.3',
    dataFolder: path.join(root, 'data'),
    nodePath: process.execPath,
    trainerProgram: path.join(root, 'no-trainer.js'),
    workerProgram,
    shell: shellWithoutDialogs,
    logger: createLogger((entry) => log.push(entry)),
  });
  onTestFinished(() => service.close());
  const events: Preparation[] = [];
  service.subscribe('preparation', (event) => events.push(event));
  await service.handlers.importFolder({ folder, projectPath, labels: null });
  return { folder, projectPath, service, events, log };
}

/** Gives the project a run whose embeddings point three ways. */
function embed(projectPath: string): void {
  const db = openDatabase(projectPath, { create: false });
  const runId = runWithFindings(db, {});
  const random = createRandom(3);
  const values = Float32Array.from({ length: pictureCount * dimension }, (_, i) =>
    i % dimension === Math.floor(i / dimension) % 3 ? 1 : 0.1 * random.next(),
  );
  appendEmbeddings(db, { runId, start: 0, dimension, values });
  db.close();
}

/** Asks until it is no longer being made. */
async function settled<T>(service: Service, ask: () => Promise<Prepared<T>>): Promise<Prepared<T>> {
  for (;;) {
    let stop = (): void => undefined;
    const finished = new Promise<void>((resolve) => {
      stop = service.subscribe('preparation', (event) => event.finished && resolve());
    });
    const answer = await ask();
    if (answer.status !== 'preparing') {
      stop();
      return answer;
    }
    await finished;
    stop();
  }
}

const askMap = (service: Service) => async () => await service.handlers.getMap({});
const askClusters =
  (service: Service, filter = emptyFilter) =>
  async () =>
    await service.handlers.listClusters({ filter });

function ready<T>(answer: Prepared<T>): T {
  if (answer.status !== 'ready') throw new Error(JSON.stringify(answer));
  return answer.value;
}

describe('the map', () => {
  it('is made when it is first asked for, says how far it is, and is kept', async () => {
    const { service, events, projectPath } = await house();
    expect(await service.handlers.getMap({})).toMatchObject({
      status: 'unavailable',
      reason: expect.stringContaining('Train'),
    });
    embed(projectPath);
    expect(await service.handlers.getMap({})).toEqual({ status: 'preparing', done: 0, total: 0 });
    // Asking again starts nothing more.
    expect(await service.handlers.getMap({})).toMatchObject({ status: 'preparing' });
    const map = ready(await settled(service, askMap(service)));
    expect(events.filter(({ finished }) => finished)).toHaveLength(1);
    expect(events.every(({ what, done, total }) => what === 'map' && done <= total)).toBe(true);
    expect(map.ids.toSorted()).toEqual(Uint32Array.from({ length: pictureCount }, (_, i) => i + 1));
    expect(map.ids).not.toEqual(map.ids.toSorted());
    expect(map.positions.every((value) => value >= -1 && value <= 1)).toBe(true);
    // What points the same way lies together.
    const places = Array.from(map.ids, (id, i) => ({
      way: (id - 1) % 3,
      x: map.positions[2 * i]!,
      y: map.positions[2 * i + 1]!,
    }));
    const near = places.filter((own) => {
      const [next] = places
        .filter((other) => other !== own)
        .sort((a, b) => Math.hypot(a.x - own.x, a.y - own.y) - Math.hypot(b.x - own.x, b.y - own.y));
      return next?.way === own.way;
    });
    expect(near.length).toBeGreaterThan(0.95 * places.length);

    await service.handlers.closeProject({});
    await service.handlers.openProject({ path: projectPath });
    expect(ready(await service.handlers.getMap({}))).toEqual(map);
  });

  it('shows decisions at once, and images that are gone no longer', async () => {
    const { service, projectPath, folder } = await house();
    embed(projectPath);
    const before = ready(await settled(service, askMap(service)));
    const id = before.ids[0]!;
    await service.handlers.decide({ sampleIds: [id], decision: { kind: 'drop' } });
    expect(ready(await service.handlers.getMap({})).state[0]).toBe(3);
    const [card] = await service.handlers.getSamples({ ids: [id] });
    await rm(path.join(folder, card!.path));
    await service.handlers.importFolder({ folder, projectPath, labels: null });
    const after = ready(await service.handlers.getMap({}));
    expect(after.ids).toEqual(before.ids.slice(1));
    expect(after.positions).toEqual(before.positions.slice(2));
  });

  it.each([1, 2, 5, 31])('can be laid out with %i samples, and with embeddings that are no numbers', (count) => {
    const values = new Float32Array(count * 3).map((_, i) => (i === 0 ? NaN : i % 7));
    const input = {
      parts: [new Uint16Array(new Uint8Array(toHalf(values)).buffer)],
      dimension: 3,
      classes: new Uint16Array(count),
    };
    const positions = layOutMap(input, () => undefined);
    expect(positions).toHaveLength(2 * count);
    expect(positions.every((value) => value >= -1 && value <= 1)).toBe(true);
    expect(layOutMap(input, () => undefined)).toEqual(positions);
  });
});

describe('clusters', () => {
  it('find a picture that was saved anew, and whether the labels differ', async () => {
    const { service, projectPath, folder } = await house();
    const clusters = ready(await settled(service, askClusters(service)));
    expect(clusters).toHaveLength(1);
    const [{ sampleIds }] = clusters as [(typeof clusters)[number]];
    expect(clusters).toEqual([{ sampleIds, kind: 'near', conflict: true }]);
    const cards = await service.handlers.getSamples({ ids: sampleIds });
    expect(cards.map((card) => card.path)).toContain('dog/again.jpg');

    // Members stay together when only one matches; a group of which none matches is left out.
    const [first, second] = cards as [(typeof cards)[number], (typeof cards)[number]];
    const ofGiven = (id: number) => ({ ...emptyFilter, givenClassIds: [id] });
    expect(ready(await service.handlers.listClusters({ filter: ofGiven(first.givenClassId) }))).toEqual(clusters);
    const project = (await service.handlers.getProject({}))!;
    const other = project.classes.find(({ id }) => id !== first.givenClassId && id !== second.givenClassId)!;
    expect(ready(await service.handlers.listClusters({ filter: ofGiven(other.id) }))).toEqual([]);

    await service.handlers.decide({ sampleIds, decision: { kind: 'relabel', classId: first.givenClassId } });
    expect(ready(await service.handlers.listClusters({ filter: emptyFilter }))).toEqual([
      { sampleIds, kind: 'near', conflict: false },
    ]);

    // An import that brings the very same bytes again.
    await writeFile(
      path.join(folder, 'fox', 'copy.png'),
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    await writeFile(
      path.join(folder, 'fox', 'copy 2.png'),
      await sharp({ create: { width: 9, height: 9, channels: 3, background: '#fff' } })
        .png()
        .toBuffer(),
    );
    await service.handlers.importFolder({ folder, projectPath, labels: null });
    expect(await service.handlers.listClusters({ filter: emptyFilter })).toMatchObject({ status: 'preparing' });
    expect(ready(await settled(service, askClusters(service))).map(({ kind }) => kind)).toEqual(['near', 'identical']);
  });

  it('survive files that are gone, and compare them by their bytes alone', async () => {
    const { service, folder, log } = await house();
    await rm(path.join(folder, 'dog', 'again.jpg'));
    expect(ready(await settled(service, askClusters(service)))).toEqual([]);
    expect(log.join('\n')).toContain('1 images can no longer be read');
  });

  it('may hold more copies of one picture than a call takes arguments', async () => {
    const { service, projectPath } = await house();
    await service.handlers.closeProject({});
    const db = openDatabase(projectPath, { create: false });
    const copies = 130_000;
    const found = Array.from({ length: copies + 1 }, (_, i) =>
      scanned(`${i % 2 === 0 ? 'cat' : 'dog'}/${String(i).padStart(6, '0')}.png`, {
        contentHash: i === 0 ? 'original' : 'copy',
      }),
    );
    applyImport(db, { scanned: found, problems: [] });
    const random = createRandom(1);
    const bits = Uint8Array.from({ length: fingerprintBytes }, () => random.integer(256));
    writeFingerprints(db, [
      { contentHash: 'original', bits },
      { contentHash: 'copy', bits },
    ]);
    db.close();
    await service.handlers.openProject({ path: projectPath });
    const [group] = ready(await settled(service, askClusters(service)));
    expect(group).toMatchObject({ kind: 'near', conflict: true });
    expect(group!.sampleIds).toHaveLength(copies + 1);
  });
});

describe('a failure', () => {
  it('of the thread is answered in words, logged, and not repeated for ever', async () => {
    const { service, projectPath, log } = await house(path.join(import.meta.dirname, 'throwing-worker.ts'));
    embed(projectPath);
    const failed = await settled(service, askMap(service));
    expect(failed).toMatchObject({ status: 'unavailable', reason: expect.stringContaining('could not be made') });
    expect(await service.handlers.getMap({})).toEqual(failed);
    expect(log.join('\n')).toContain('no arithmetic today');
    expect(await service.handlers.queryQueue({ filter: emptyFilter, sort: 'path' })).toBeDefined();
    await service.handlers.closeProject({});
    await service.handlers.openProject({ path: projectPath });
    expect(await service.handlers.getMap({})).toMatchObject({ status: 'preparing' });
  });
});

it('closing the project ends what is being made', async () => {
  const { service, projectPath, events } = await house(path.join(import.meta.dirname, 'waiting-worker.ts'));
  embed(projectPath);
  const halfway = new Promise<void>((resolve) => {
    service.subscribe('preparation', ({ done, total }) => {
      if (total > 0 && done >= Math.floor(total / 2)) resolve();
    });
  });
  await service.handlers.getMap({});
  await halfway;
  await service.handlers.closeProject({});
  expect(events.some(({ finished }) => finished)).toBe(false);
  await service.handlers.openProject({ path: projectPath });
  expect(await service.handlers.getMap({})).toMatchObject({ status: 'preparing' });
});

describe('preparations', () => {
  it('are announced a few times a second at most, and made anew for another key once the old has ended', async () => {
    const events: Preparation[] = [];
    const preparations = createPreparations(
      (event) => events.push(event),
      createLogger(() => undefined),
    );
    const order: string[] = [];
    let release = (): void => undefined;
    const work =
      (name: string, until: Promise<void>): Work =>
      async ({ signal, report }) => {
        order.push(`${name} starts`);
        for (let i = 0; i < 1000; i++) report(i, 1000);
        await until;
        order.push(`${name} ${signal.aborted ? 'was ended' : 'is done'}`);
        signal.throwIfAborted();
      };
    preparations.ask('map', 'old', work('old', new Promise((resolve) => (release = resolve))));
    await Promise.resolve();
    expect(preparations.ask('map', 'old', work('never', Promise.resolve()))).toEqual({
      status: 'preparing',
      done: 999,
      total: 1000,
    });
    preparations.ask('map', 'new', work('new', Promise.resolve()));
    release();
    await expect.poll(() => events.some(({ finished }) => finished)).toBe(true);
    expect(order).toEqual(['old starts', 'old was ended', 'new starts', 'new is done']);
    expect(events.filter(({ finished }) => finished)).toHaveLength(1);
    expect(events.length).toBeLessThan(6);
    await preparations.close();
  });
});
