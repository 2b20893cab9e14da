import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { TrainingEvent, TrainingRequest } from '../../shared/api.ts';
import type { RunSummary } from '../../shared/domain.ts';
import type { TrainingProject } from '../../src-main/app/follow-run.ts';
import { createTraining, type Training } from '../../src-main/app/training.ts';
import { allRows, type Database } from '../../src-main/store/database.ts';
import { nearestSamples } from '../../src-main/store/embeddings.ts';
import { findingsRunId, readFindingsSummary, readJudgedLabels } from '../../src-main/store/findings.ts';
import { latestRun } from '../../src-main/store/runs.ts';
import { readTargets } from '../../src-main/store/targets.ts';
import { drawPictures, type LabeledPicture } from '../support/pictures.ts';
import { createProject, trainingOptions, trainingRequest } from './training-project.ts';

let imageFolder = '';
let pictures: LabeledPicture[] = [];

beforeAll(async () => {
  imageFolder = await mkdtemp(path.join(tmpdir(), 'winnow-training-'));
  pictures = await drawPictures(imageFolder, 60, 12);
});
afterAll(async () => {
  for (const folder of [imageFolder, `${imageFolder}-cache`]) await rm(folder, { recursive: true, force: true });
});

describe('runs on the best engine that is here', () => {
  let project: TrainingProject;
  let training: Training;
  let events: TrainingEvent[];
  let heard: (event: TrainingEvent) => void;
  beforeEach(async () => {
    events = [];
    heard = () => undefined;
    training = createTraining(
      trainingOptions((event) => {
        events.push(event);
        heard(event);
      }),
    );
    project = await createProject(imageFolder, pictures);
  });

  it('finds the wrong labels, stores every epoch, and knows which pictures look alike', async () => {
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
    const shownByPath = new Map(pictures.map(({ path, shown }) => [path, shown]));
    const shown = new Map(
      allRows<{ id: number; path: string }>(project.db, 'SELECT id, path FROM sample').map(({ id, path }) => [
        id,
        shownByPath.get(path),
      ]),
    );
    let alike = 0;
    for (const [id, what] of shown) {
      const [nearest] = await nearestSamples(project.db, id, 1, setImmediate);
      if (shown.get(nearest!.sampleId) === what) alike += 1;
    }
    expect(alike / pictures.length).toBeGreaterThan(0.6);
  }, 240_000);

  it('stops within two seconds when cancelled, keeps the epochs so far and the weights of the run before', async () => {
    const before = await runToEnd(trainingRequest({}, { epochs: 1 }));
    const secondEpoch = new Promise<void>((resolve) => {
      heard = (event) => {
        if (event.kind === 'epoch' && event.report.epoch === 1) resolve();
      };
    });
    await training.start(project, trainingRequest({ budget: 'thorough' }));
    await secondEpoch;
    const asked = performance.now();
    await training.cancel();
    expect(performance.now() - asked).toBeLessThan(2000);
    const run = latestRun(project.db)!;
    expect(run.status).toBe('cancelled');
    expect(run.epochs.length).toBeGreaterThanOrEqual(2);
    expect(readTargets(project.db, run.id)!.epoch).toBe(run.epochs.length - 1);
    expect(training.isRunning()).toBe(false);
    // What was cut short does not supersede what had come to its end.
    expect(await readdir(project.weightsFolder)).toEqual([
      `run-${before.id}.safetensors`,
      `run-${run.id}.checkpoint.safetensors`,
      `run-${run.id}.safetensors`,
    ]);
  });

  it('learns from the images alone, keeps the findings, and lets another run start from what it learned', async () => {
    const judged = await runToEnd(trainingRequest({}, { epochs: 2 }));
    const before = readFindingsSummary(project.db);
    const encoder = await runToEnd(trainingRequest({ recipe: 'pretrain' }, { epochs: 2 }));
    expect(encoder.epochs).toEqual([
      expect.objectContaining({ accuracy: null, spread: expect.any(Number), doubts: 0 }),
      expect.objectContaining({ accuracy: null, spread: expect.any(Number), doubts: 0 }),
    ]);
    expect(readFindingsSummary(project.db)).toEqual(before);
    expect(findingsRunId(project.db)).toBe(judged.id);
    // The encoder is the only result of its run; the weights of the run before have given way.
    expect(await readdir(project.weightsFolder)).toEqual([`run-${encoder.id}.safetensors`]);
    await expect(
      training.plan(project, trainingRequest({ recipe: 'robust', startFrom: encoder.id })),
    ).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringContaining('knows only standardised pixels'),
    });
    const next = await runToEnd(trainingRequest({ startFrom: encoder.id }, { epochs: 2 }));
    expect(next.plan).toMatchObject({ startFrom: encoder.id, width: encoder.plan.width });
    expect(await readdir(project.weightsFolder)).toEqual(
      [encoder.id, next.id].map((id) => `run-${id}.safetensors`).sort(),
    );
    await rm(project.weightsFolder, { recursive: true });
    await expect(training.plan(project, trainingRequest({ startFrom: encoder.id }))).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`run-${encoder.id}.safetensors is not there`),
    });
    await expect(training.plan(project, trainingRequest({ startFrom: 99 }))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  it('stores the abstention of every image', async () => {
    const run = await runToEnd(trainingRequest({ recipe: 'selective' }, { epochs: 4 }));
    const stored = abstentionsOf(project.db, run.id);
    expect(stored).toHaveLength(pictures.length);
    for (const abstention of stored) {
      expect(abstention).toBeGreaterThanOrEqual(0);
      expect(abstention).toBeLessThanOrEqual(1);
    }
  });

  it('reads the doubts of a run whose targets never move from its predictions', async () => {
    const run = await runToEnd(trainingRequest({ recipe: 'cross-entropy' }, { epochs: 4 }));
    const { targets } = readTargets(project.db, run.id)!;
    expect(targets.every((target) => target === 0 || target === 1)).toBe(true);
    const scores = readJudgedLabels(project.db, run.id).map(({ score }) => score);
    expect(scores.some((score) => score > 0.05)).toBe(true);
  });

  it('trains with a class per image, more classes than a batch holds', async () => {
    project = await createProject(imageFolder, pictures, (_, index) => `kind ${index}`);
    const run = await runToEnd(trainingRequest({}, { epochs: 2 }));
    expect(run.plan).toMatchObject({ classes: 60, batchSize: 32 });
    expect(readJudgedLabels(project.db, run.id)).toHaveLength(60);
  });

  it('trains with two classes, one of a single image', async () => {
    project = await createProject(imageFolder, pictures, (_, index) => (index === 0 ? 'rare' : 'usual'));
    const run = await runToEnd(trainingRequest({}, { epochs: 2 }));
    expect([run.status, run.plan.classes]).toEqual(['done', 2]);
  });

  it.each([
    [trainingRequest({ recipe: 'magic' }), /no recipe "magic".*sat, .*cross-entropy/],
    [trainingRequest({ preset: 'mine' }), /no preset "mine".*authors-cifar10,/],
    [trainingRequest({}, { epochs: 3, startEpoch: 3 }), /never adapt/],
    [trainingRequest({}, { targetMomentum: 1 }), /α/],
  ])('refuses to start where the request makes no sense (%#)', async (asked, message) => {
    await expect(training.start(project, asked)).rejects.toMatchObject({
      code: 'invalid-input',
      message: expect.stringMatching(message),
    });
    expect(latestRun(project.db)).toBeNull();
    expect(training.isRunning()).toBe(false);
  });

  async function runToEnd(asked = trainingRequest()): Promise<RunSummary> {
    const ended = new Promise<RunSummary>((resolve) => {
      heard = (event) => {
        if (event.kind === 'ended') resolve(event.run);
      };
    });
    await training.start(project, asked);
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
  const project = await createProject(imageFolder, pictures);
  let heard: (run: RunSummary) => void = () => undefined;
  const training = createTraining({
    ...trainingOptions((event) => {
      if (event.kind === 'ended') heard(event.run);
    }),
    trainerProgram: path.join(import.meta.dirname, 'dying-trainer.ts'),
  });
  for (let attempt = 1; attempt <= 2; attempt++) {
    const ended = new Promise<RunSummary>((resolve) => (heard = resolve));
    await training.start(project, trainingRequest({ engine: 'wasm' }));
    const run = await ended;
    expect(run).toMatchObject({ id: attempt, status: 'failed' });
    expect(run.error).toMatch(/SIGABRT. Its last words: the driver is on fire/);
    await training.close();
  }
});

