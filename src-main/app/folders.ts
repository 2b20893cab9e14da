import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import type { FolderListing } from '../../shared/api.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { extensionOf, formatOfName } from '../dataset/image-format.ts';

/** Folders and projects under a path, the home folder for null; for hosts without native dialogs. Throws 'folder-missing'. */
export async function listFolder(folder: string | null, showFiles: boolean): Promise<FolderListing> {
  const absolute = path.resolve(folder ?? homedir());
  const folders: string[] = [];
  const files: string[] = [];
  let images = 0;
  for (const entry of await readEntries(absolute)) {
    const { name } = entry;
    if (name.startsWith('.')) continue;
    const kind = await kindOf(entry, absolute);
    const extension = extensionOf(name);
    if (kind === 'folder') folders.push(name);
    else if (kind === 'file' && (extension === 'winnow' || (showFiles && extension === 'csv'))) files.push(name);
    else if (kind === 'file' && formatOfName(name) !== null) images++;
  }
  const parent = path.dirname(absolute);
  return {
    path: absolute,
    parent: parent === absolute ? null : parent,
    folders: folders.sort(byName.compare),
    files: files.sort(byName.compare),
    images: Math.min(images, mostImagesCounted),
  };
}

const byName = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
const mostImagesCounted = 1000;

async function readEntries(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === 'ENOENT')
      throw new AppError('folder-missing', `There is no folder ${folder}. Choose another one.`, { cause: error });
    if (code === 'ENOTDIR')
      throw new AppError('folder-missing', `${folder} is a file. Choose a folder.`, { cause: error });
    const why = code === 'EACCES' || code === 'EPERM' ? 'you may not read it' : errorMessage(error);
    throw new AppError('folder-missing', `${folder} cannot be opened: ${why}. Choose another folder.`, {
      cause: error,
    });
  }
}

/** Links count as what they lead to; broken ones as nothing. */
async function kindOf(entry: Dirent, folder: string): Promise<'folder' | 'file' | null> {
  if (entry.isDirectory()) return 'folder';
  if (entry.isFile()) return 'file';
  if (!entry.isSymbolicLink()) return null;
  const stats = await stat(path.join(folder, entry.name)).catch(() => null);
  if (stats === null) return null;
  return stats.isDirectory() ? 'folder' : stats.isFile() ? 'file' : null;
}
