import type { Dirent, Stats } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LabelsFile } from '../../shared/api.ts';
import type { Problem, ProblemKind } from '../../shared/domain.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { forEachConcurrently } from './concurrency.ts';
import { readLabels, type LabelRow } from './formats/csv.ts';
import { classOfPath } from './formats/folder.ts';
import { mayBeImage } from './image-format.ts';
import { createFileMatcher, normalizePath } from './match-files.ts';

export interface ScannedFile {
  /** Relative to the image folder, `/` separated. */
  path: string;
  /** Name of the given class. */
  givenClass: string;
  byteSize: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
}

export interface Scan {
  /** In order of path. */
  files: ScannedFile[];
  problems: Problem[];
}

export interface ScanRequest {
  folder: string;
  /** Null when folders name the classes. */
  labels: LabelsFile | null;
  onProgress?: (found: number) => void;
  signal?: AbortSignal;
}

/**
 * Lists what can be imported: the files of class folders (the class of a/b/c.jpg is "a/b"), or those that a CSV names. Nothing is
 * opened yet. Throws `AppError` 'folder-missing', 'folder-empty', 'single-class' or 'labels-file', each saying what was expected.
 */
export async function scanFolder(request: ScanRequest): Promise<Scan> {
  const { folder, labels } = request;
  const found = await listImages(request);
  const scan = labels === null ? classByFolder(found) : await classByLabels(found, folder, labels);
  scan.files.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));

  if (scan.files.length === 0) throw new AppError('folder-empty', emptyMessage(folder, labels, found));
  assertSeveralClasses(folder, labels, scan.files);
  return scan;
}

/** Two classes are the least that there can be a doubt about. */
export function assertSeveralClasses(
  folder: string,
  labels: LabelsFile | null,
  files: Iterable<{ givenClass: string }>,
): void {
  const classes = new Set<string>();
  for (const { givenClass } of files) {
    classes.add(givenClass);
    if (classes.size > 1) return;
  }
  const [only] = classes;
  const expected =
    labels === null
      ? 'Expected a folder that holds one folder per class, such as photos/cat and photos/dog; choose the folder above, or give a CSV with the labels.'
      : `Expected at least two different labels in the column "${labels.labelColumn}"; choose another column.`;
  throw new AppError(
    'single-class',
    `All images in ${folder} have the same label "${only}", so none can be doubted. ${expected}`,
  );
}

/** Where a sample's file lies. */
export function absolutePath(folder: string, relativePath: string): string {
  return path.join(folder, relativePath);
}

interface FoundFile {
  path: string;
  byteSize: number;
  modifiedMs: number;
}

interface Found {
  files: FoundFile[];
  problems: Problem[];
}

/** A folder on the way, with the real paths of all folders above it: meeting one of those again is a loop. */
interface PendingFolder {
  relative: string;
  realPaths: readonly string[];
}

