import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { TrainingEvent } from '../../shared/api.ts';
import type { ClassId, EpochReport, RunId, RunStatus, RunSummary, TrainingPlan } from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import type { Beliefs, FailureReason, PixelFile, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { pixelFileName, writePixelFile } from '../dataset/pixels.ts';
import { listFindings } from '../domain/findings.ts';
import { explainFlags, flagSamples } from '../domain/flags.ts';
import { createRunView, type RunView } from '../domain/run-view.ts';
import type { Database } from '../store/database.ts';
import { appendEmbeddings } from '../store/embeddings.ts';
import { readFlipEpochs } from '../store/findings.ts';
import { addRunNote, changePlan, filesOfRun, runById, setRunStatus, type TrainingSamples } from '../store/runs.ts';
import { appendEpoch, type EpochBeliefs } from '../store/targets.ts';
import { checkpointFile, describeRun, hasCheckpoint, removeCheckpoint, removeOldCheckpoints } from './checkpoints.ts';
import { startTrainerProcess, type TrainerExit, type TrainerProcess } from './trainer-process.ts';
import { removeOldWeights } from './weights.ts';

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
  /** Keeps the weights of runs, and what they need to go on. */
  weightsFolder: string;
}

export interface FollowedRun extends TrainingOptions {
  project: TrainingProject;
  samples: TrainingSamples;
  /** Class of each column of the targets. */
  classIds: ClassId[];
  plan: TrainingPlan;
  startWeights: string | null;
  runId: RunId;
  /** Makes the place for the weights; answers the file. */
  prepareWeights: () => Promise<string>;
  engineFolder: string;
  /** Its reason is a `StopReason`. */
  signal: AbortSignal;
}

/** How a run that is stopped ends. */
export interface StopReason {
  status: 'paused' | 'cancelled';
  /** A trainer that has not stopped by itself this long after being asked is killed, milliseconds. */
  patience: number;
}

/** Sees a run through to its end, whatever that is, and stores it. Never rejects. */
export async function followRun(run: FollowedRun): Promise<void> {
  const { project, runId, signal, logger, emit } = run;
  const { db, weightsFolder } = project;
  const end = (status: RunStatus, error: string | null): void => {
    setRunStatus(db, { runId, status, endedAt: new Date().toISOString(), error });
    emit({ kind: 'ended', run: existingRun(project, runId) });
  };
  try {
    const weightsFile = await run.prepareWeights();
    const pixels = await preparePixels(run);
    setRunStatus(db, { runId, status: 'running' });
    emit({ kind: 'changed', run: existingRun(project, runId) });
    const status = await trainToEnd(run, pixels, weightsFile);
    // A run that was cut short, perhaps after one pass, does not supersede what an earlier one took hours for.
    if (status === 'done') {
      await removeOldWeights(db, weightsFolder, runId);
      await removeCheckpoint(weightsFolder, runId);
    }
    end(status, null);
  } catch (error) {
    if (signal.aborted) return end(stopReason(signal).status, null);
    if (!(error instanceof AppError)) logger.error(`Run ${runId} failed.`, error);
    if (error instanceof DivergedRunError) await removeCheckpoint(weightsFolder, runId);
    end(hasCheckpoint(weightsFolder, runId) ? 'interrupted' : 'failed', errorMessage(error));
  }
}