it('never takes the weights that a deleted project at the same place has left for its own', async () => {
  const project = await createProject(imageFolder, pictures);
  const { weightsFolder } = project;
  await mkdir(weightsFolder);
  for (const runId of [1, 2])
    await writeFile(path.join(weightsFolder, `run-${runId}.safetensors`), 'of another project');
  const { run, training } = await runOneEpoch(project, trainingRequest({ engine: 'wasm', recipe: 'pretrain' }));
  expect(run).toMatchObject({ id: 1, status: 'failed' });
  expect(await readdir(weightsFolder)).toEqual(['run-2.safetensors']);
  for (const startFrom of [1, 2])
    await expect(training.plan(project, trainingRequest({ engine: 'wasm', startFrom }))).rejects.toMatchObject({
      code: 'not-found',
    });
});

it.each([
  [0, 0.5],
  [1, null],
])('with E_s of %i, a selective run of one epoch stores the abstention %s', async (startEpoch, abstention) => {
  const project = await createProject(imageFolder, pictures);
  const { run } = await runOneEpoch(project, trainingRequest({ engine: 'wasm', recipe: 'selective' }, { startEpoch }));
  expect(abstentionsOf(project.db, run.id)).toEqual(pictures.map(() => abstention));
});

it('keeps the last good epoch of a run whose loss became NaN, and passes on what to change', async () => {
  const project = await createProject(imageFolder, pictures);
  const { run } = await runOneEpoch(project, trainingRequest({ engine: 'wasm' }));
  expect(run).toMatchObject({ status: 'failed', error: expect.stringContaining('Start again with another seed') });
  expect(run.epochs).toHaveLength(1);
  expect(readJudgedLabels(project.db, run.id)).toHaveLength(pictures.length);
});

/** A run that diverges after its first epoch. */
async function runOneEpoch(
  project: TrainingProject,
  asked: TrainingRequest,
): Promise<{ run: RunSummary; training: Training }> {
  const ended = Promise.withResolvers<RunSummary>();
  const training = createTraining({
    ...trainingOptions((event) => {
      if (event.kind === 'ended') ended.resolve(event.run);
    }),
    trainerProgram: path.join(import.meta.dirname, 'diverging-trainer.ts'),
  });
  await training.start(project, asked);
  const run = await ended.promise;
  await training.close();
  return { run, training };
}

function abstentionsOf(db: Database, runId: number): (number | null)[] {
  return allRows<{ abstention: number | null }>(db, 'SELECT abstention FROM finding WHERE run_id = ?', runId).map(
    (row) => row.abstention,
  );
}