/** What operating systems, archivers and network drives leave in folders. Hidden names (".DS_Store", "._x.jpg") are ignored as well. */
const junk = new Set([
  'thumbs.db',
  'ehthumbs.db',
  'desktop.ini',
  '__macosx',
  '@eadir',
  '#recycle',
  '$recycle.bin',
  'system volume information',
  'lost+found',
]);
const statsAtOnce = 32;
/** Fatal: a name that does not decode could not be opened by the decoded name. */
const nameDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function listImages({ folder, onProgress, signal }: ScanRequest): Promise<Found> {
  const found: Found = { files: [], problems: [] };
  const pending: PendingFolder[] = [{ relative: '', realPaths: [await realPathOfFolder(folder)] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (signal?.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was changed.');
    const { relative, realPaths } = next;
    const entries = await readFolder(folder, relative, found);
    await forEachConcurrently(entries.length, statsAtOnce, async (index) => {
      const { name, entry } = entries[index]!;
      const child = relative === '' ? name : `${relative}/${name}`;
      if (entry.isDirectory()) {
        pending.push({ relative: child, realPaths: [...realPaths, path.join(realPaths.at(-1)!, name)] });
      } else if (entry.isSymbolicLink()) {
        await followLink(folder, child, realPaths, pending, found);
      } else if (entry.isFile() && mayBeImage(name)) {
        await addFile(folder, child, found);
      }
    });
    onProgress?.(found.files.length);
  }
  return found;
}

async function realPathOfFolder(folder: string): Promise<string> {
  const stats = await stat(folder).catch(() => null);
  if (stats === null)
    throw new AppError('folder-missing', `There is no folder ${folder}. Choose the folder that holds the images.`);
  if (!stats.isDirectory())
    throw new AppError('folder-missing', `${folder} is not a folder. Choose the folder that holds the images.`);
  return await realpath(folder);
}

/** The entries worth a look, in order of name; a folder that cannot be read becomes a problem. */
async function readFolder(
  folder: string,
  relative: string,
  found: Found,
): Promise<{ name: string; entry: Dirent<Buffer> }[]> {
  let entries: Dirent<Buffer>[];
  try {
    entries = await readdir(path.join(folder, relative), { withFileTypes: true, encoding: 'buffer' });
  } catch (error) {
    if (relative === '')
      throw new AppError('folder-missing', `${folder} cannot be read: ${errorMessage(error)}. Check its permissions.`, {
        cause: error,
      });
    found.problems.push(
      problem(
        relative,
        'unreadable',
        `The folder cannot be read (${errorMessage(error)}); check its permissions and import again.`,
      ),
    );
    return [];
  }
  const named: { name: string; entry: Dirent<Buffer> }[] = [];
  for (const entry of entries) {
    const name = decodeName(entry.name);
    if (name === null) {
      const readable = entry.name.toString('utf8');
      // A folder is always worth telling; of files only pictures.
      if (entry.isFile() && !mayBeImage(readable)) continue;
      const shown = relative === '' ? readable : `${relative}/${readable}`;
      found.problems.push(
        problem(
          shown,
          'name-not-utf8',
          'The name is not valid UTF-8, so it cannot be kept; rename it and import again.',
        ),
      );
    } else if (!name.startsWith('.') && !junk.has(name.toLowerCase())) {
      named.push({ name, entry });
    }
  }
  return named.sort((a, b) => (a.name < b.name ? -1 : 1));
}

function decodeName(name: Buffer): string | null {
  try {
    return nameDecoder.decode(name);
  } catch {
    return null;
  }
}

async function followLink(
  folder: string,
  child: string,
  realPaths: readonly string[],
  pending: PendingFolder[],
  found: Found,
): Promise<void> {
  const absolute = absolutePath(folder, child);
  let target: string;
  let stats: Stats;
  try {
    target = await realpath(absolute);
    stats = await stat(absolute);
  } catch (error) {
    // A loop of links among themselves, or a link to nothing.
    const isLoop = (error as NodeJS.ErrnoException).code === 'ELOOP';
    if (isLoop) found.problems.push(problem(child, 'symlink-loop', 'The link leads to itself; remove it.'));
    else if (mayBeImage(child))
      found.problems.push(
        problem(
          child,
          'unreadable',
          'The link leads to a file that is not there; restore the file or remove the link.',
        ),
      );
    return;
  }
  if (stats.isDirectory()) {
    if (realPaths.includes(target)) {
      found.problems.push(
        problem(
          child,
          'symlink-loop',
          'The link leads back to a folder that contains it, so it was not followed; remove it.',
        ),
      );
    } else {
      pending.push({ relative: child, realPaths: [...realPaths, target] });
    }
  } else if (stats.isFile() && mayBeImage(child)) {
    found.files.push({ path: child, byteSize: stats.size, modifiedMs: stats.mtimeMs });
  }
}

async function addFile(folder: string, child: string, found: Found): Promise<void> {
  try {
    const { size, mtimeMs } = await stat(absolutePath(folder, child));
    found.files.push({ path: child, byteSize: size, modifiedMs: mtimeMs });
  } catch (error) {
    found.problems.push(
      problem(child, 'unreadable', `The file cannot be read (${errorMessage(error)}); check its permissions.`),
    );
  }
}

function classByFolder({ files, problems }: Found): Scan {
  const scan: Scan = { files: [], problems: [...problems] };
  for (const file of files) {
    const givenClass = classOfPath(file.path);
    if (givenClass !== null) scan.files.push({ ...file, givenClass });
    else
      scan.problems.push(
        problem(
          file.path,
          'outside-class-folder',
          'The image lies in no class folder, so it has no label; move it into one and import again.',
        ),
      );
  }
  return scan;
}

async function classByLabels({ files, problems }: Found, folder: string, labels: LabelsFile): Promise<Scan> {
  const scan: Scan = { files: [], problems: [...problems] };
  const csvName = path.basename(labels.file);
  const rowProblem = (row: LabelRow, kind: ProblemKind, reason: string): void => {
    scan.problems.push(
      problem(
        row.file === '' ? csvName : normalizePath(row.file, folder),
        kind,
        `${csvName}, line ${row.line}: ${reason}`,
      ),
    );
  };

  const match = createFileMatcher(files, folder);
  const rowsByFile = new Map<FoundFile, LabelRow>();
  const unmatched: LabelRow[] = [];
  const assign = (file: FoundFile, row: LabelRow): void => {
    const first = rowsByFile.get(file);
    if (first === undefined) rowsByFile.set(file, row);
    else if (first.label !== row.label) {
      rowProblem(
        row,
        'csv-row',
        `the file has the label "${first.label}" on line ${first.line} and "${row.label}" here; the first was kept. Remove one of the rows.`,
      );
    }
  };
  for await (const row of readLabels(labels)) {
    if (row.file.trim() === '') {
      rowProblem(row, 'csv-row', `the column "${labels.fileColumn}" is empty; fill it in or remove the row.`);
      continue;
    }
    const file = match.byPath(row.file);
    if (file === null) unmatched.push(row);
    else assign(file, row);
  }
  // Only what no row names by its path may be meant by a bare file name.
  const byName = match.byName(
    files.filter((file) => !rowsByFile.has(file)),
    unmatched.map((row) => row.file),
  );
  for (const row of unmatched) {
    const file = byName(row.file) ?? (await findOther(folder, normalizePath(row.file, folder)));
    if (file === null)
      rowProblem(row, 'file-missing', `there is no such image in ${folder}; restore it or remove the row.`);
    else assign(file, row);
  }

  for (const file of new Set([...files, ...rowsByFile.keys()])) {
    const row = rowsByFile.get(file);
    if (row === undefined) {
      scan.problems.push(
        problem(file.path, 'label-missing', `${csvName} has no row for this image; add one, or leave the image out.`),
      );
    } else if (row.label === '') {
      rowProblem(
        row,
        'label-missing',
        `the column "${labels.labelColumn}" is empty for this image; fill it in and import again.`,
      );
    } else {
      scan.files.push({ ...file, givenClass: row.label });
    }
  }
  return scan;
}

/** A file that the walk passed over for its name, but that a row names: what it is will show when it is opened. */
async function findOther(folder: string, relative: string): Promise<FoundFile | null> {
  const inside = path.relative(folder, absolutePath(folder, relative));
  if (path.isAbsolute(relative) || path.isAbsolute(inside) || inside === '' || inside.split(path.sep)[0] === '..')
    return null;
  const stats = await stat(absolutePath(folder, relative)).catch(() => null);
  return stats?.isFile() === true ? { path: relative, byteSize: stats.size, modifiedMs: stats.mtimeMs } : null;
}

function emptyMessage(folder: string, labels: LabelsFile | null, { files }: Found): string {
  const formats = 'JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP';
  if (files.length === 0)
    return `There are no images in ${folder}. Expected one folder per class, such as ${path.join(path.basename(folder), 'cat')}, with ${formats} files in it.`;
  const images = `${files.length} ${files.length === 1 ? 'image' : 'images'}`;
  if (labels === null) {
    return `${folder} holds ${images} but no class folders. Expected one folder per class, such as ${path.join(path.basename(folder), 'cat')}, or a CSV that names the label of each file.`;
  }
  return `None of the ${images} in ${folder} has a label in ${labels.file}. Expected the column "${labels.fileColumn}" to hold paths relative to the folder (such as ${files[0]!.path}) and "${labels.labelColumn}" the labels.`;
}

function problem(file: string, kind: ProblemKind, reason: string): Problem {
  return { path: file, kind, reason, severity: 'error' };
}
