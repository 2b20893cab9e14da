import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../shared/api.ts';
import type { RunSummary } from '../../shared/domain.ts';
import { createLogger } from '../../shared/logger.ts';
import { createTraining, type Training, type TrainingProject } from '../../src-main/app/training.ts';
import { dataFolder, programPaths } from '../../src-main/hosts/paths.ts';
import { openDatabase, allRows } from '../../src-main/store/database.ts';
import { latestRun } from '../../src-main/store/runs.ts';
import { applyImport } from '../../src-main/store/samples.ts';
import { readTargets } from '../../src-main/store/targets.ts';
import { drawPictures, type LabeledPicture } from '../support/pictures.ts';

const { nodePath, trainerProgram } = programPaths();
let imageFolder = '';
let pictures: LabeledPicture[] = [];

beforeAll(async () => {
  imageFolder = await mkdtemp(path.join(tmpdir(), 'winnow-training-'));
  pictures = await drawPictures(imageFolder, 60, 12);
});
afterAll(() => rm(imageFolder, { recursive: true, force: true }));

describe('runs on the best engine that is here', () => {
  const engine = 'auto';
  let project: TrainingProject;
  let training: Training;
  let events: TrainingEvent[];
  let heard: (event: TrainingEvent) => void;
  beforeEach(async () => {
    events = [];
    heard = () => undefined;
    training = createTraining(
      options((event) => {
        events.push(event);
        heard(event);
      }),
    );
    project = await createProject();
  });

  it('finds the wrong labels and stores every epoch', async () => {
    const run = await runToEnd();
    expect(run.status).toBe('done');
    console.log(`engine in use: ${run.plan.engine}`);
    expect(run.epochs).toHaveLength(run.plan.epochs);
    const targets = readTargets(project.db, run.id)!;
    for (let i = 0; i < targets.sampleIds.length; i++) {
      const row = targets.targets.subarray(i * 3, i * 3 + 3);
      expect(row[0]! + row[1]! + row[2]!).toBeCloseTo(1, 2);
    }
    const wrong = new Set(pictures.filter((picture) => picture.given !== picture.shown).map((picture) => picture.path));
    const worst = ranking(run.id).slice(0, wrong.size);
    expect(worst.filter((path) => wrong.has(path)).length).toBeGreaterThanOrEqual(wrong.size - 2);
  }, 240_000);

  it('stops within two seconds when cancelled and keeps the epochs so far', async () => {
    const secondEpoch = new Promise<void>((resolve) => {
      heard = (event) => {
        if (event.kind === 'epoch' && event.report.epoch === 1) resolve();
      };
    });
    await training.start(project, { budget: 'thorough', engine, seed: 1 });
    await secondEpoch;
    const asked = performance.now();
    await training.cancel();
    expect(performance.now() - asked).toBeLessThan(2000);
    const run = latestRun(project.db)!;
    expect(run.status).toBe('cancelled');
    expect(run.epochs.length).toBeGreaterThanOrEqual(2);
    expect(readTargets(project.db, run.id)!.epoch).toBe(run.epochs.length - 1);
    expect(training.isRunning()).toBe(false);
  });

  async function runToEnd(): Promise<RunSummary> {
    const ended = new Promise<RunSummary>((resolve) => {
      heard = (event) => {
        if (event.kind === 'ended') resolve(event.run);
      };
    });
    await training.start(project, { budget: 'quick', engine, seed: 5 });
    const run = await ended;
    if (run.error !== null) throw new Error(run.error);
    // The process may take a moment longer to end than the run.
    await training.close();
    return run;
  }

  function ranking(runId: number): string[] {
    return allRows<{ path: string }>(
      project.db,
      'SELECT path FROM finding JOIN sample ON sample.id = sample_id WHERE run_id = ? ORDER BY score DESC, sample_id',
      runId,
    ).map((row) => row.path);
  }
});

it('reports a trainer that dies with its last words and lets the next run start', async () => {
  const project = await createProject();
  let heard: (run: RunSummary) => void = () => undefined;
  const training = createTraining({
    ...options((event) => {
      if (event.kind === 'ended') heard(event.run);
    }),
    trainerProgram: path.join(import.meta.dirname, 'dying-trainer.ts'),
  });
  for (let attempt = 1; attempt <= 2; attempt++) {
    const ended = new Promise<RunSummary>((resolve) => (heard = resolve));
    await training.start(project, { budget: 'quick', engine: 'wasm', seed: attempt });
    const run = await ended;
    expect(run).toMatchObject({ id: attempt, status: 'failed' });
    expect(run.error).toMatch(/SIGABRT.*the driver is on fire/s);
    await training.close();
  }
});

function options(emit: (event: TrainingEvent) => void) {
  return {
    dataFolder: dataFolder(),
    nodePath,
    trainerProgram,
    emit,
    logger: createLogger((entry) => console.log(entry)),
  };
}

async function createProject(): Promise<TrainingProject> {
  const db = openDatabase(':memory:', { create: true });
  const scanned = await Promise.all(
    pictures.map(async ({ path: file, given }) => {
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
        givenClass: given,
      };
    }),
  );
  applyImport(db, { scanned, problems: [] });
  return { db, imageFolder, cacheFolder: path.join(imageFolder, '..', `${path.basename(imageFolder)}-cache`) };
}
