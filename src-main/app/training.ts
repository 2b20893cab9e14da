import { stat } from 'node:fs/promises';
import type { TrainingRequest } from '../../shared/api.ts';
import type { EngineName, EngineReport, RunId, RunSummary, TrainingPlan } from '../../shared/domain.ts';
import { AppError } from '../../shared/result.ts';
import { planTraining } from '../domain/plan.ts';
import { networks } from '../sat/models/networks.ts';
import {
  addRunNote,
  changePlan,
  createRun,
  removeEmptyRunsAfter,
  runById,
  samplesOfRun,
  setRunStatus,
  trainingSamples,
  type TrainingSamples,
} from '../store/runs.ts';
import type { Database } from '../store/database.ts';
import { medianSide } from '../store/samples.ts';
import { readClassIds } from '../store/targets.ts';
import { checkpointFile, hasCheckpoint, resumableRun } from './checkpoints.ts';
import { createEngines } from './engines.ts';
import {
  existingRun,
  followRun,
  type FollowedRun,
  type StopReason,
  type TrainingOptions,
  type TrainingProject,
} from './follow-run.ts';
import { requirePreset, requireRecipe } from './recipes.ts';
import { prepareWeightsFile, requireStartingWeights, weightsFile, type StartingWeights } from './weights.ts';

/** Runs: planned, started, followed and stored. One at a time. */
export interface Training {
  listEngines(measure: boolean): Promise<EngineReport[]>;
  plan(project: TrainingProject, request: TrainingRequest): Promise<TrainingPlan>;
  /** Answers as soon as the run is stored; `training` events tell the rest. */
  start(project: TrainingProject, request: TrainingRequest): Promise<RunSummary>;
  /** Goes on with a run that has stopped, on the images and labels that it began with; answers as `start` does. */
  resume(project: TrainingProject, runId: RunId): Promise<RunSummary>;
  /** Ends the current run so that it goes on from the very batch. */
  pause(): Promise<void>;
  /** Ends the current run within two seconds and keeps what it has learned. */
  cancel(): Promise<void>;
  isRunning(): boolean;
  /** Pauses the current run within two seconds. */
  close(): Promise<void>;
}

/** A trainer that has not stopped by itself this long after being asked is killed, milliseconds. */
const patience = { cancel: 1500, pause: 10_000 };

interface CurrentRun {
  abort: AbortController;
  finished: Promise<void>;
}

