import { statSync } from 'node:fs';
import path from 'node:path';
import type { LabelsFile } from '../../shared/api.ts';
import { allRows, inTransaction, statement, type Database } from './database.ts';

export interface ProjectInfo {
  name: string;
  /** Absolute, where it was found or last known. */
  imageFolder: string;
  /** The CSV that gave the labels; null when folders name the classes. */
  labels: LabelsFile | null;
  createdAt: string;
}

/**
 * Reads what the project says about itself; null before the first import has written it. Paths are kept absolute and
 * relative to the project file: when a project was moved together with its images, the relative one still leads there.
 */
export function readProjectInfo(db: Database): ProjectInfo | null {
  const values = new Map(
    allRows<{ key: string; value: string }>(db, 'SELECT key, value FROM project').map((row) => [row.key, row.value]),
  );
  const name = values.get('name');
  const imageFolder = values.get('image_folder');
  const createdAt = values.get('created_at');
  if (name === undefined || imageFolder === undefined || createdAt === undefined) return null;
  const labelsFile = values.get('labels_file');
  return {
    name,
    imageFolder: whereItIs(db, imageFolder, values.get('image_folder_relative')),
    labels:
      labelsFile === undefined
        ? null
        : {
            file: whereItIs(db, labelsFile, values.get('labels_file_relative')),
            fileColumn: values.get('labels_file_column') ?? '',
            labelColumn: values.get('labels_label_column') ?? '',
          },
    createdAt,
  };
}

export function writeProjectInfo(db: Database, info: ProjectInfo): void {
  inTransaction(db, () => {
    statement(db, "DELETE FROM project WHERE key GLOB 'labels_*'").run();
    write(db, 'name', info.name);
    write(db, 'created_at', info.createdAt);
    writePath(db, 'image_folder', info.imageFolder);
    if (info.labels === null) return;
    writePath(db, 'labels_file', info.labels.file);
    write(db, 'labels_file_column', info.labels.fileColumn);
    write(db, 'labels_label_column', info.labels.labelColumn);
  });
}

function write(db: Database, key: string, value: string): void {
  statement(
    db,
    'INSERT INTO project (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value',
  ).run(key, value);
}

function writePath(db: Database, key: string, absolute: string): void {
  write(db, key, absolute);
  // With '/', so that a project taken from Windows to another system still finds its images.
  if (!db.memory)
    write(
      db,
      `${key}_relative`,
      path
        .relative(path.dirname(path.resolve(db.name)), absolute)
        .split(path.sep)
        .join('/'),
    );
}

function whereItIs(db: Database, absolute: string, relative: string | undefined): string {
  if (relative === undefined || db.memory || exists(absolute)) return absolute;
  const besideProject = path.resolve(path.dirname(path.resolve(db.name)), relative);
  return exists(besideProject) ? besideProject : absolute;
}

function exists(file: string): boolean {
  return statSync(file, { throwIfNoEntry: false }) !== undefined;
}
