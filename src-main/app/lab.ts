import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import sharp from 'sharp';
import type { EngineChoice, EngineReport } from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError } from '../../shared/result.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import type { EngineFacts, Experiment, LabPreset, LabTraining, TrainingResult } from '../lab/experiment.ts';
import type { Figure } from '../lab/figure.ts';
import { confusionIndices } from '../lab/noise.ts';
import { reportMarkdown, type LabReport } from '../lab/report.ts';
import { tableToCsv } from '../lab/table.ts';
import { createEngines } from './engines.ts';
import {
  fingerprintOf,
  prepareTrainingData,
  scanLabData,
  selectImages,
  type LabDataRequest,
  type PrepareOptions,
} from './lab-data.ts';
import { runLabTraining } from './lab-training.ts';
import { writeFileAtomically } from './write-file.ts';

export interface LabRequest extends LabDataRequest {
  experiment: Experiment;
  /** With what was set by hand. */
  preset: LabPreset;
  engine: EngineChoice;
  /** Folder for the report; one that this experiment wrote to before is continued. */
  out: string;
  /** What was typed, for the report. */
  command: string;
}

export interface LabOptions {
  version: string;
  dataFolder: string;
  nodePath: string;
  trainerProgram: string;
  logger: Logger;
  onProgress: (progress: LabProgress) => void;
  /** Ends the current training without keeping it; earlier ones are kept and reported. */
  signal: AbortSignal;
}

/** `position` counts from 1. */
export type LabProgress =
  | { kind: 'preparing'; done: number; total: number }
  | {
      kind: 'training';
      training: LabTraining;
      position: number;
      total: number;
      /** Epochs done, with the share of the current one as its fraction. */
      epochs: number;
      loss: number;
      /** Of the whole experiment. */
      secondsLeft: number;
    }
  | { kind: 'finished'; result: TrainingResult; isReused: boolean; position: number; total: number };

/**
 * Runs the trainings of an experiment one after the other and writes its tables, figures and report. Every training is stored as
 * soon as it has ended, and is not run again when the same experiment is started once more. Throws `AppError` where a training
 * fails other than by diverging, after reporting those that are finished.
 */
export async function runLab(request: LabRequest, options: LabOptions): Promise<LabReport> {
  const { experiment, preset, out } = request;
  const { signal, onProgress } = options;
  const data = await scanLabData(request, options.logger);
  const trainings = experiment.trainings(preset);
  const parts = [
    selectImages(data.training, data.classes.length, preset.samples),
    selectImages(data.heldOut, data.classes.length, preset.testSamples),
  ] as const;
  for (const { noise } of trainings) if (noise.kind === 'asymmetric') confusionIndices(noise.confusion, data.classes);
  await claimFolder(out, experiment.name);
  const engines = createEngines(options);
  const engine = factsOf(await engines.describe((await engines.choose(request.engine)).name));
  const preparing: PrepareOptions = {
    cacheFolder: path.join(out, 'cache'),
    onProgress: (done, total) => onProgress({ kind: 'preparing', done, total }),
    signal,
  };
  const fingerprint = await fingerprintOf(data.classes, parts, preset.settings.resolution, preparing);

  const results: TrainingResult[] = [];
  let failure: Error | null = null;
  for (const [index, training] of trainings.entries()) {
    if (signal.aborted) break;
    const place = { position: index + 1, total: trainings.length };
    const key: TrainingKey = { format: 2, version: options.version, engine, data: fingerprint, training };
    const file = path.join(out, 'trainings', `${training.name}-${hashOf(key)}.json`);
    const stored = await readStored(file, key);
    if (stored !== null) {
      results.push(stored);
      onProgress({ kind: 'finished', result: stored, isReused: true, ...place });
      continue;
    }
    try {
      const trainingData = await prepareTrainingData(data, training, preparing);
      const clock = createClock(results, trainings.length - index);
      const result = await runLabTraining({
        training,
        data: trainingData,
        classes: data.classes.length,
        engine: engine.name,
        engineFolder: engines.folder,
        nodePath: options.nodePath,
        trainerProgram: options.trainerProgram,
        onEvent: (event) => {
          if (event.kind !== 'batch') return;
          const epochs = event.epoch + event.fraction;
          onProgress({ kind: 'training', training, ...place, epochs, loss: event.loss, secondsLeft: clock(event) });
        },
        signal,
      });
      await writeFileAtomically(file, `${JSON.stringify({ key, result }, null, 1)}\n`);
      results.push(result);
      onProgress({ kind: 'finished', result, isReused: false, ...place });
    } catch (error) {
      const isCancelled = error instanceof AppError && error.code === 'cancelled';
      if (!isCancelled) failure = error instanceof Error ? error : new Error(String(error));
      break;
    }
  }
  const done = new Set(results.map(({ training }) => training.name));
  const summary = experiment.summarise(results, preset, { classes: data.classes });
  const report: LabReport = {
    experiment: experiment.name,
    sentence: experiment.sentence,
    version: options.version,
    command: request.command,
    preset,
    engines: distinctEngines(results),
    data: {
      classes: data.classes,
      samples: parts[0].files.length,
      testSamples: parts[1].files.length,
      fingerprint,
    },
    trainings: results,
    missing: trainings.map(({ name }) => name).filter((name) => !done.has(name)),
    tables: summary.tables,
    figures: summary.figures.map(({ name, title }) => ({ name, title })),
    findings: summary.findings,
    seconds: results.reduce((sum, { seconds }) => sum + seconds, 0),
  };
  if (results.length > 0) await writeReport(out, report, summary.figures);
  if (failure !== null) throw failure;
  return report;
}

