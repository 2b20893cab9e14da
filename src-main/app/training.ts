import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { TrainingEvent, TrainingRequest } from '../../shared/api.ts';
import type {
  ClassId,
  EngineReport,
  EpochReport,
  Finding,
  RunId,
  RunStatus,
  RunSummary,
  TrainingPlan,
} from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import type { Beliefs, PixelFile, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { pixelFileName, writePixelFile } from '../dataset/pixels.ts';
import { explainFlags, flagSamples } from '../domain/flags.ts';
import { planTraining } from '../domain/plan.ts';
import { createRunView, type RunView } from '../domain/run-view.ts';
import { networks } from '../sat/models/networks.ts';
import type { Database } from '../store/database.ts';
import { appendEmbeddings } from '../store/embeddings.ts';
import { createRun, runById, setRunStatus, trainingSamples, type TrainingSample } from '../store/runs.ts';
import { medianSide } from '../store/samples.ts';
import { appendEpoch, type EpochBeliefs } from '../store/targets.ts';
import { createEngines } from './engines.ts';
import { requirePreset, requireRecipe } from './recipes.ts';
import { startTrainerProcess, type TrainerExit, type TrainerProcess } from './trainer-process.ts';
import { prepareWeightsFile, removeOldWeights, requireStartingWeights, type StartingWeights } from './weights.ts';

export interface TrainingOptions {
  dataFolder: string;
  nodePath: string;
  trainerProgram: string;
  logger: Logger;
  emit: (event: TrainingEvent) => void;
}

/** What training needs of the open project. */
export interface TrainingProject {
  db: Database;
  imageFolder: string;
  /** May be deleted at any time between runs. */
  cacheFolder: string;
  /** Keeps the weights of runs. */
  weightsFolder: string;
}

/** Runs: planned, started, followed and stored. One at a time. */
export interface Training {
  listEngines(measure: boolean): Promise<EngineReport[]>;
  plan(project: TrainingProject, request: TrainingRequest): Promise<TrainingPlan>;
  /** Answers as soon as the run is stored; `training` events tell the rest. */
  start(project: TrainingProject, request: TrainingRequest): Promise<RunSummary>;
  /** Ends the current run within two seconds and keeps what it has learned. */
  cancel(): Promise<void>;
  isRunning(): boolean;
  close(): Promise<void>;
}

/** A trainer that has not stopped by itself this long after being asked is killed, milliseconds. */
const patienceWithCancel = 1500;

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
    samples: TrainingSample[],
    request: TrainingRequest,
  ): Promise<{ plan: TrainingPlan; startFrom: StartingWeights | null }> => {
    const recipe = requireRecipe(request.recipe);
    const preset = request.preset === null ? null : requirePreset(request.preset);
    const startFrom =
      request.startFrom === null ? null : await requireStartingWeights(db, weightsFolder, request.startFrom);
    const classes = new Set(samples.map((sample) => sample.classId)).size;
    if (classes < 2 && recipe.usesLabels) {
      throw new AppError(
        'single-class',
        `Training needs images of at least two classes; ${samples.length} images with ${classes} are left. Import a folder with one subfolder per class, or reopen dropped images.`,
      );
    }
    const engine = await engines.choose(request.engine);
    const plan = planTraining({
      engine: engine.name,
      gflops: engine.gflops,
      budget: request.budget,
      seed: request.seed,
      samples: samples.length,
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
    const { db, imageFolder } = project;
    if ((await stat(imageFolder).catch(() => null)) === null) {
      throw new AppError(
        'images-missing',
        `The image folder ${imageFolder} is not there. Point the project to where it is now, then train.`,
      );
    }
    const samples = trainingSamples(db);
    const { plan, startFrom } = await makePlan(project, samples, request);
    const classIds = [...new Set(samples.map((sample) => sample.classId))].sort((a, b) => a - b);
    const runId = createRun(db, { plan, classIds, samples, startedAt: new Date().toISOString() });
    const abort = new AbortController();
    const finished = followRun({
      ...options,
      project,
      samples,
      classIds,
      plan,
      startWeights: startFrom?.file ?? null,
      runId,
      engineFolder: engines.folder,
      signal: abort.signal,
    });
    const run: CurrentRun = { abort, finished };
    current = run;
    void finished.finally(() => {
      if (current === run) current = null;
    });
    return existingRun(db, runId);
  };

  const cancel = async (): Promise<void> => {
    current?.abort.abort();
    await current?.finished;
  };

  return {
    listEngines: (measure) => engines.list(measure),
    plan: async (project, request) => (await makePlan(project, trainingSamples(project.db), request)).plan,
    start: async (project, request) => {
      if (current !== null || starting) {
        throw new AppError('busy', 'A training run is going on already. Stop it first, or wait for its end.');
      }
      starting = true;
      try {
        return await start(project, request);
      } finally {
        starting = false;
      }
    },
    cancel,
    isRunning: () => current !== null,
    close: cancel,
  };
}

interface FollowedRun extends TrainingOptions {
  project: TrainingProject;
  samples: TrainingSample[];
  /** Class of each column of the targets. */
  classIds: ClassId[];
  plan: TrainingPlan;
  startWeights: string | null;
  runId: RunId;
  engineFolder: string;
  signal: AbortSignal;
}

/** Sees a run through to its end, whatever that is, and stores it. Never rejects. */
async function followRun(run: FollowedRun): Promise<void> {
  const { project, runId, signal, logger, emit } = run;
  const end = (status: RunStatus, error: string | null): void => {
    setRunStatus(project.db, { runId, status, endedAt: new Date().toISOString(), error });
    emit({ kind: 'ended', run: existingRun(project.db, runId) });
  };
  try {
    const weightsFile = await prepareWeightsFile(project.weightsFolder, runId);
    const pixels = await preparePixels(run);
    setRunStatus(project.db, { runId, status: 'running' });
    const status = await runTrainer(run, pixels, weightsFile);
    // A run that was cut short, perhaps after one pass, does not supersede what an earlier one took hours for.
    if (status === 'done') await removeOldWeights(project.db, project.weightsFolder, runId);
    end(status, null);
  } catch (error) {
    if (signal.aborted) return end('cancelled', null);
    if (!(error instanceof AppError)) logger.error(`Run ${runId} failed.`, error);
    end('failed', errorMessage(error));
  }
}

/** Decodes all images once, or finds that an earlier run has done so. */
async function preparePixels(run: FollowedRun): Promise<PixelFile> {
  const { project, samples, plan, runId, signal, logger, emit } = run;
  const { resolution } = plan;
  const summary = existingRun(project.db, runId);
  const name = pixelFileName(
    samples.map((sample) => sample.contentHash),
    resolution,
  );
  const file = path.join(project.cacheFolder, name);
  await mkdir(project.cacheFolder, { recursive: true });
  // Only the newest is kept: each is as large as the decoded data set.
  for (const other of await readdir(project.cacheFolder)) {
    if (other !== name && /\.pixels(\.partial)?$/.test(other))
      await rm(path.join(project.cacheFolder, other), { force: true });
  }
  const bytes = samples.length * resolution * resolution * 3;
  if ((await stat(file).catch(() => null))?.size !== bytes) {
    let reported = 0;
    const { unreadable } = await writePixelFile({
      files: samples.map((sample) => path.join(project.imageFolder, sample.path)),
      resolution,
      path: file,
      signal,
      onProgress: (done, total) => {
        const now = performance.now();
        if (now - reported < 200 && done < total) return;
        reported = now;
        emit({ kind: 'preparing', run: summary, done, total });
      },
    });
    if (unreadable.length === samples.length) {
      throw new AppError(
        'images-missing',
        `None of the images in ${project.imageFolder} can be read any more. Point the project to where they are now.`,
      );
    }
    if (unreadable.length > 0) {
      logger.warn(
        `${unreadable.length} images can no longer be read and take part as plain grey; import the folder again to list them.`,
      );
    }
  }
  return { path: file, samples: samples.length, resolution };
}

/** Runs the trainer's process to its end. Throws `AppError` 'trainer' with its last words if it fails. */
async function runTrainer(run: FollowedRun, pixels: PixelFile, weightsFile: string): Promise<RunStatus> {
  const { samples, classIds, plan, runId, startWeights, engineFolder, signal } = run;
  const columns = new Map(classIds.map((classId, column) => [classId, column]));
  const labels = Int32Array.from(samples, (sample) => columns.get(sample.classId) ?? 0);
  const view = createRunView({ plan, labels });
  const trainer = startTrainerProcess({ nodePath: run.nodePath, program: run.trainerProgram });
  const stop = (): void => {
    trainer.post({ kind: 'cancel', runId });
    setTimeout(() => trainer.kill(), patienceWithCancel).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    const outcome = await new Promise<RunStatus>((resolve, reject) => {
      trainer.onMessage((event) => {
        try {
          if (event.kind === 'done') resolve('done');
          else if (event.kind === 'cancelled') resolve('cancelled');
          else if (event.kind === 'failed') reject(new AppError('trainer', event.message));
          else storeEvent(run, view, event);
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      void trainer.ended.then((exit) => reject(new AppError('trainer', describeExit(exit, plan))));
      if (signal.aborted) stop();
      trainer.post({
        kind: 'train',
        runId,
        settings: plan,
        pixels,
        labels,
        heldOut: null,
        startWeights,
        weightsFile,
        embed: true,
        engineFolder,
      });
    });
    return outcome;
  } finally {
    signal.removeEventListener('abort', stop);
    await endTrainer(trainer);
  }
}

async function endTrainer(trainer: TrainerProcess): Promise<void> {
  trainer.kill();
  await trainer.ended;
}

function storeEvent(run: FollowedRun, view: RunView, event: TrainerEvent): void {
  const { project, runId, emit } = run;
  if (event.kind === 'batch') emit(event);
  if (event.kind === 'embeddings') appendEmbeddings(project.db, event);
  if (event.kind !== 'epoch') return;
  const { epoch, beliefs } = event;
  const judged = beliefs === null ? null : judge(run, view, epoch, beliefs);
  const report: EpochReport = {
    epoch,
    loss: event.loss,
    accuracy: event.accuracy,
    spread: event.spread,
    learningRate: event.learningRate,
    imagesPerSecond: event.imagesPerSecond,
    seconds: event.seconds,
    secondsLeft: event.secondsLeft,
    doubts: judged?.doubts ?? 0,
  };
  appendEpoch(project.db, { runId, report, beliefs: judged?.beliefs ?? null });
  emit({ kind: 'epoch', runId, report });
}

/** What the run believes about the labels after an epoch, as findings. */
function judge(
  { samples, classIds, plan, runId }: FollowedRun,
  view: RunView,
  epoch: number,
  { targets, probabilities, abstention }: Beliefs,
): { doubts: number; beliefs: EpochBeliefs } {
  const { scores, weights, flipEpochs, labels } = view.update(epoch, targets, probabilities);
  const flags = flagSamples(scores, labels);
  const list = samples.map(({ id }, i): Finding => ({
    sampleId: id,
    suggestedClassId: classIds[scores.suggested[i]!]!,
    score: scores.score[i]!,
    weight: scores.weight[i]!,
    givenTarget: scores.givenTarget[i]!,
    suggestedTarget: scores.suggestedVote[i]!,
    flipEpoch: flipEpochs[i] === -1 ? null : flipEpochs[i]!,
    flagged: flags.flagged[i] === 1,
    // Before E_s nothing has taught the model to abstain.
    abstention: epoch < plan.startEpoch ? null : (abstention?.[i] ?? null),
  }));
  const summary = explainFlags(flags, { runId, epoch, samples: samples.length });
  return { doubts: flags.count, beliefs: { targets, weights, findings: { list, summary } } };
}

function describeExit({ code, signal, lastWords }: TrainerExit, plan: TrainingPlan): string {
  const how = signal === null ? `ended with code ${code ?? 'unknown'}` : `was ended by ${signal}`;
  const said = lastWords === '' ? 'It left no message.' : `Its last words: ${lastWords}`;
  const hint =
    signal === 'SIGKILL' || signal === 'SIGABRT'
      ? 'The system may have run out of memory; close other programs or choose a smaller budget.'
      : plan.engine === 'wasm'
        ? 'Try a smaller budget.'
        : 'Try the WebAssembly engine if this happens again.';
  return `The trainer ${how}. ${said} Everything up to the last full pass is kept. Start the training again; ${hint.charAt(0).toLowerCase()}${hint.slice(1)}`;
}

function existingRun(db: Database, runId: RunId): RunSummary {
  const run = runById(db, runId);
  if (run === null) throw new Error(`Run ${runId} is not stored.`);
  return run;
}
