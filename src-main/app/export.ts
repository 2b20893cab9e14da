import { realpath, stat } from 'node:fs/promises';
import path from 'node:path';
import type { ExportRequest, ExportSummary, LabelsFile } from '../../shared/api.ts';
import type { ClassId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import {
  cell,
  findColumn,
  openCsv,
  plainDialect,
  requireColumn,
  writeCsv,
  type CsvCell,
} from '../dataset/formats/csv.ts';
import { writeFolder } from '../dataset/formats/folder.ts';
import { writeJsonl } from '../dataset/formats/jsonl.ts';
import { createFileMatcher } from '../dataset/match-files.ts';
import { classNames, renamedLabels } from '../store/classes.ts';
import type { Database } from '../store/database.ts';
import type { ProjectInfo } from '../store/project-info.ts';
import { exportSamples, type ExportSample } from '../store/samples.ts';

/**
 * Writes the labels after all decisions. CSV and JSONL name every present sample, dropped ones with an empty label; `folder` copies
 * the images that were not dropped. A project that got its labels from a CSV gets that CSV back: its columns, rows, order and
 * way of writing, with the label column corrected and what Winnow knows added in columns named winnow_….
 * Throws `AppError` 'export' or 'labels-file'; then nothing was written.
 */
export async function exportLabels(
  db: Database,
  info: ProjectInfo,
  { format, out, overwrite }: ExportRequest,
): Promise<ExportSummary> {
  await assertNotOwnFile(db, info, out);
  const names = classNames(db);
  const counts = { written: 0, relabeled: 0, dropped: 0 };
  const records = function* (): Generator<LabelRecord> {
    for (const sample of exportSamples(db)) {
      if (sample.currentClass === null) counts.dropped++;
      else if (sample.currentClass !== sample.givenClass) counts.relabeled++;
      yield toRecord(sample, names);
    }
  };
  if (format === 'folder') {
    const files = [...records()].flatMap(({ file, label }) => (label === null ? [] : [{ path: file, label }]));
    await writeFolder(out, info.imageFolder, files);
    counts.written = files.length;
  } else if (format === 'jsonl') {
    await writeJsonl(out, overwrite, counted(records(), counts));
  } else if (info.labels === null) {
    await writeCsv(out, overwrite, plainDialect, plainRows(counted(records(), counts)));
  } else {
    const corrected = await correctLabelsFile(info.labels, info.imageFolder, {
      records: [...counted(records(), counts)],
      renamed: renamedLabels(db),
    });
    await writeCsv(out, overwrite, corrected.dialect, corrected.rows);
  }
  return { out, ...counts };
}

/** A sample as it is exported; the keys are the columns. */
type LabelRecord = Record<Column, string | number | null> & { file: string; given: string; label: string | null };

type Column = (typeof columns)[number];
const columns = ['file', 'given', 'label', 'state', 'suggested', 'score', 'confidence_weight', 'decided_at'] as const;

/** Columns that a labels CSV does not have of itself; the prefix keeps them apart from the user's. */
const addedColumns = ['given', 'state', 'suggested', 'score', 'confidence_weight', 'decided_at'] as const;
const addedPrefix = 'winnow_';

function toRecord(sample: ExportSample, names: ReadonlyMap<ClassId, string>): LabelRecord {
  const { path: file, givenClass, currentClass, state, finding, decidedAt } = sample;
  return {
    file,
    given: givenClass,
    label: currentClass,
    state,
    suggested: finding === null ? null : (names.get(finding.suggestedClassId) ?? null),
    score: finding === null ? null : rounded(finding.score),
    confidence_weight: finding === null ? null : rounded(finding.weight),
    decided_at: decidedAt,
  };
}

function* counted(records: Iterable<LabelRecord>, counts: { written: number }): Generator<LabelRecord> {
  for (const record of records) {
    counts.written++;
    yield record;
  }
}

function* plainRows(records: Iterable<LabelRecord>): Generator<CsvCell[]> {
  yield columns.map(cell);
  for (const record of records) yield columns.map((column) => toCell(record[column]));
}

/** The rows of the labels file, corrected one by one as they are written; samples that it no longer names come last. */
async function correctLabelsFile(
  labels: LabelsFile,
  imageFolder: string,
  { records, renamed }: { records: LabelRecord[]; renamed: ReadonlyMap<string, string> },
) {
  await assertStillThere(labels);
  const { dialect, header, rows } = await openCsv(labels.file);
  const fileIndex = requireColumn(labels.file, header, labels.fileColumn);
  const labelIndex = requireColumn(labels.file, header, labels.labelColumn);
  // A file that Winnow wrote before already has its columns.
  const added = addedColumns.map((column) => ({ column, index: findColumn(header, addedPrefix + column) }));
  const { recordOf, widest } = await matchRows(labels, imageFolder, records);
  let width = widest;
  for (const entry of added) if (entry.index === -1) entry.index = width++;

  const fill = (cells: CsvCell[], record: LabelRecord | null): CsvCell[] => {
    while (cells.length < width) cells.push(cell(''));
    for (const { column, index } of added) cells[index] = toCell(record?.[column] ?? null);
    return cells;
  };
  const corrected = async function* (): AsyncGenerator<CsvCell[]> {
    const names = [...header];
    while (names.length < width) names.push(cell(''));
    for (const { column, index } of added) if (index >= header.length) names[index] = cell(addedPrefix + column);
    yield names;
    const named = new Set<LabelRecord>();
    for await (const { cells } of rows) {
      const record = recordOf(cells[fileIndex]?.text ?? '');
      while (cells.length < header.length) cells.push(cell(''));
      if (record !== null) {
        named.add(record);
        // Untouched where nobody decided or renamed, down to the space around it.
        const before = cells[labelIndex]!;
        const text = before.text.trim();
        const label = isDecided(record) ? (record.label ?? '') : (renamed.get(text) ?? text);
        if (label !== text) cells[labelIndex] = { text: label, quoted: before.quoted };
      }
      yield fill(cells, record);
    }
    for (const record of records) {
      if (named.has(record)) continue;
      const cells = header.map(() => cell(''));
      cells[fileIndex] = cell(record.file);
      cells[labelIndex] = cell(record.label ?? '');
      yield fill(cells, record);
    }
  };
  return { dialect, rows: corrected() };
}

/** Which sample a row means, found in the same way as the import found it, and the cells of the longest row. */
async function matchRows(
  labels: LabelsFile,
  imageFolder: string,
  records: readonly LabelRecord[],
): Promise<{ recordOf: (file: string) => LabelRecord | null; widest: number }> {
  const files = records.map((record) => ({ path: record.file, record }));
  const matcher = createFileMatcher(files, imageFolder);
  const { header, rows } = await openCsv(labels.file);
  const fileIndex = requireColumn(labels.file, header, labels.fileColumn);
  const matched = new Set<(typeof files)[number]>();
  const unmatched: string[] = [];
  let widest = header.length;
  for await (const { cells } of rows) {
    widest = Math.max(widest, cells.length);
    const name = cells[fileIndex]?.text ?? '';
    const file = matcher.byPath(name);
    if (file !== null) matched.add(file);
    else if (name.trim() !== '') unmatched.push(name);
  }
  const byName = matcher.byName(
    files.filter((file) => !matched.has(file)),
    unmatched,
  );
  return { recordOf: (name) => (matcher.byPath(name) ?? byName(name))?.record ?? null, widest };
}

function isDecided({ state }: LabelRecord): boolean {
  return state === 'confirmed' || state === 'relabeled' || state === 'dropped';
}

/** The project, and the labels as they were given, must survive every export. */
async function assertNotOwnFile(db: Database, { labels }: ProjectInfo, out: string): Promise<void> {
  const target = await realpath(out).catch(() => path.resolve(out));
  for (const own of [labels?.file, db.memory ? undefined : db.name]) {
    if (own === undefined || (await realpath(own).catch(() => path.resolve(own))) !== target) continue;
    throw new AppError('export', `${out} belongs to the project and is not replaced. Choose another name.`);
  }
}

async function assertStillThere({ file }: LabelsFile): Promise<void> {
  if ((await stat(file).catch(() => null)) !== null) return;
  throw new AppError(
    'export',
    `The labels file ${file}, whose columns the export keeps, is not there any more. Put it back, or export as JSONL or as folders.`,
  );
}

function toCell(value: string | number | null): CsvCell {
  return cell(value === null ? '' : String(value));
}

/** Six decimals: more than training can tell apart. */
function rounded(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}
