import type { Dirent, Stats } from 'node:fs';
import { opendir, realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LabelsFile } from '../../shared/api.ts';
import type { Problem, ProblemKind } from '../../shared/domain.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { forEachOf } from './concurrency.ts';
import { classOfPath } from './formats/folder.ts';
import { mayBeImage } from './image-format.ts';
import { labelFiles, type RowStore } from './label-rows.ts';

export interface ScannedFile {
  /** Relative to the image folder, `/` separated. */
  path: string;
  /** Name of the given class; null as long as it is not known. */
  givenClass: string | null;
  byteSize: number;
  /** Time of the last change, milliseconds since 1970. */
  modifiedMs: number;
}

/** Where a scan puts what it finds, so that it takes the same memory for any number of files; `store/import-staging.ts` is one. */
export interface ScanStore extends RowStore {
  addFiles(files: readonly ScannedFile[]): void;
  addProblems(problems: readonly Problem[]): void;
  /** At most two of the labels that the files have. */
  someLabels(): string[];
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
export async function scanFolder(request: ScanRequest, store: ScanStore): Promise<void> {
  const { folder, labels } = request;
  const found = await listImages(request, store);
  if (labels !== null) await labelFiles(store, folder, labels);
  const someLabels = store.someLabels();
  if (someLabels.length === 0) throw new AppError('folder-empty', emptyMessage(folder, labels, found));
  assertSeveralClasses(folder, labels, someLabels);
}

/** Two classes are the least that there can be a doubt about. `someLabels` are all labels, or two of them. */
export function assertSeveralClasses(folder: string, labels: LabelsFile | null, someLabels: readonly string[]): void {
  if (someLabels.length > 1) return;
  const [only] = someLabels;
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

/** What the walk has found and not handed on yet. */
interface Found {
  files: ScannedFile[];
  problems: Problem[];
}

/** What the walk has found in all. */
interface FoundImages {
  count: number;
  /** The first in order of path; empty if there is none. */
  first: string;
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
/** Of a folder; no folder's list is held whole. */
const entriesAtOnce = 512;
/** Fatal: a name that does not decode could not be opened by the decoded name. */
const nameDecoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

async function listImages({ folder, labels, onProgress, signal }: ScanRequest, store: ScanStore): Promise<FoundImages> {
  const images: FoundImages = { count: 0, first: '' };
  const found: Found = { files: [], problems: [] };
  const handOn = (): void => {
    for (const { path: file } of found.files) if (images.count++ === 0 || file < images.first) images.first = file;
    store.addFiles(labels === null ? classByFolder(found) : found.files);
    store.addProblems(found.problems);
    found.files.length = 0;
    found.problems.length = 0;
  };
  const pending: PendingFolder[] = [{ relative: '', realPaths: [await realPathOfFolder(folder)] }];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    const { relative, realPaths } = next;
    for await (const entries of readFolder(folder, relative, found)) {
      if (signal?.aborted) throw new AppError('cancelled', 'The import was cancelled; nothing was changed.');
      await forEachOf(entries, statsAtOnce, async ({ name, entry }) => {
        const child = relative === '' ? name : `${relative}/${name}`;
        if (entry.isDirectory()) {
          pending.push({ relative: child, realPaths: [...realPaths, path.join(realPaths.at(-1)!, name)] });
        } else if (entry.isSymbolicLink()) {
          await followLink(folder, child, realPaths, pending, found);
        } else if (entry.isFile() && mayBeImage(name)) {
          await addFile(folder, child, found);
        }
      });
      handOn();
      onProgress?.(images.count);
    }
  }
  handOn();
  return images;
}

async function realPathOfFolder(folder: string): Promise<string> {
  const stats = await stat(folder).catch(() => null);
  if (stats === null)
    throw new AppError('folder-missing', `There is no folder ${folder}. Choose the folder that holds the images.`);
  if (!stats.isDirectory())
    throw new AppError('folder-missing', `${folder} is not a folder. Choose the folder that holds the images.`);
  return await realpath(folder);
}

/** The entries worth a look, some at a time and in any order; a folder that cannot be read becomes a problem. */
async function* readFolder(
  folder: string,
  relative: string,
  found: Found,
): AsyncGenerator<{ name: string; entry: Dirent<Buffer> }[]> {
  try {
    // Node gives names as bytes when asked to, although its types do not know it.
    const options = { encoding: 'buffer' as BufferEncoding, bufferSize: entriesAtOnce };
    const entries = (await opendir(path.join(folder, relative), options)) as unknown as AsyncIterable<Dirent<Buffer>>;
    let named: { name: string; entry: Dirent<Buffer> }[] = [];
    for await (const entry of entries) {
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
        if (named.length < entriesAtOnce) continue;
        yield named;
        named = [];
      }
    }
    yield named;
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
  }
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
    found.files.push({ path: child, givenClass: null, byteSize: stats.size, modifiedMs: stats.mtimeMs });
  }
}

async function addFile(folder: string, child: string, found: Found): Promise<void> {
  try {
    const { size, mtimeMs } = await stat(absolutePath(folder, child));
    found.files.push({ path: child, givenClass: null, byteSize: size, modifiedMs: mtimeMs });
  } catch (error) {
    found.problems.push(
      problem(child, 'unreadable', `The file cannot be read (${errorMessage(error)}); check its permissions.`),
    );
  }
}

/** The files that lie in a class folder; the others become problems. */
function classByFolder({ files, problems }: Found): ScannedFile[] {
  const labeled: ScannedFile[] = [];
  for (const file of files) {
    const givenClass = classOfPath(file.path);
    if (givenClass !== null) labeled.push({ ...file, givenClass });
    else
      problems.push(
        problem(
          file.path,
          'outside-class-folder',
          'The image lies in no class folder, so it has no label; move it into one and import again.',
        ),
      );
  }
  return labeled;
}

function emptyMessage(folder: string, labels: LabelsFile | null, { count, first }: FoundImages): string {
  const formats = 'JPEG, PNG, WebP, GIF, TIFF, AVIF or BMP';
  if (count === 0)
    return `There are no images in ${folder}. Expected one folder per class, such as ${path.join(path.basename(folder), 'cat')}, with ${formats} files in it.`;
  const images = `${count} ${count === 1 ? 'image' : 'images'}`;
  if (labels === null) {
    return `${folder} holds ${images} but no class folders. Expected one folder per class, such as ${path.join(path.basename(folder), 'cat')}, or a CSV that names the label of each file.`;
  }
  return `None of the ${images} in ${folder} has a label in ${labels.file}. Expected the column "${labels.fileColumn}" to hold paths relative to the folder (such as ${first}) and "${labels.labelColumn}" the labels.`;
}

function problem(file: string, kind: ProblemKind, reason: string): Problem {
  return { path: file, kind, reason, severity: 'error' };
}
