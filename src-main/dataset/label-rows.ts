import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { LabelsFile } from '../../shared/api.ts';
import type { Problem, ProblemKind } from '../../shared/domain.ts';
import { batchesOf } from './batches.ts';
import { readLabels, type LabelRow } from './formats/csv.ts';
import { fileNameOf, namesOf, normalizePath } from './match-files.ts';

/** A row of a labels CSV, with the names under which its file is looked for. */
export interface NamedRow {
  line: number;
  label: string;
  /** As it is written, in composed Unicode (NFC): spaces at its ends and backslashes are legal on most systems. */
  literal: string;
  /** As projects keep paths. */
  path: string;
  /** The file's name in the path. */
  name: string;
}

/** Where the rows of a labels CSV meet the files that they name; `store/row-staging.ts` is one. */
export interface RowMatcher {
  addRows(rows: readonly NamedRow[]): void;
  /** Finds the files of the rows that name one by its path, literally or else as projects keep it. */
  matchRowsByPath(): void;
  countUnmatchedRows(): number;
  /** Paths of the files that no row has been matched to. */
  filesWithoutRow(): Iterable<string>;
  /** Names by which a file may be meant. */
  addNames(names: readonly { name: string; path: string }[]): void;
  /** Finds the files of rows by name: where one file alone has it, and rows do not use it for several. */
  matchRowsByName(): void;
}

/** Where the rows of a labels CSV give labels to the files of a folder. */
export interface RowStore extends RowMatcher {
  addFiles(files: readonly { path: string; byteSize: number; modifiedMs: number; givenClass: null }[]): void;
  addProblems(problems: readonly Problem[]): void;
  unmatchedRows(): Iterable<{ id: number; line: number; path: string }>;
  /** Says which of the files a row means. */
  matchRow(id: number, path: string): void;
  /** Gives every file the label of its first row; those that name it by its path come before the others. */
  labelFiles(): void;
  /** Rows whose file has another label by an earlier one. */
  conflictingRows(): Iterable<{ line: number; label: string; path: string; firstLine: number; firstLabel: string }>;
  /** The first rows of files, where they give no label. */
  emptyRows(): Iterable<{ line: number; path: string }>;
  dropUnlabeledFiles(): void;
}

/**
 * Gives the files of a folder the labels that a CSV says, and takes out the others. Rows and files that do not fit together become
 * problems. Throws `AppError` 'labels-file'.
 */
export async function labelFiles(store: RowStore, folder: string, labels: LabelsFile): Promise<void> {
  const csvName = path.basename(labels.file);
  const problem = (file: string, kind: ProblemKind, reason: string): Problem => ({
    path: file,
    kind,
    reason,
    severity: 'error',
  });
  const ofLine = (line: number, reason: string): string => `${csvName}, line ${line}: ${reason}`;

  await matchRows(store, folder, readLabels(labels), (line) => {
    const reason = `the column "${labels.fileColumn}" is empty; fill it in or remove the row.`;
    store.addProblems([problem(csvName, 'csv-row', ofLine(line, reason))]);
  });
  for (const row of store.unmatchedRows()) {
    const file = await findOther(folder, row.path);
    if (file === null) {
      const reason = `there is no such image in ${folder}; restore it or remove the row.`;
      store.addProblems([problem(row.path, 'file-missing', ofLine(row.line, reason))]);
    } else {
      store.addFiles([{ ...file, givenClass: null }]);
      store.matchRow(row.id, file.path);
    }
  }

  store.labelFiles();
  for await (const rows of batchesOf(store.conflictingRows())) {
    store.addProblems(
      rows.map(({ line, label, path: file, firstLine, firstLabel }) => {
        const reason = `the file has the label "${firstLabel}" on line ${firstLine} and "${label}" here; the first was kept. Remove one of the rows.`;
        return problem(file, 'csv-row', ofLine(line, reason));
      }),
    );
  }
  for await (const rows of batchesOf(store.emptyRows())) {
    const reason = `the column "${labels.labelColumn}" is empty for this image; fill it in and import again.`;
    store.addProblems(rows.map((row) => problem(row.path, 'label-missing', ofLine(row.line, reason))));
  }
  for await (const files of batchesOf(store.filesWithoutRow())) {
    const reason = `${csvName} has no row for this image; add one, or leave the image out.`;
    store.addProblems(files.map((file) => problem(file, 'label-missing', reason)));
  }
  store.dropUnlabeledFiles();
}

/**
 * Finds the file that each row means: by its path relative to the folder, or, where that fails, by its file name, with or without the
 * extension, if one file alone has that name and rows do not use it for several. A row without a name is passed over, and told.
 */
export async function matchRows(
  store: RowMatcher,
  folder: string,
  rows: AsyncIterable<LabelRow>,
  onNameless: (line: number) => void = () => undefined,
): Promise<void> {
  for await (const batch of batchesOf(rows)) {
    const named = batch.filter(({ line, file }) => {
      if (isNameless(file)) onNameless(line);
      return !isNameless(file);
    });
    store.addRows(
      named.map(({ line, label, file }) => {
        const normalized = normalizePath(file, folder);
        return { line, label, literal: literalName(file), path: normalized, name: fileNameOf(normalized) };
      }),
    );
  }
  store.matchRowsByPath();
  if (store.countUnmatchedRows() === 0) return;
  // Only what no row names by its path may be meant by a bare file name.
  for await (const files of batchesOf(store.filesWithoutRow())) {
    store.addNames(files.flatMap((file) => namesOf(file).map((name) => ({ name, path: file }))));
  }
  store.matchRowsByName();
}

/** Whether a row's name of a file says nothing, so that the row is passed over. */
export function isNameless(file: string): boolean {
  return file.trim() === '';
}

/** A name as a row is kept under: as it is written, in composed Unicode (NFC). */
export function literalName(file: string): string {
  return file.normalize();
}

/** A file that the walk passed over for its name, but that a row names: what it is will show when it is opened. */
async function findOther(
  folder: string,
  relative: string,
): Promise<{ path: string; byteSize: number; modifiedMs: number } | null> {
  const absolute = path.join(folder, relative);
  const inside = path.relative(folder, absolute);
  if (path.isAbsolute(relative) || path.isAbsolute(inside) || inside === '' || inside.split(path.sep)[0] === '..')
    return null;
  const stats = await stat(absolute).catch(() => null);
  return stats?.isFile() === true ? { path: relative, byteSize: stats.size, modifiedMs: stats.mtimeMs } : null;
}
