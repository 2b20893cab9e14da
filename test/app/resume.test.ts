import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingEvent } from '../../shared/api.ts';
import type { RunSummary } from '../../shared/domain.ts';
import { resumableRun } from '../../src-main/app/checkpoints.ts';
import type { TrainingProject } from '../../src-main/app/follow-run.ts';
import { createTraining, type Training } from '../../src-main/app/training.ts';
import { allRows } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { nearestSamples } from '../../src-main/store/embeddings.ts';
import { readFindingsSummary } from '../../src-main/store/findings.ts';
import { latestRun, runIds } from '../../src-main/store/runs.ts';
import { readTargets } from '../../src-main/store/targets.ts';
import { drawPictures, type LabeledPicture } from '../support/pictures.ts';
import { createProject, trainingOptions, trainingRequest } from './training-project.ts';

/* Runs that stop and go on, with real trainers in processes of their own. */

const request = trainingRequest({}, { epochs: 6 });
let imageFolder = '';
let pictures: LabeledPicture[] = [];

beforeAll(async () => {
  imageFolder = await mkdtemp(path.join(tmpdir(), 'winnow-resume-'));
  pictures = await drawPictures(imageFolder, 60, 12);
});
afterAll(async () => {
  for (const folder of [imageFolder, `${imageFolder}-cache`]) await rm(folder, { recursive: true, force: true });
});
afterEach(() => {
  delete process.env['MORTAL_TRAINER_LIVES'];
});

describe('a run that stopped', () => {
  it('goes on as if nothing had happened: paused, cancelled, and with a decision made meanwhile', async () => {
    const whole = await createProject(imageFolder, pictures);
    await openHouse(whole).toEnd();

    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project);
    const paused = await house.stopIn(1, (training) => training.pause());
    expect(paused).toMatchObject({ id: 1, status: 'paused', canResume: true, error: null });
    decide(project.db, { sampleIds: [1], decision: { kind: 'drop' }, decidedAt: '2026-01-01T00:00:00.000Z' });
    const cancelled = await house.stopIn(3, (training) => training.cancel(), 1);
    expect(cancelled).toMatchObject({ id: 1, status: 'cancelled', canResume: true });
    expect(cancelled.epochs.length).toBeGreaterThan(paused.epochs.length);
    const done = await house.toEnd(1);
    expect(done).toMatchObject({ id: 1, status: 'done', canResume: false, notes: [] });
    expect(await whatWasFound(project)).toEqual(await whatWasFound(whole));
    expect(await readdir(project.weightsFolder)).toEqual(['run-1.safetensors']);
    expect(await weightsOf(project)).toEqual(await weightsOf(whole));
    await expect(house.training.resume(project, 1)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('it has come to its end'),
    });
  }, 240_000);

  it('can go on until a newer one has an epoch, and from its beginning where nothing was learned', async () => {
    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project);
    await house.training.start(project, request);
    await house.training.pause();
    expect(latestRun(project.db)).toMatchObject({ id: 1, status: 'paused', epochs: [] });
    expect(resumableRun(project)).toMatchObject({ id: 1, canResume: true });
    await house.stopIn(1, (training) => training.pause(), 1);
    expect(resumableRun(project)?.id).toBe(1);

    // A new one that came to nothing is no obstacle, and is gone when the other goes on.
    await house.training.start(project, request);
    await house.training.cancel();
    expect([runIds(project.db), resumableRun(project)?.id]).toEqual([[2, 1], 1]);
    await house.stopIn(2, (training) => training.pause(), 1);
    expect(runIds(project.db)).toEqual([1]);

    await house.stopIn(1, (training) => training.pause(), null);
    expect(resumableRun(project)?.id).toBe(2);
    await expect(house.training.resume(project, 1)).rejects.toMatchObject({ code: 'not-found' });
    expect(await readdir(project.weightsFolder)).toEqual([
      'run-1.safetensors',
      'run-2.checkpoint.safetensors',
      'run-2.safetensors',
    ]);
  }, 240_000);

  it('refuses images that are not those it began with, and goes on when they are back', async () => {
    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project);
    await house.stopIn(1, (training) => training.pause());
    await rm(project.cacheFolder, { recursive: true });
    const file = path.join(imageFolder, pictures[0]!.path);
    const original = await readFile(file);
    await writeFile(file, await readFile(path.join(imageFolder, pictures[1]!.path)));
    const refused = await house.toEnd(1);
    expect(refused).toMatchObject({
      status: 'interrupted',
      canResume: true,
      error: expect.stringContaining('no longer those that this training began with'),
    });
    await writeFile(file, original);
    await rm(project.cacheFolder, { recursive: true });
    expect(await house.toEnd(1)).toMatchObject({ status: 'done', error: null });
  }, 240_000);

  it('says that its saved state is damaged, and a new one can be started', async () => {
    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project);
    await house.stopIn(1, (training) => training.pause());
    await writeFile(path.join(project.weightsFolder, 'run-1.checkpoint.safetensors'), 'nonsense');
    expect(await house.toEnd(1)).toMatchObject({ status: 'interrupted', error: expect.stringMatching(/is damaged/) });
    expect(await house.toEnd(null)).toMatchObject({ id: 2, status: 'done' });
    expect(await readdir(project.weightsFolder)).toEqual(['run-2.safetensors']);
  }, 240_000);
});

