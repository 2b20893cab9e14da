import { readFile, stat } from 'node:fs/promises';
import path from 'node:path';
import type { SampleId } from '../../shared/domain.ts';
import { toBrowserImage, type EncodedImage } from '../dataset/decode.ts';
import { readThumbnail } from '../dataset/thumbnails.ts';
import { sampleFile } from '../store/samples.ts';
import type { Project } from './projects.ts';

/**
 * Bytes of a sample of the open project in a format that browsers show; null if there is no such sample, or its file is
 * gone or is no picture any more.
 */
export async function readSampleImage(
  project: Project,
  id: SampleId,
  size: 'thumbnail' | 'full',
): Promise<EncodedImage | null> {
  const sample = sampleFile(project.db, id);
  if (sample === null) return null;
  const file = insideFolder(project.imageFolder, sample.path);
  if (file === null) return null;
  if (size === 'thumbnail') return readThumbnail(project.thumbnails, file, sample.contentHash);
  // A pipe or device that has taken the file's name would never end.
  const stats = await stat(file).catch(() => null);
  if (stats === null || !stats.isFile()) return null;
  try {
    return await toBrowserImage(await readFile(file));
  } catch {
    return null;
  }
}

/**
 * The path of a file below a folder; null if the name leads out of it, which only a forged project can contain. Links in
 * the user's own folder are followed, as they were at the import; whatever they lead to is served only if it is a picture.
 */
export function insideFolder(folder: string, relativePath: string): string | null {
  const file = path.resolve(folder, relativePath);
  const fromFolder = path.relative(folder, file);
  const leadsOut =
    fromFolder === '' || fromFolder === '..' || fromFolder.startsWith(`..${path.sep}`) || path.isAbsolute(fromFolder);
  return leadsOut ? null : file;
}
