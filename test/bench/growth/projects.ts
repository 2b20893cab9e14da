import { rmSync } from 'node:fs';
import path from 'node:path';
import type { ApiHandlers } from '../../../shared/api.ts';
import { createLogger } from '../../../shared/logger.ts';
import { createService, type Service } from '../../../src-main/app/service.ts';
import { programPaths } from '../../../src-main/hosts/paths.ts';
import { shellWithoutDialogs } from '../../../src-main/hosts/server/shell.ts';
import { inSmallMemory, inTransaction, openDatabase, type Database } from '../../../src-main/store/database.ts';
import { writeProjectInfo } from '../../../src-main/store/project-info.ts';
import type { ImportChanges } from '../../../src-main/store/apply-import.ts';
import { applyImport, type ScannedSample } from '../../support/import-samples.ts';
import type { Place } from './operation.ts';

/** The service as a host makes it, without a window. */
export function createBenchService({ scratch }: Place): Service {
  const { version, nodePath, trainerProgram, workerProgram } = programPaths();
  return createService({
    host: 'cli',
    version,
    dataFolder: path.join(scratch, 'home'),
    nodePath,
    trainerProgram,
    workerProgram,
    shell: shellWithoutDialogs,
    logger: createLogger(() => undefined),
  });
}

/** The service's methods, with the synthetic project open. */
export async function openSynthetic(place: Place): Promise<ApiHandlers> {
  const { handlers } = createBenchService(place);
  await handlers.openProject({ path: place.project });
  return handlers;
}

/** Saves what an import has found into a project, as the import does. */
export function saveImport(db: Database, scanned: readonly ScannedSample[]): ImportChanges {
  return inSmallMemory(db, () =>
    inTransaction(db, () => {
      writeProjectInfo(db, { name: 'growth', imageFolder: '/images', labels: null, createdAt: '2026-01-01T00:00:00Z' });
      return applyImport(db, { scanned, problems: [] });
    }),
  );
}

/** A new project file of the operation's own. */
export function newProject({ scratch }: Place, name = 'own.winnow'): Database {
  const file = path.join(scratch, name);
  for (const ending of ['', '-wal', '-shm']) rmSync(file + ending, { force: true });
  return openDatabase(file, { create: true });
}