describe('a trainer that dies', () => {
  it('is replaced by one that goes on, and the run is the one that nothing happened to', async () => {
    const whole = await createProject(imageFolder, pictures);
    await openHouse(whole).toEnd();

    const lives = path.join(imageFolder, 'lives.json');
    process.env['MORTAL_TRAINER_LIVES'] = lives;
    // One dies within its third epoch, and the one that replaces it some epochs later.
    await writeFile(lives, JSON.stringify([2, 3].map((epochs) => ({ epochs, milliseconds: 20 * Math.random() }))));
    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project, path.join(import.meta.dirname, 'mortal-trainer.ts'));
    const run = await house.toEnd();
    const note = expect.stringMatching(/^The trainer was ended by SIGKILL in epoch \d; a new one went on/);
    expect(run).toMatchObject({ status: 'done', notes: [note, note] });
    expect(JSON.parse(await readFile(lives, 'utf8'))).toEqual([]);
    expect(await whatWasFound(project)).toEqual(await whatWasFound(whole));
  }, 240_000);

  it('by losing its device goes on as long as it gets further, and can be resumed later when not', async () => {
    const program = path.join(import.meta.dirname, 'troubled-trainer.ts');
    const project = await createProject(imageFolder, pictures);
    const asked = trainingRequest({ engine: 'wasm', recipe: 'cross-entropy' }, { epochs: 2 });
    const run = await openHouse(project, program).toEnd(null, asked);
    expect(run).toMatchObject({
      status: 'done',
      notes: ['The device that computes was lost in epoch 2; a new one went on from the last full pass.'],
    });
    expect(run.epochs.map(({ epoch }) => epoch)).toEqual([0, 1]);
    const stuck = await openHouse(project, program).toEnd(null, { ...asked, recipe: 'selective' });
    expect(stuck).toMatchObject({ status: 'interrupted', canResume: true, error: 'The device was lost.' });
    expect(stuck.notes).toHaveLength(1);
  });

  it('by running out of memory takes half the batch until it fits, and says so', async () => {
    const project = await createProject(imageFolder, pictures);
    const house = openHouse(project, path.join(import.meta.dirname, 'troubled-trainer.ts'));
    const asked = trainingRequest({ engine: 'wasm' }, { epochs: 1, startEpoch: 0 });
    const run = await house.toEnd(null, asked);
    expect(run).toMatchObject({ status: 'done', plan: { batchSize: 8 } });
    expect(run.notes).toEqual([
      'Memory ran out in epoch 1 with 32 images at once; it went on with 16.',
      'Memory ran out in epoch 1 with 16 images at once; it went on with 8.',
    ]);
    expect(house.events.filter(({ kind }) => kind === 'changed')).toHaveLength(3);
  });
});

/** Starts or resumes runs of a project and waits for them. */
function openHouse(project: TrainingProject, trainerProgram: string | null = null) {
  const events: TrainingEvent[] = [];
  let heard: (event: TrainingEvent) => void = () => undefined;
  const options = trainingOptions((event) => {
    events.push(event);
    heard(event);
  });
  const training = createTraining({ ...options, trainerProgram: trainerProgram ?? options.trainerProgram });
  const begin = (resumed: number | null, asked = request): Promise<RunSummary> =>
    resumed === null ? training.start(project, asked) : training.resume(project, resumed);
  return {
    training,
    events,
    /** Resumes a run, or starts one, and waits for its end. */
    async toEnd(resumed: number | null = null, asked = request): Promise<RunSummary> {
      const ended = new Promise<RunSummary>((resolve) => {
        heard = (event) => event.kind === 'ended' && resolve(event.run);
      });
      await begin(resumed, asked);
      const run = await ended;
      // The process may take a moment longer to end than the run.
      await training.close();
      return run;
    },
    /** The same, but stops it once an epoch has begun. */
    async stopIn(
      epoch: number,
      stop: (training: Training) => Promise<void>,
      resumed: number | null = null,
    ): Promise<RunSummary> {
      const reached = new Promise<void>((resolve) => {
        heard = (event) => event.kind === 'epoch' && event.report.epoch === epoch - 1 && resolve();
      });
      await begin(resumed);
      await reached;
      await stop(training);
      const last = events.at(-1);
      if (last?.kind !== 'ended') throw new Error('It has not ended.');
      return last.run;
    },
  };
}

/** Everything that a run has left in the project, but for what depends on the clock. */
async function whatWasFound({ db }: TrainingProject): Promise<unknown> {
  return {
    findings: allRows(db, 'SELECT * FROM finding ORDER BY sample_id'),
    epochs: allRows(db, 'SELECT epoch, loss, accuracy, learning_rate, doubts FROM epoch ORDER BY epoch'),
    targets: readTargets(db, 1),
    summary: readFindingsSummary(db),
    alike: await Promise.all(pictures.slice(1).map((_, index) => nearestSamples(db, index + 2, 3, setImmediate))),
  };
}

async function weightsOf({ weightsFolder }: TrainingProject): Promise<string> {
  return await readFile(path.join(weightsFolder, 'run-1.safetensors'), 'hex');
}
