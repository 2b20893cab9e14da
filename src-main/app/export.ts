import { realpath } from 'node:fs/promises';
import path from 'node:path';
import type { ExportRequest, ExportSummary } from '../../shared/api.ts';
import { AppError } from '../../shared/result.ts';
import { batchesOf } from '../dataset/batches.ts';
import { cell, plainDialect, writeCsv, type CsvCell } from '../dataset/formats/csv.ts';
import { writeFolder } from '../dataset/formats/folder.ts';
import { writeJsonl } from '../dataset/formats/jsonl.ts';
import { classNames } from '../store/classes.ts';
import type { Database } from '../store/database.ts';
import { withStaging } from '../store/import-staging.ts';
import type { ProjectInfo } from '../store/project-info.ts';
import { exportSamples } from '../store/samples.ts';
import { correctLabels } from './corrected-labels.ts';
import { columns, toCell, toRecord, type LabelRecord } from './label-record.ts';

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
    const files: { path: string; label: string }[] = [];
    for (const { file, label } of records()) if (label !== null) files.push({ path: file, label });
    await writeFolder(out, info.imageFolder, files);
    counts.written = files.length;
  } else if (format === 'jsonl') {
    await writeJsonl(out, overwrite, counted(records(), counts));
  } else if (info.labels === null) {
    await writeCsv(out, overwrite, plainDialect, plainRows(counted(records(), counts)));
  } else {
    const { labels } = info;
    await withStaging(async (staging) => {
      for await (const batch of batchesOf(counted(records(), counts))) staging.addPaths(batch.map(({ file }) => file));
      const corrected = await correctLabels(db, labels, info.imageFolder, staging);
      await writeCsv(out, overwrite, corrected.dialect, corrected.rows);
    });
  }
  return { out, ...counts };
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

/** The project, and the labels as they were given, must survive every export. */
async function assertNotOwnFile(db: Database, { labels }: ProjectInfo, out: string): Promise<void> {
  const target = await realpath(out).catch(() => path.resolve(out));
  for (const own of [labels?.file, db.memory ? undefined : db.name]) {
    if (own === undefined || (await realpath(own).catch(() => path.resolve(own))) !== target) continue;
    throw new AppError('export', `${out} belongs to the project and is not replaced. Choose another name.`);
  }
}
