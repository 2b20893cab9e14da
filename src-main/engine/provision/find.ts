import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { readInstall, type TensorflowInstall } from './layout.ts';

/**
 * The TensorFlow to load, without any download: the folder of `WINNOW_TENSORFLOW_DIR`, else the best one in the engine
 * cache, else the one that ships in a package. Null when there is none.
 */
export function findTensorflow(engineFolder: string | null): TensorflowInstall | null {
  const explicit = explicitFolder();
  const candidates = [
    ...(explicit === null ? [] : [readInstall(explicit)]),
    ...(explicit === null || engineFolder === null ? [] : [readInstall(linkedFolder(engineFolder, explicit))]),
    ...cachedInstalls(engineFolder),
    ...cachedInstalls(packagedEngineFolder()),
  ];
  return candidates.find((install) => install !== null) ?? null;
}

/** The folder the user names in `WINNOW_TENSORFLOW_DIR`, or null. */
export function explicitFolder(): string | null {
  const value = process.env.WINNOW_TENSORFLOW_DIR;
  return value ? path.resolve(value) : null;
}

/** Where the addon for libraries in a folder of the user's is kept; nothing is written into that folder. */
export function linkedFolder(engineFolder: string, libraryFolder: string): string {
  const key = createHash('sha256').update(libraryFolder).digest('hex').slice(0, 12);
  return path.join(engineFolder, `linked-${key}`);
}

/** The engines that ship in a package: `resources/engines`, beside the unpacked program; null in a checkout. */
export function packagedEngineFolder(): string | null {
  const programFolder = path.dirname(fileURLToPath(import.meta.url));
  const unpacked = programFolder.indexOf(`${path.sep}app.asar.unpacked${path.sep}`);
  return unpacked < 0 ? null : path.join(programFolder.slice(0, unpacked), 'engines');
}

/** Complete installs of a cache, CUDA before CPU and newer before older. */
export function cachedInstalls(engineFolder: string | null): TensorflowInstall[] {
  if (engineFolder === null) return [];
  return folderNames(engineFolder)
    .filter((name) => name.startsWith('tensorflow-'))
    .map((name) => readInstall(path.join(engineFolder, name)))
    .filter((install) => install !== null)
    .sort((a, b) => preference(b) - preference(a) || b.version.localeCompare(a.version, 'en', { numeric: true }));
}

function preference(install: TensorflowInstall): number {
  return install.variant === 'gpu' ? 1 : 0;
}

function folderNames(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map((entry) => entry.name);
  } catch {
    return [];
  }
}
