import { constants } from 'node:fs';
import { copyFile, mkdir, readdir, realpath, rename, rm, rmdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { AppError, errorMessage } from '../../../shared/result.ts';
import { forEachConcurrently } from '../concurrency.ts';
import { fileNameOf } from '../match-files.ts';

export interface LabeledFile {
  /** Relative to the image folder, `/` separated. */
  path: string;
  label: string;
}

/** The class of "a/b/c.jpg" is "a/b"; null for a file in no class folder. */
export function classOfPath(file: string): string | null {
  const end = file.lastIndexOf('/');
  return end === -1 ? null : file.slice(0, end);
}

/**
 * Copies every file into `out`/<label>/. The folder appears when it is complete. Copies, never links: the originals must be out of
 * reach of whatever is done to the export. Throws `AppError` 'export' if `out` holds anything or lies inside the image folder.
 */
export async function writeFolder(out: string, imageFolder: string, files: readonly LabeledFile[]): Promise<void> {
  await assertMayWrite(out, imageFolder);
  const temporary = `${out}.${randomBytes(4).toString('hex')}.partial`;
  const targets = chooseTargets(files);
  try {
    await mkdir(temporary, { recursive: true });
    for (const folder of new Set(targets.map((target) => path.dirname(target))))
      await mkdir(path.join(temporary, folder), { recursive: true });
    await forEachConcurrently(files.length, availableParallelism(), async (index) => {
      const source = path.join(imageFolder, files[index]!.path);
      try {
        // Shares blocks until one side is changed, where the file system can.
        await copyFile(
          source,
          path.join(temporary, targets[index]!),
          constants.COPYFILE_EXCL | constants.COPYFILE_FICLONE,
        );
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
        throw new AppError(
          'export',
          `${source} is not there any more, so nothing was exported. Import the folder again, then export.`,
          { cause: error },
        );
      }
    });
    await rmdir(out).catch(() => undefined);
    await rename(temporary, out);
  } catch (error) {
    await rm(temporary, { recursive: true, force: true });
    if (error instanceof AppError) throw error;
    throw new AppError('export', `${out} could not be written: ${errorMessage(error)}. Choose another place.`, {
      cause: error,
    });
  }
}

/** File systems that take "Cat" and "cat" for one folder. */
const ignoresCase = process.platform === 'win32' || process.platform === 'darwin';

async function assertMayWrite(out: string, imageFolder: string): Promise<void> {
  const entries = await readdir(out).catch((error: unknown) => {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw new AppError('export', `${out} is not a folder that can be written to. Choose another one.`, {
      cause: error,
    });
  });
  if (entries.length > 0)
    throw new AppError('export', `${out} is not empty and was left as it is. Choose a new or an empty folder.`);
  const fromImages = path.relative(await realPathOfPlanned(imageFolder), await realPathOfPlanned(out));
  const isInside = !path.isAbsolute(fromImages) && fromImages.split(path.sep)[0] !== '..';
  if (isInside)
    throw new AppError(
      'export',
      `${out} lies in the image folder ${imageFolder}, which Winnow never writes to. Choose a folder elsewhere.`,
    );
}

/** The real path of something that may not be there yet: that of its nearest existing parent, and the rest. */
async function realPathOfPlanned(planned: string): Promise<string> {
  const resolved = path.resolve(planned);
  const parent = path.dirname(resolved);
  try {
    return await realpath(resolved);
  } catch {
    return parent === resolved ? resolved : path.join(await realPathOfPlanned(parent), path.basename(resolved));
  }
}

/** A path under the export for each file: its own name in its label's folder, numbered where two files would meet. */
function chooseTargets(files: readonly LabeledFile[]): string[] {
  const taken = new Set<string>();
  const folders = new Map<string, string>();
  const key = (target: string): string => (ignoresCase ? target.toLowerCase() : target);
  const free = (target: string): string => {
    const { dir, name, ext } = path.posix.parse(target);
    let candidate = target;
    for (let number = 2; taken.has(key(candidate)); number++)
      candidate = path.posix.join(dir, `${name} (${number})${ext}`);
    taken.add(key(candidate));
    return candidate;
  };
  // Labels first and in order, so that a folder's name does not depend on which files come before.
  for (const label of [...new Set(files.map((file) => file.label))].sort())
    folders.set(label, free(folderOfLabel(label)));
  return files.map((file) => free(`${folders.get(file.label)!}/${fileNameOf(file.path)}`));
}

/** A label as a relative folder: nested where it has slashes, and never one that leads out. */
function folderOfLabel(label: string): string {
  return label
    .split('/')
    .map((part) =>
      process.platform === 'win32' ? part.replace(/[<>:"\\|?*\p{Cc}]|[. ]+$/gu, '_') : part.replaceAll('\0', '_'),
    )
    .map((part) => (part === '' || part === '.' || part === '..' ? '_' : part))
    .join('/');
}
