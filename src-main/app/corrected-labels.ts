import { stat } from 'node:fs/promises';
import type { LabelsFile } from '../../shared/api.ts';
import { AppError } from '../../shared/result.ts';
import { batchesOf } from '../dataset/batches.ts';
import { cell, findColumn, openCsv, requireColumn, type CsvCell, type CsvDialect } from '../dataset/formats/csv.ts';
import { isNameless, literalName, matchRows } from '../dataset/label-rows.ts';
import { classNames, renamedLabels } from '../store/classes.ts';
import type { Database } from '../store/database.ts';
import type { RowStaging } from '../store/row-staging.ts';
import { exportSamplesAt } from '../store/samples.ts';
import { toCell, toRecord, type LabelRecord } from './label-record.ts';

/** Columns that a labels CSV does not have of itself; the prefix keeps them apart from the user's. */
const addedColumns = ['given', 'state', 'suggested', 'score', 'confidence_weight', 'decided_at'] as const;
const addedPrefix = 'winnow_';

/**
 * The file that gave a project its labels, with the labels after the decisions. Its rows are read twice, to find what each of them means
 * and again to be corrected one by one as they are written; samples that it no longer names come last.
 *
 * @param staging Knows the paths of the project's samples, and is used up with the rows.
 * Throws `AppError` 'export' or 'labels-file', also while the rows are read.
 */
export async function correctLabels(
  db: Database,
  labels: LabelsFile,
  imageFolder: string,
  staging: RowStaging,
): Promise<{ dialect: CsvDialect; rows: AsyncIterable<CsvCell[]> }> {
  await assertStillThere(labels);
  const widest = await stageRows(labels, imageFolder, staging);
  const { dialect, header, rows } = await openCsv(labels.file);
  const fileIndex = requireColumn(labels.file, header, labels.fileColumn);
  const labelIndex = requireColumn(labels.file, header, labels.labelColumn);
  // A file that Winnow wrote before already has its columns.
  let width = widest;
  const added = addedColumns.map((column) => {
    const index = findColumn(header, addedPrefix + column);
    return { column, index: index === -1 ? width++ : index };
  });
  const names = classNames(db);
  const renamed = renamedLabels(db);
  const recordsAt = (paths: readonly string[]): Map<string, LabelRecord> =>
    new Map(exportSamplesAt(db, paths).map((sample) => [sample.path, toRecord(sample, names)]));

  const fill = (cells: CsvCell[], record: LabelRecord | undefined): CsvCell[] => {
    while (cells.length < width) cells.push(cell(''));
    for (const { column, index } of added) cells[index] = toCell(record?.[column] ?? null);
    return cells;
  };
  const headerRow = (): CsvCell[] => {
    const cells = [...header];
    while (cells.length < width) cells.push(cell(''));
    for (const { column, index } of added) if (index >= header.length) cells[index] = cell(addedPrefix + column);
    return cells;
  };
  const corrected = (cells: CsvCell[], record: LabelRecord | undefined): CsvCell[] => {
    while (cells.length < header.length) cells.push(cell(''));
    if (record !== undefined) {
      // Untouched where nobody decided or renamed, down to the space around it.
      const before = cells[labelIndex]!;
      const text = before.text.trim();
      const label = isDecided(record) ? (record.label ?? '') : (renamed.get(text) ?? text);
      if (label !== text) cells[labelIndex] = { text: label, quoted: before.quoted };
    }
    return fill(cells, record);
  };
  const missing = (record: LabelRecord): CsvCell[] => {
    const cells = header.map(() => cell(''));
    cells[fileIndex] = cell(record.file);
    cells[labelIndex] = cell(record.label ?? '');
    return fill(cells, record);
  };
  const allRows = async function* (): AsyncGenerator<CsvCell[]> {
    yield headerRow();
    const staged = staging.rowFiles();
    for await (const batch of batchesOf(rows)) {
      const files = batch.map(({ cells }) => nextFile(staged, labels, cells[fileIndex]?.text ?? ''));
      const records = recordsAt(files.filter((file) => file !== null));
      for (const [index, { cells }] of batch.entries()) yield corrected(cells, records.get(files[index] ?? ''));
    }
    for await (const batch of batchesOf(staging.filesWithoutRow())) {
      const records = recordsAt(batch);
      for (const file of batch) if (records.has(file)) yield missing(records.get(file)!);
    }
  };
  return { dialect, rows: allRows() };
}

/** Finds what every row means, in the same way as the import found it, and tells the number of cells of the longest row. */
async function stageRows(labels: LabelsFile, imageFolder: string, staging: RowStaging): Promise<number> {
  const { header, rows } = await openCsv(labels.file);
  const fileIndex = requireColumn(labels.file, header, labels.fileColumn);
  let widest = header.length;
  const named = async function* () {
    for await (const { line, cells } of rows) {
      widest = Math.max(widest, cells.length);
      yield { line, file: cells[fileIndex]?.text ?? '', label: '' };
    }
  };
  await matchRows(staging, imageFolder, named());
  return widest;
}

/** The file that the next row means, null if it means none. */
function nextFile(
  staged: Iterator<{ literal: string; file: string | null }, void>,
  labels: LabelsFile,
  name: string,
): string | null {
  if (isNameless(name)) return null;
  const next = staged.next();
  if (next.done === true || next.value.literal !== literalName(name)) {
    throw new AppError('export', `${labels.file} changed while it was read, so nothing was written. Export again.`);
  }
  return next.value.file;
}

function isDecided({ state }: LabelRecord): boolean {
  return state === 'confirmed' || state === 'relabeled' || state === 'dropped';
}

async function assertStillThere({ file }: LabelsFile): Promise<void> {
  if ((await stat(file).catch(() => null)) !== null) return;
  throw new AppError(
    'export',
    `The labels file ${file}, whose columns the export keeps, is not there any more. Put it back, or export as JSONL or as folders.`,
  );
}
