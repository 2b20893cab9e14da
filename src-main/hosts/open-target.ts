import { statSync } from 'node:fs';
import path from 'node:path';
import { AppError } from '../../shared/result.ts';
import type { Call } from './call.ts';

/**
 * Opens what was named on the command line or dropped on the app's icon: a project, or the project of a folder. A folder that has no
 * project yet is answered, for the window to show its import.
 */
export async function openTarget(call: Call, target: string): Promise<{ folderToImport: string | null }> {
  const resolved = path.resolve(target);
  const stats = statSync(resolved, { throwIfNoEntry: false });
  if (stats === undefined) throw new AppError('not-found', `There is no folder or project at ${resolved}.`);
  if (!stats.isDirectory()) {
    await call('openProject', { path: resolved });
    return { folderToImport: null };
  }
  const known = await call('suggestProjectPath', { folder: resolved });
  if (!known.exists) return { folderToImport: resolved };
  await call('openProject', { path: known.path });
  return { folderToImport: null };
}

/** The query of the window's address that makes it begin with the import of a folder. */
export function windowQuery(folderToImport: string | null): string {
  return folderToImport === null ? '' : `?${new URLSearchParams({ folder: folderToImport }).toString()}`;
}
