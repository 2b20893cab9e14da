import { createHash } from 'node:crypto';
import { readFile, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { TrainingEvent, TrainingOverrides, TrainingRequest } from '../../shared/api.ts';
import { createLogger } from '../../shared/logger.ts';
import type { TrainingOptions, TrainingProject } from '../../src-main/app/follow-run.ts';
import { dataFolder, programPaths } from '../../src-main/hosts/paths.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { applyImport } from '../support/import-samples.ts';
import type { LabeledPicture } from '../support/pictures.ts';

/* Projects in memory of pictures on disk, for tests of training. */

let projects = 0;

/** A project of the pictures; its files beside the folder are removed after the test, but for the cache of pixels. */
export async function createProject(
  imageFolder: string,
  pictures: readonly LabeledPicture[],
  classOf = ({ given }: LabeledPicture, _index: number): string => given,
): Promise<TrainingProject> {
  const db = openDatabase(':memory:', { create: true });
  const scanned = await Promise.all(
    pictures.map(async (picture, index) => {
      const file = picture.path;
      const full = path.join(imageFolder, file);
      const bytes = await readFile(full);
      const { size, mtimeMs } = await stat(full);
      return {
        path: file,
        contentHash: createHash('sha256').update(bytes).digest('hex'),
        byteSize: size,
        modifiedMs: mtimeMs,
        width: 32,
        height: 32,
        format: 'png',
        givenClass: classOf(picture, index),
      };
    }),
  );
  applyImport(db, { scanned, problems: [] });
  const beside = `${imageFolder}-${++projects}`;
  onTestFinished(() => rm(`${beside}-weights`, { recursive: true, force: true }));
  return { db, imageFolder, cacheFolder: `${imageFolder}-cache`, weightsFolder: `${beside}-weights` };
}

export function trainingRequest(
  changes: Partial<TrainingRequest> = {},
  overrides: Partial<TrainingOverrides> = {},
): TrainingRequest {
  return {
    budget: 'quick',
    engine: 'auto',
    seed: 5,
    recipe: 'sat',
    startFrom: null,
    preset: null,
    ...changes,
    overrides: { epochs: null, startEpoch: null, targetMomentum: null, ...overrides },
  };
}

export function trainingOptions(emit: (event: TrainingEvent) => void): TrainingOptions {
  const { nodePath, trainerProgram } = programPaths();
  return {
    dataFolder: dataFolder(),
    nodePath,
    trainerProgram,
    emit,
    logger: createLogger((entry) => console.log(entry)),
  };
}
