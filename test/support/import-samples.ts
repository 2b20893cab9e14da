import type { ClassId, Problem, SampleId } from '../../shared/domain.ts';
import { applyImport as applyStaged, type ImportChanges } from '../../src-main/store/apply-import.ts';
import { allRows, type Database } from '../../src-main/store/database.ts';
import { openStaging, type StagedPicture } from '../../src-main/store/import-staging.ts';

/* Imports of samples that need no files. */

/** A usable image as an import finds it. */
export interface ScannedSample extends StagedPicture {
  byteSize: number;
  modifiedMs: number;
  /** The label that the folder or file gives. */
  givenClass: string;
}

export interface KnownSample {
  id: SampleId;
  contentHash: string;
  byteSize: number;
  modifiedMs: number;
  width: number;
  height: number;
  format: string;
  givenClassId: ClassId;
  present: boolean;
}

/** Makes the project what an import that finds all this would make it. */
export function applyImport(
  db: Database,
  { scanned, problems }: { scanned: readonly ScannedSample[]; problems: readonly Problem[] },
): ImportChanges {
  const staging = openStaging(db);
  staging.addFiles(scanned);
  staging.addPictures(scanned);
  staging.addProblems(problems);
  const changes = applyStaged(db);
  staging.clear();
  return changes;
}

/** Every known sample by its path, also those that are gone. */
export function knownSamplesByPath(db: Database): Map<string, KnownSample> {
  const rows = allRows<Omit<KnownSample, 'present'> & { path: string; present: number }>(
    db,
    `SELECT path, id, content_hash AS contentHash, byte_size AS byteSize, modified_ms AS modifiedMs, width, height, format,
            given_class_id AS givenClassId, present
       FROM sample ORDER BY id`,
  );
  return new Map(rows.map(({ path, present, ...known }) => [path, { ...known, present: present === 1 }]));
}
