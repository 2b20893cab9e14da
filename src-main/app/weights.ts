import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { RunId } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import type { StartingRun } from '../domain/plan.ts';
import { recipeByName } from '../sat/recipes/registry.ts';
import type { Database } from '../store/database.ts';
import { runById } from '../store/runs.ts';
import { removeCheckpoint } from './checkpoints.ts';
import { requireRecipe } from './recipes.ts';

/*
 * The networks of finished runs, in a folder beside the project (ADR 5): `P.winnow-weights/run-3.safetensors`. They are a run's
 * result and cannot be made anew at will, so they do not belong to the caches.
 */

/** A run to start from, with the file of its weights. */
export interface StartingWeights extends StartingRun {
  file: string;
}

/**
 * Where the weights of a new run go; makes the folder. Another project that was at the same path may have left weights and a
 * checkpoint under the run's name; they are removed, so that nothing ever takes them for this run's.
 */
export async function prepareWeightsFile(folder: string, runId: RunId): Promise<string> {
  await mkdir(folder, { recursive: true });
  const file = weightsFile(folder, runId);
  await rm(file, { force: true });
  await removeCheckpoint(folder, runId);
  return file;
}

export function weightsFile(folder: string, runId: RunId): string {
  return path.join(folder, weightsName(runId));
}

/** Throws `AppError` 'not-found' when there is no such run, or its weights are not there. */
export async function requireStartingWeights(db: Database, folder: string, runId: RunId): Promise<StartingWeights> {
  const run = runById(db, runId);
  if (run === null) {
    throw new AppError('not-found', `The project has no run ${runId} to start from. Name another, or start from none.`);
  }
  const file = weightsFile(folder, runId);
  if ((await stat(file).catch(() => null)) === null) {
    throw new AppError(
      'not-found',
      `Run ${runId} (${run.plan.recipe}) has no weights to start from: ${file} is not there. ` +
        'If the project was moved, move that folder along; or start from another run, or from none.',
    );
  }
  const { recipe, network, width, resolution } = run.plan;
  return { runId, recipe: requireRecipe(recipe), network, width, resolution, file };
}

/** Removes the weights of earlier runs once another has come to its end and left its own; those that are a run's only result stay. */
export async function removeOldWeights(db: Database, folder: string, newest: RunId): Promise<void> {
  const files = await readdir(folder).catch((): string[] => []);
  if (!files.includes(weightsName(newest))) return;
  for (const file of files) {
    const runId = Number(weightsPattern.exec(file)?.[1] ?? newest);
    const run = runId < newest ? runById(db, runId) : null;
    if (run === null || recipeByName(run.plan.recipe)?.gives === 'encoder') continue;
    // One that cannot be removed only takes up room.
    await rm(path.join(folder, file), { force: true }).catch(() => undefined);
  }
}

const weightsPattern = /^run-(\d+)\.safetensors(?:\.\d+\.partial)?$/;

function weightsName(runId: RunId): string {
  return `run-${runId}.safetensors`;
}