/** Decodes all images once, or finds that an earlier run has done so. */
async function preparePixels(run: FollowedRun): Promise<PixelFile> {
  const { project, samples, plan, runId, signal, logger, emit } = run;
  const { resolution } = plan;
  const count = samples.ids.length;
  const summary = existingRun(project, runId);
  const files = (): ReturnType<typeof filesOfRun> => filesOfRun(project.db, runId);
  const name = pixelFileName(
    files().map(({ contentHash }) => contentHash),
    resolution,
  );
  const file = path.join(project.cacheFolder, name);
  await mkdir(project.cacheFolder, { recursive: true });
  // Only the newest is kept: each is as large as the decoded data set.
  for (const other of await readdir(project.cacheFolder)) {
    if (other !== name && /\.pixels(\.partial)?$/.test(other))
      await rm(path.join(project.cacheFolder, other), { force: true });
  }
  const bytes = count * resolution * resolution * 3;
  if ((await stat(file).catch(() => null))?.size !== bytes) {
    let reported = 0;
    const { unreadable } = await writePixelFile({
      files: files().map((file) => path.join(project.imageFolder, file.path)),
      count,
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
    if (unreadable.length === count) {
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
  return { path: file, samples: count, resolution };
}

/** How one process of the trainer ended. */
type Outcome =
  | { kind: 'done' }
  | { kind: 'stopped' }
  | { kind: 'failed'; reason: FailureReason; message: string }
  | { kind: 'died'; exit: TrainerExit };

/** The same numbers would diverge again, so the run cannot go on. */
class DivergedRunError extends AppError {}

/** Trainers in a row that may die without finishing an epoch: the first may be an accident. */
const mostDeathsInARow = 1;
/** However far each gets, more than this are no accidents. */
const mostRestarts = 5;
const smallestBatch = 8;

/**
 * Trains until the run ends. A trainer that dies, or whose device goes away, is replaced by another one that goes on from the
 * checkpoint; when memory runs out, that one takes half the batch. Throws `AppError` 'trainer' with the last words when that does not help.
 */
async function trainToEnd(run: FollowedRun, pixels: PixelFile, weightsFile: string): Promise<RunStatus> {
  const { project, runId, signal, logger } = run;
  let { plan } = run;
  let deathsInARow = 0;
  const goOnAfter = (note: string): void => {
    addRunNote(project.db, runId, note);
    logger.warn(`Run ${runId}: ${note}`);
    run.emit({ kind: 'changed', run: existingRun(project, runId) });
  };
  for (let restarts = 0; ; restarts++) {
    const epochsBefore = existingRun(project, runId).epochs.length;
    const outcome = await runTrainer({ ...run, plan }, pixels, weightsFile);
    if (outcome.kind === 'done') return 'done';
    if (outcome.kind === 'stopped' || signal.aborted) return stopReason(signal).status;
    const { epochs } = existingRun(project, runId);
    const canGoOn = hasCheckpoint(project.weightsFolder, runId);
    deathsInARow = epochs.length > epochsBefore ? 1 : deathsInARow + 1;
    const isOutOfMemory = outcome.kind === 'failed' && outcome.reason === 'out-of-memory';
    const isDeath = outcome.kind === 'died' || outcome.reason === 'device-lost';
    if (isOutOfMemory && plan.batchSize >= 2 * smallestBatch) {
      const batchSize = Math.floor(plan.batchSize / 2);
      goOnAfter(
        `Memory ran out in epoch ${epochs.length + 1} with ${plan.batchSize} images at once; it went on with ${batchSize}.`,
      );
      plan = { ...plan, batchSize };
      changePlan(project.db, runId, plan);
    } else if (isDeath && canGoOn && deathsInARow <= mostDeathsInARow && restarts < mostRestarts) {
      const what =
        outcome.kind === 'died' ? `The trainer ${howItEnded(outcome.exit)}` : 'The device that computes was lost';
      goOnAfter(`${what} in epoch ${epochs.length + 1}; a new one went on from the last full pass.`);
    } else if (outcome.kind === 'died') {
      throw new AppError('trainer', describeExit(outcome.exit, plan, canGoOn));
    } else {
      throw new (outcome.reason === 'diverged' ? DivergedRunError : AppError)('trainer', outcome.message);
    }
  }
}

/** Runs one process of the trainer to its end, from the checkpoint if there is one. Rejects when something cannot be stored. */
async function runTrainer(run: FollowedRun, pixels: PixelFile, weightsFile: string): Promise<Outcome> {
  const { project, samples, classIds, plan, runId, startWeights, engineFolder, signal } = run;
  const columns = new Map(classIds.map((classId, column) => [classId, column]));
  const labels = Int32Array.from(samples.classIds, (classId) => columns.get(classId) ?? 0);
  const flipEpochs = readFlipEpochs(project.db, runId);
  const view = createRunView({ plan, labels, ...(flipEpochs === null ? {} : { flipEpochs }) });
  const store = createEventStore(run, view);
  const trainer = startTrainerProcess({ nodePath: run.nodePath, program: run.trainerProgram });
  const stop = (): void => {
    trainer.post({ kind: 'cancel', runId });
    setTimeout(() => trainer.kill(), stopReason(signal).patience).unref();
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await new Promise<Outcome>((resolve, reject) => {
      trainer.onMessage((event) => {
        try {
          if (event.kind === 'done') resolve({ kind: 'done' });
          else if (event.kind === 'cancelled') resolve({ kind: 'stopped' });
          else if (event.kind === 'failed') resolve(event);
          else store(event);
          if (event.kind === 'epoch') trainer.post({ kind: 'stored', runId, epoch: event.epoch });
        } catch (error) {
          reject(error instanceof Error ? error : new Error(String(error)));
        }
      });
      void trainer.ended.then((exit) => resolve({ kind: 'died', exit }));
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
        checkpoint: {
          file: checkpointFile(project.weightsFolder, runId),
          resume: hasCheckpoint(project.weightsFolder, runId),
        },
        embed: true,
        engineFolder,
      });
    });
  } finally {
    signal.removeEventListener('abort', stop);
    await endTrainer(trainer);
  }
}

async function endTrainer(trainer: TrainerProcess): Promise<void> {
  trainer.kill();
  await trainer.ended;
}

function stopReason(signal: AbortSignal): StopReason {
  return signal.reason as StopReason;
}

/** Stores what a trainer reports and passes it on. */
function createEventStore(run: FollowedRun, view: RunView): (event: TrainerEvent) => void {
  const { project, runId, emit } = run;
  const known = new Set(existingRun(project, runId).epochs.map(({ epoch }) => epoch));
  let isFirst = true;
  return (event) => {
    if (event.kind === 'batch') emit(event);
    if (event.kind === 'embeddings') appendEmbeddings(project.db, event);
    if (event.kind !== 'epoch') return;
    // One that goes on first says again what its checkpoint holds, lest the service was killed before that was stored.
    const isKnown = isFirst && known.has(event.epoch);
    isFirst = false;
    if (isKnown) return;
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
    void removeOldCheckpoints(project.weightsFolder, runId);
  };
}

/** What the run believes about the labels after an epoch, as findings. */
function judge(
  { samples, classIds, plan, runId }: FollowedRun,
  view: RunView,
  epoch: number,
  { targets, average, abstention }: Beliefs,
): { doubts: number; beliefs: EpochBeliefs } {
  const judged = view.update(epoch, targets, average);
  const { scores, weights, labels } = judged;
  const flags = flagSamples(scores, labels);
  // Before E_s nothing has taught the model to abstain.
  const taught = epoch < plan.startEpoch ? null : abstention;
  const list = listFindings({ sampleIds: samples.ids, classIds, judged, flags, abstention: taught });
  const summary = explainFlags(flags, { runId, epoch, samples: labels.length });
  return { doubts: flags.count, beliefs: { targets, weights, findings: { list, summary } } };
}

function howItEnded({ code, signal }: TrainerExit): string {
  return signal === null ? `ended with code ${code ?? 'unknown'}` : `was ended by ${signal}`;
}

function describeExit(exit: TrainerExit, plan: TrainingPlan, canGoOn: boolean): string {
  const { signal, lastWords } = exit;
  const said = lastWords === '' ? 'It left no message.' : `Its last words: ${lastWords}`;
  const hint =
    signal === 'SIGKILL' || signal === 'SIGABRT'
      ? 'the system may have run out of memory; close other programs or choose a smaller budget.'
      : plan.engine === 'wasm'
        ? 'try a smaller budget.'
        : 'try the WebAssembly engine if this happens again.';
  const next = canGoOn ? 'Resume the training, or start it again' : 'Start the training again';
  return `The trainer ${howItEnded(exit)}. ${said} Everything up to the last full pass is kept. ${next}; ${hint}`;
}

export function existingRun(project: TrainingProject, runId: RunId): RunSummary {
  const run = runById(project.db, runId);
  if (run === null) throw new Error(`Run ${runId} is not stored.`);
  return describeRun(project, run);
}
