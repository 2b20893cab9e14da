import path from 'node:path';
import { importImages } from '../../../../src-main/app/import.ts';
import type { Database } from '../../../../src-main/store/database.ts';
import { openThumbnailCache } from '../../../../src-main/store/thumbnails.ts';
import type { Operation, Place } from '../operation.ts';
import { newProject, saveImport } from '../projects.ts';
import { simulateScan } from '../simulated.ts';

const group = 'Import';

export const importOperations: Operation[] = [
  {
    group,
    name: 'a new folder: image files',
    needsImages: true,
    prepare: (place) => {
      let db: Database;
      return {
        before: () => void (db = newProject(place)),
        run: () => importFiles(place, db),
        after: () => void db.close(),
      };
    },
  },
  {
    group,
    name: 'an unchanged folder: image files',
    needsImages: true,
    prepare: async (place) => {
      const db = newProject(place);
      await importFiles(place, db);
      return { run: () => importFiles(place, db) };
    },
  },
  {
    group,
    name: 'a new folder: saved',
    prepare: (place) => {
      const scanned = simulateScan(place.samples);
      let db: Database;
      return {
        before: () => void (db = newProject(place)),
        run: () => saveImport(db, scanned),
        after: () => void db.close(),
      };
    },
  },
  {
    group,
    name: 'an unchanged folder: saved',
    prepare: (place) => {
      const scanned = simulateScan(place.samples);
      const db = newProject(place);
      saveImport(db, scanned);
      return { run: () => saveImport(db, scanned) };
    },
  },
  {
    group,
    name: 'a folder whose files have all moved: saved',
    prepare: (place) => {
      const there = simulateScan(place.samples);
      const moved = simulateScan(place.samples, 'elsewhere/').map((sample, i) => ({
        ...sample,
        givenClass: there[i]!.givenClass,
      }));
      const db = newProject(place);
      saveImport(db, there);
      const turns = [moved, there];
      return { run: () => saveImport(db, turns[0]!), after: () => void turns.reverse() };
    },
  },
  {
    group,
    name: 'labels put right that were one for every file: saved',
    prepare: (place) => {
      const right = simulateScan(place.samples);
      const mistaken = right.map((sample) => ({ ...sample, givenClass: `label of ${sample.path}` }));
      const db = newProject(place);
      return { before: () => saveImport(db, mistaken), run: () => saveImport(db, right) };
    },
  },
];

let caches = 0;

async function importFiles({ images, scratch }: Place, db: Database): Promise<void> {
  const info = { name: 'growth', imageFolder: images, labels: null, createdAt: '2026-01-01T00:00:00Z' };
  // A new one each time, so that every picture that is read is made small, too.
  const thumbnails = openThumbnailCache(path.join(scratch, `cache-${++caches}`));
  await importImages({ db, thumbnails, info });
  thumbnails.close();
}
