import { createHash } from 'node:crypto';
import { existsSync, realpathSync, rmSync, statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { ImportRequest, ProjectSummary } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { describeRun } from './checkpoints.ts';
import { listClasses } from '../store/class-list.ts';
import { openDatabase, type Database } from '../store/database.ts';
import { undoLabels } from '../store/history.ts';
import { countProblems } from '../store/problems.ts';
import { readProjectInfo, writeProjectInfo, type ProjectInfo } from '../store/project-info.ts';
import { countReview, listReviewers } from '../store/reviews.ts';
import { activeRunIds, latestRun, markInterruptedRuns } from '../store/runs.ts';
import { countSamples, samplePaths } from '../store/samples.ts';
import { openThumbnailCache, type ThumbnailCache } from '../store/thumbnails.ts';
import { takeTrainingLock } from '../store/training-lock.ts';

/** The open project. */
export interface Project {
  /** Absolute path of its file. */
  path: string;
  name: string;
  db: Database;
  /** Where the images are, as far as is known; the folder may be missing. */
  imageFolder: string;
  /** Holds what can be made anew: thumbnails and decoded pixels. */
  cacheFolder: string;
  /** Beside the project file; there once a run has left weights. */
  weightsFolder: string;
  thumbnails: ThumbnailCache;
}

/** A project file that is opened only for an import to fill it. */
export interface ImportTarget {
  db: Database;
  thumbnails: ThumbnailCache;
  /** Closes it; unless it was filled, a file that was made for this import is removed again. */
  close(filled: boolean): void;
}

/** Opens a project that holds samples, and marks runs that were interrupted. Throws what `openDatabase` throws. */
export function openProject(projectPath: string, dataFolder: string, logger: Logger): Project {
  const absolute = path.resolve(projectPath);
  const db = openDatabase(absolute, { create: false });
  try {
    const info = readProjectInfo(db);
    if (info === null) {
      throw new AppError(
        'project-file',
        `${absolute} holds no images yet, because its first import was not finished. Import the folder again.`,
      );
    }
    reportInterruptedRuns(db, absolute, logger);
    const cacheFolder = cacheFolderOf(absolute, dataFolder);
    return {
      path: absolute,
      name: info.name,
      db,
      imageFolder: info.imageFolder,
      cacheFolder,
      weightsFolder: `${absolute}-weights`,
      thumbnails: openThumbnailCache(cacheFolder),
    };
  } catch (error) {
    db.close();
    throw error;
  }
}

export function closeProject(project: Project): void {
  project.thumbnails.close();
  project.db.close();
}

export function summarizeProject(project: Project): ProjectSummary {
  const { db } = project;
  const { present, gone } = countSamples(db);
  return {
    path: project.path,
    name: project.name,
    imageFolder: project.imageFolder,
    imageFolderMissing: !isFolder(project.imageFolder),
    samples: present,
    goneSamples: gone,
    classes: listClasses(db),
    problems: countProblems(db),
    review: countReview(db),
    latestRun: describeRun(project, latestRun(db)),
    ...undoLabels(db),
    reviewers: listReviewers(db),
  };
}

/** What the open project says about itself. */
export function projectInfo(project: Project): ProjectInfo {
  const info = readProjectInfo(project.db);
  if (info === null) throw new Error('An open project always says where its images are.');
  return info;
}

/** Opens or makes the project file that an import is to fill. */
export async function openImportTarget(projectPath: string, dataFolder: string): Promise<ImportTarget> {
  await makeFolderFor(projectPath);
  const isNew = !existsSync(projectPath);
  const db = openDatabase(projectPath, { create: true });
  const thumbnails = openThumbnailCache(cacheFolderOf(projectPath, dataFolder));
  return {
    db,
    thumbnails,
    close: (filled) => {
      thumbnails.close();
      db.close();
      if (isNew && !filled) rmSync(projectPath, { force: true });
    },
  };
}

/** What a project is to say about itself after an import. Refuses a folder with none of the samples of a project that has some. */
export function importInfo(db: Database, request: ImportRequest): ProjectInfo {
  const projectPath = path.resolve(request.projectPath);
  const imageFolder = path.resolve(request.folder);
  const known = readProjectInfo(db);
  if (known !== null && !isSameFolder(known.imageFolder, imageFolder)) {
    requireSamples(db, imageFolder, `${projectPath} is the project of ${known.imageFolder}, not of ${imageFolder}.`);
  }
  return {
    name: known?.name ?? path.basename(projectPath).replace(/\.winnow$/i, ''),
    imageFolder,
    labels: request.labels === null ? null : { ...request.labels, file: path.resolve(request.labels.file) },
    createdAt: known?.createdAt ?? new Date().toISOString(),
  };
}

/** Points the project to the folder that its images have moved to. Throws 'folder-missing' or 'images-missing'. */
export function relocateImages(project: Project, folder: string): void {
  const imageFolder = path.resolve(folder);
  if (!isFolder(imageFolder))
    throw new AppError(
      'folder-missing',
      `There is no folder ${imageFolder}. Choose the folder that holds the images now.`,
    );
  requireSamples(project.db, imageFolder, `The images of ${project.name} are not in ${imageFolder}.`);
  writeProjectInfo(project.db, { ...projectInfo(project), imageFolder });
  project.imageFolder = imageFolder;
}

/** `Winnow/<folder name>.winnow` in the home folder, numbered where that is the project of another folder. */
export function suggestProjectPath(folder: string): { path: string; exists: boolean } {
  const imageFolder = path.resolve(folder);
  const name = path.basename(imageFolder) || 'images';
  for (let number = 1; ; number++) {
    const candidate = path.join(homedir(), 'Winnow', `${name}${number === 1 ? '' : ` ${number}`}.winnow`);
    if (!existsSync(candidate)) return { path: candidate, exists: false };
    if (isProjectOf(candidate, imageFolder)) return { path: candidate, exists: true };
  }
}

/** Samples that are looked for to tell whether a folder holds a project's images. */
const samplesLookedFor = 50;

function isProjectOf(projectPath: string, imageFolder: string): boolean {
  let db: Database;
  try {
    db = openDatabase(projectPath, { create: false });
  } catch (error) {
    // Another program's file, or a project that cannot be opened: not to be suggested.
    if (error instanceof AppError) return false;
    throw error;
  }
  try {
    const info = readProjectInfo(db);
    return info !== null && isSameFolder(info.imageFolder, imageFolder);
  } finally {
    db.close();
  }
}

function reportInterruptedRuns(db: Database, projectPath: string, logger: Logger): void {
  if (activeRunIds(db).length === 0) return;
  const lock = takeTrainingLock(projectPath);
  if (lock === null) return;
  const interrupted = markInterruptedRuns(db, new Date().toISOString());
  lock.release();
  logger.warn(`${projectPath}: training was interrupted (run ${interrupted.join(', ')}).`);
}

/** Throws if not even one of the known samples lies in the folder. */
function requireSamples(db: Database, imageFolder: string, problem: string): void {
  const paths = samplePaths(db, samplesLookedFor);
  if (paths.length === 0 || paths.some((sample) => existsSync(path.join(imageFolder, sample)))) return;
  throw new AppError(
    'images-missing',
    `${problem} Of ${paths.length} images that were looked for there, such as ${paths[0]}, none was found. Choose the folder that holds them, or start another project.`,
  );
}

async function makeFolderFor(projectPath: string): Promise<void> {
  try {
    await mkdir(path.dirname(projectPath), { recursive: true });
  } catch (error) {
    throw new AppError(
      'project-file',
      `The folder for ${projectPath} cannot be made: ${errorMessage(error)}. Choose another place.`,
      { cause: error },
    );
  }
}

/** Where the caches of a project lie in the data folder. */
export function cacheFolderOf(projectPath: string, dataFolder: string): string {
  return path.join(dataFolder, 'cache', createHash('sha256').update(projectPath).digest('hex').slice(0, 16));
}

function isSameFolder(a: string, b: string): boolean {
  return realPath(a) === realPath(b);
}

function realPath(folder: string): string {
  try {
    return realpathSync(folder);
  } catch {
    return path.resolve(folder);
  }
}

function isFolder(folder: string): boolean {
  return statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true;
}
