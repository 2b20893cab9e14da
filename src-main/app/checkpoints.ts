import { existsSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { RunId, RunStatus, RunSummary } from '../../shared/domain.ts';
import type { Database } from '../store/database.ts';
import { runById, runIds, type StoredRun } from '../store/runs.ts';

/*
 * What a run needs to go on, in the folder of the weights (ADR 15): `P.winnow-weights/run-3.checkpoint.safetensors`. The trainer writes it;
 * here it is found and removed.
 */

/** What tells of the runs of a project. */
export interface RunHome {
  db: Database;
  weightsFolder: string;
}

const resumableStatuses: readonly RunStatus[] = ['paused', 'interrupted', 'cancelled'];

export function checkpointFile(weightsFolder: string, runId: RunId): string {
  return path.join(weightsFolder, `run-${runId}.checkpoint.safetensors`);
}

export function hasCheckpoint(weightsFolder: string, runId: RunId): boolean {
  return existsSync(checkpointFile(weightsFolder, runId));
}

/** A stored run, and whether it can go on: from its checkpoint, or from the beginning where it was stopped before there was anything to lose. */
export function describeRun(home: RunHome, run: StoredRun): RunSummary;
export function describeRun(home: RunHome, run: StoredRun | null): RunSummary | null;
export function describeRun({ weightsFolder }: RunHome, run: StoredRun | null): RunSummary | null {
  if (run === null) return null;
  const { id, status, epochs } = run;
  const hasNothing = status !== 'cancelled' && epochs.length === 0;
  const canResume = resumableStatuses.includes(status) && (hasNothing || hasCheckpoint(weightsFolder, id));
  return { ...run, canResume };
}

/** The run that can go on: the newest, but for newer ones that have come to nothing. Null when there is none. */
export function resumableRun(home: RunHome): RunSummary | null {
  for (const runId of runIds(home.db)) {
    const run = describeRun(home, runById(home.db, runId));
    if (run?.canResume === true) return run;
    if (run === null || run.epochs.length > 0 || run.endedAt === null) return null;
  }
  return null;
}

/** Removes the checkpoint of a run that needs it no longer. */
export async function removeCheckpoint(weightsFolder: string, runId: RunId): Promise<void> {
  await removeCheckpoints(weightsFolder, (id) => id === runId);
}

/** Removes the checkpoints of the runs before one that has an epoch of its own: from then on only that one can go on. */
export async function removeOldCheckpoints(weightsFolder: string, newest: RunId): Promise<void> {
  await removeCheckpoints(weightsFolder, (id) => id < newest);
}

const checkpointPattern = /^run-(\d+)\.checkpoint\.safetensors(?:\.\d+\.partial)?$/;

async function removeCheckpoints(weightsFolder: string, isMeant: (runId: RunId) => boolean): Promise<void> {
  for (const file of await readdir(weightsFolder).catch((): string[] => [])) {
    const runId = Number(checkpointPattern.exec(file)?.[1] ?? NaN);
    // One that cannot be removed only takes up room.
    if (isMeant(runId)) await rm(path.join(weightsFolder, file), { force: true }).catch(() => undefined);
  }
}