export function createTraining(options: TrainingOptions): Training {
  const engines = createEngines(options);
  let current: CurrentRun | null = null;
  let starting = false;

  const makePlan = async (
    { db, weightsFolder }: TrainingProject,
    { ids, classIds }: TrainingSamples,
    request: TrainingRequest,
  ): Promise<{ plan: TrainingPlan; startFrom: StartingWeights | null }> => {
    const recipe = requireRecipe(request.recipe);
    const preset = request.preset === null ? null : requirePreset(request.preset);
    const startFrom =
      request.startFrom === null ? null : await requireStartingWeights(db, weightsFolder, request.startFrom);
    const samples = ids.length;
    const classes = new Set(classIds).size;
    if (classes < 2 && recipe.usesLabels) {
      throw new AppError(
        'single-class',
        `Training needs images of at least two classes; ${samples} images with ${classes} are left. Import a folder with one subfolder per class, or reopen dropped images.`,
      );
    }
    const engine = await engines.choose(request.engine);
    const plan = planTraining({
      engine: engine.name,
      gflops: engine.gflops,
      budget: request.budget,
      seed: request.seed,
      samples,
      classes,
      medianSide: medianSide(db),
      recipe,
      preset,
      overrides: request.overrides,
      startFrom,
      gflopPerImage: (network, width, resolution) => networks[network].gflop(width, resolution),
    });
    return { plan: { ...plan, reasons: [...plan.reasons, ...engine.passedOver] }, startFrom };
  };

  const start = async (project: TrainingProject, request: TrainingRequest): Promise<RunSummary> => {
    const { db, weightsFolder } = project;
    await requireImages(project);
    const samples = trainingSamples(db);
    const { plan, startFrom } = await makePlan(project, samples, request);
    const classIds = [...new Set(samples.classIds)].sort((a, b) => a - b);
    const runId = createRun(db, { plan, classIds, samples, startedAt: new Date().toISOString() });
    return follow({
      project,
      samples,
      classIds,
      plan,
      startWeights: startFrom?.file ?? null,
      runId,
      prepareWeights: () => prepareWeightsFile(weightsFolder, runId),
    });
  };

  const resume = async (project: TrainingProject, runId: RunId): Promise<RunSummary> => {
    const { db, weightsFolder } = project;
    if (resumableRun(project)?.id !== runId) throw cannotResume(project, runId);
    await requireImages(project);
    const run = existingRun(project, runId);
    const goesOn = hasCheckpoint(weightsFolder, runId);
    const startFrom =
      goesOn || run.plan.startFrom === null
        ? null
        : await requireStartingWeights(db, weightsFolder, run.plan.startFrom);
    const plan = await withEngineThatIsHere(db, run);
    removeEmptyRunsAfter(db, runId);
    setRunStatus(db, { runId, status: 'preparing' });
    return follow({
      project,
      samples: samplesOfRun(db, runId),
      classIds: readClassIds(db, runId),
      plan,
      startWeights: startFrom?.file ?? null,
      runId,
      prepareWeights: () =>
        goesOn ? Promise.resolve(weightsFile(weightsFolder, runId)) : prepareWeightsFile(weightsFolder, runId),
    });
  };

  /** The plan of a run that is to go on; with another engine, and a note, where its own is not here. */
  const withEngineThatIsHere = async (db: Database, { id, plan }: RunSummary): Promise<TrainingPlan> => {
    const { name, passedOver } = await engines.choose(plan.engine).catch(() => engines.choose('auto'));
    if (name === plan.engine) return plan;
    const changed = { ...plan, engine: name };
    changePlan(db, id, changed);
    addRunNote(db, id, engineNote(plan.engine, name, passedOver));
    return changed;
  };

  const follow = (run: Omit<FollowedRun, keyof TrainingOptions | 'engineFolder' | 'signal'>): RunSummary => {
    const abort = new AbortController();
    const finished = followRun({ ...options, ...run, engineFolder: engines.folder, signal: abort.signal });
    const started: CurrentRun = { abort, finished };
    current = started;
    void finished.finally(() => {
      if (current === started) current = null;
    });
    return existingRun(run.project, run.runId);
  };

  const stop = async (reason: StopReason): Promise<void> => {
    current?.abort.abort(reason);
    await current?.finished;
  };

  const beginAlone = async (begin: () => Promise<RunSummary>): Promise<RunSummary> => {
    if (current !== null || starting) {
      throw new AppError('busy', 'A training run is going on already. Stop it first, or wait for its end.');
    }
    starting = true;
    try {
      return await begin();
    } finally {
      starting = false;
    }
  };

  return {
    listEngines: (measure) => engines.list(measure),
    plan: async (project, request) => (await makePlan(project, trainingSamples(project.db), request)).plan,
    start: (project, request) => beginAlone(() => start(project, request)),
    resume: (project, runId) => beginAlone(() => resume(project, runId)),
    pause: () => stop({ status: 'paused', patience: patience.pause }),
    cancel: () => stop({ status: 'cancelled', patience: patience.cancel }),
    isRunning: () => current !== null,
    close: () => stop({ status: 'paused', patience: patience.cancel }),
  };
}

async function requireImages({ imageFolder }: TrainingProject): Promise<void> {
  if ((await stat(imageFolder).catch(() => null)) !== null) return;
  throw new AppError(
    'images-missing',
    `The image folder ${imageFolder} is not there. Point the project to where it is now, then train.`,
  );
}

function cannotResume({ db, weightsFolder }: TrainingProject, runId: RunId): AppError {
  const run = runById(db, runId);
  if (run === null) return new AppError('not-found', `The project has no run ${runId} to go on with.`);
  const why =
    run.status === 'done'
      ? 'it has come to its end'
      : hasCheckpoint(weightsFolder, runId)
        ? 'another run has taken its place'
        : `its saved state ${checkpointFile(weightsFolder, runId)} is not there`;
  return new AppError('not-found', `Run ${runId} cannot go on, because ${why}. Start a new one.`);
}

function engineNote(own: EngineName, instead: EngineName, passedOver: readonly string[]): string {
  const why = passedOver.length === 0 ? `${own} cannot be used here` : passedOver.join('; ');
  return `It went on with ${instead}, because ${why}. The rest agrees with what ${own} would have computed to rounding only.`;
}
