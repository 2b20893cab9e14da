import { fileNameOf, namesOf, normalizePath } from '../../src-main/dataset/match-files.ts';

export interface FileMatcher<T> {
  /** The file at that path relative to the folder. */
  byPath(name: string): T | null;
  /** A lookup by file name among `candidates`, for the `names` that no path matched. */
  byName(candidates: readonly T[], names: readonly string[]): (name: string) => T | null;
}

/**
 * Finds the file that a CSV means: by its path relative to the folder, or, where that fails, by its file name, with or without the
 * extension, if one file alone has that name and rows do not use it for several.
 */
export function createFileMatcher<T extends { path: string }>(files: Iterable<T>, folder: string): FileMatcher<T> {
  const byPath = new Map<string, T>();
  for (const file of files) byPath.set(file.path.normalize(), file);
  return {
    // A name taken literally comes first: spaces at its ends and backslashes are legal on most systems.
    byPath: (name) => byPath.get(name.normalize()) ?? byPath.get(normalizePath(name, folder)) ?? null,
    byName: (candidates, names) => {
      const fileByName = uniqueByKey(candidates, ({ path }) => namesOf(path));
      const pathsByName = new Map<string, Set<string>>();
      for (const name of names) {
        const normalized = normalizePath(name, folder);
        const key = fileNameOf(normalized);
        pathsByName.set(key, (pathsByName.get(key) ?? new Set()).add(normalized));
      }
      return (name) => {
        const key = fileNameOf(normalizePath(name, folder));
        return pathsByName.get(key)?.size === 1 ? (fileByName.get(key) ?? null) : null;
      };
    },
  };
}

/** Keys that several items share lead to none of them. */
function uniqueByKey<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T | null> {
  const unique = new Map<string, T | null>();
  for (const item of items) {
    for (const key of keysOf(item)) unique.set(key, unique.has(key) ? null : item);
  }
  return unique;
}
