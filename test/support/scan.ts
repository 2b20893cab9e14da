import type { Problem } from '../../shared/domain.ts';
import { scanFolder, type ScanRequest } from '../../src-main/dataset/scan.ts';
import { allRows, openDatabase } from '../../src-main/store/database.ts';
import { openStaging } from '../../src-main/store/import-staging.ts';

export interface Scan {
  /** In order of path. */
  files: { path: string; givenClass: string; byteSize: number; modifiedMs: number }[];
  /** In the order in which they were found. */
  problems: Problem[];
}

/** What a scan puts into the staging of an import. */
export async function scan(request: ScanRequest): Promise<Scan> {
  const db = openDatabase(':memory:', { create: true });
  try {
    const staging = openStaging(db);
    await scanFolder(request, staging);
    const problems = allRows<Problem>(db, 'SELECT path, kind, reason, severity FROM staged_problem ORDER BY id');
    return { files: [...staging.files()], problems };
  } finally {
    db.close();
  }
}
