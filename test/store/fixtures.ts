import type { EpochReport, Finding, FindingsSummary, SampleId, TrainingPlan } from '../../shared/domain.ts';
import { listClasses } from '../../src-main/store/class-list.ts';
import { openDatabase, type Database } from '../../src-main/store/database.ts';
import { createRun, filesOfRun, trainingSamples } from '../../src-main/store/runs.ts';
import { appendEpoch } from '../../src-main/store/targets.ts';
import { applyImport, type ScannedSample } from '../support/import-samples.ts';

export function scanned(path: string, overrides: Partial<ScannedSample> = {}): ScannedSample {
  return {
    path,
    contentHash: `hash-of-${path}`,
    byteSize: 1000,
    modifiedMs: 1_700_000_000_000.25,
    width: 32,
    height: 24,
    format: 'jpeg',
    givenClass: path.split('/')[0] ?? '',
    ...overrides,
  };
}

/** A project in memory with these files, in this order of ids. */
export function projectWith(
  paths: readonly string[],
  db: Database = openDatabase(':memory:', { create: true }),
): Database {
  applyImport(db, { scanned: paths.map((path) => scanned(path)), problems: [] });
  return db;
}

export function idOf(db: Database, path: string): SampleId {
  return (db.prepare('SELECT id FROM sample WHERE path = ?').get(path) as { id: SampleId }).id;
}

export function classId(db: Database, name: string): number {
  const found = listClasses(db).find((one) => one.name === name);
  if (found === undefined) throw new Error(`No class ${name}`);
  return found.id;
}

export const plan: TrainingPlan = {
  engine: 'wasm',
  recipe: 'sat',
  network: 'compact',
  budget: 'quick',
  seed: 1,
  resolution: 32,
  width: 16,
  epochs: 3,
  startEpoch: 1,
  targetMomentum: 0.9,
  batchSize: 64,
  optimizer: 'sgd-nesterov',
  learningRate: 0.1,
  schedule: { kind: 'one-cycle' },
  weightDecay: 5e-4,
  augmentation: 'shift-flip',
  attack: null,
  preset: null,
  startFrom: null,
  samples: 0,
  classes: 0,
  gflopPerImage: 0.01,
  expectedSeconds: 10,
  reasons: [],
};

export function epochReport(epoch: number): EpochReport {
  return {
    epoch,
    loss: 1.5,
    accuracy: 0.5,
    spread: null,
    learningRate: 0.1,
    imagesPerSecond: 100,
    seconds: 3,
    secondsLeft: 6,
    doubts: 1,
  };
}

export function findingsSummary(runId: number, epoch: number): FindingsSummary {
  const number = { value: 0.5, explanation: 'Half.' };
  return {
    runId,
    epoch,
    cut: number,
    flagged: number,
    noiseRate: number,
    expectedPrecision: number,
    expectedRecall: number,
  };
}

interface Doubt {
  score: number;
  suggested: string;
  abstention?: number;
}

/** A run over all samples that has finished one epoch with these scores and suggestions; other samples score 0 for their own label. */
export function runWithFindings(db: Database, doubts: Record<string, Doubt>): number {
  const samples = trainingSamples(db);
  const classIds = listClasses(db).map((one) => one.id);
  const runId = createRun(db, { plan, classIds, samples, startedAt: '2026-01-01T00:00:00.000Z' });
  const paths = [...filesOfRun(db, runId)].map(({ path }) => path);
  const list = Array.from(samples.ids, (id, i): Finding => {
    const doubt = doubts[paths[i]!];
    const own = samples.classIds[i]!;
    return {
      sampleId: id,
      suggestedClassId: doubt === undefined ? own : classId(db, doubt.suggested),
      score: doubt?.score ?? 0,
      weight: 0.9,
      givenTarget: 1 - (doubt?.score ?? 0),
      suggestedTarget: doubt?.score ?? 1,
      flipEpoch: null,
      flagged: (doubt?.score ?? 0) >= 0.5,
      abstention: doubt?.abstention ?? null,
    };
  });
  appendEpoch(db, {
    runId,
    report: epochReport(0),
    beliefs: {
      targets: new Float32Array(samples.ids.length * classIds.length),
      weights: new Float32Array(samples.ids.length),
      findings: { list, summary: findingsSummary(runId, 0) },
    },
  });
  return runId;
}