/** Of an SVG drawn at its own size. */
const pixelsPerInch = 72;
const markerName = 'lab.json';

/** All that decides a training's result. */
interface TrainingKey {
  format: 2;
  /** Of Winnow. */
  version: string;
  engine: EngineFacts;
  /** Fingerprint. */
  data: string;
  training: LabTraining;
}

async function writeReport(out: string, report: LabReport, figures: readonly Figure[]): Promise<void> {
  for (const table of report.tables) await writeFileAtomically(path.join(out, `${table.name}.csv`), tableToCsv(table));
  // Here and not above, because it is much code that every other command would load in vain.
  const { drawFigure } = await import('../lab/draw.ts');
  for (const figure of figures) {
    const svg = drawFigure(figure);
    await writeFileAtomically(path.join(out, `${figure.name}.svg`), svg);
    const png = await sharp(Buffer.from(svg), { density: 2 * pixelsPerInch })
      .png()
      .toBuffer();
    await writeFileAtomically(path.join(out, `${figure.name}.png`), png);
  }
  await writeFileAtomically(path.join(out, 'report.json'), `${JSON.stringify(report, null, 1)}\n`);
  await writeFileAtomically(path.join(out, 'report.md'), reportMarkdown(report));
}

function factsOf({ name, device, version }: EngineReport): EngineFacts {
  return { name, device, version };
}

/** What really computed, as the trainer said at each start. */
function distinctEngines(results: readonly TrainingResult[]): EngineFacts[] {
  return [...new Map(results.map(({ engine }) => [JSON.stringify(engine), engine])).values()];
}

/** A folder is the lab's own when it is new, or when the marker says that the same experiment made it. Nothing else is written to. */
async function claimFolder(out: string, experiment: string): Promise<void> {
  await mkdir(out, { recursive: true });
  const marker = path.join(out, markerName);
  const content = await readFile(marker, 'utf8').catch(() => null);
  if (content === null) {
    if ((await readdir(out)).length > 0)
      throw new AppError(
        'already-exists',
        `${out} is not empty. Name a new folder with --out, or one of an earlier run.`,
      );
    await writeFileAtomically(marker, `${JSON.stringify({ experiment })}\n`);
    return;
  }
  if (!isDeepStrictEqual(parseJson(content), { experiment }))
    throw new AppError('already-exists', `${out} holds another experiment. Name a new folder with --out.`);
}

function hashOf(key: TrainingKey): string {
  return createHash('sha256').update(JSON.stringify(key, sortedFields)).digest('hex').slice(0, 8);
}

/** The order in which fields were written down is no difference between trainings. */
function sortedFields(_name: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** Null when the training was not run yet, or with other numbers. */
async function readStored(file: string, key: TrainingKey): Promise<TrainingResult | null> {
  const stored = parseJson(await readFile(file, 'utf8').catch(() => '')) as {
    key: TrainingKey;
    result: TrainingResult;
  } | null;
  return stored !== null && isDeepStrictEqual(stored.key, key) ? stored.result : null;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Seconds that the experiment still takes: trainings to come count as the average of those that ended, or as the current one. */
function createClock(
  results: readonly TrainingResult[],
  remaining: number,
): (event: Extract<TrainerEvent, { kind: 'batch' }>) => number {
  const began = performance.now();
  const ended = results.filter(({ error }) => error === null);
  const average = ended.reduce((sum, { seconds }) => sum + seconds, 0) / ended.length;
  return ({ secondsLeft }) => {
    const current = (performance.now() - began) / 1000 + secondsLeft;
    return secondsLeft + (remaining - 1) * (ended.length === 0 ? current : average);
  };
}
