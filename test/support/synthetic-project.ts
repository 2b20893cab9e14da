/*
 * A project as an import, a training and some reviewing would have left it, of any size, in seconds: real image files, the real tables.
 * What the model believes is simulated (synthetic-run.ts); findings, flags and explanations are then computed by the app's own code.
 *
 *   node test/support/synthetic-project.ts OUT_FOLDER --samples 100000 [--classes 10] [--epochs 30] [--pictures FOLDER]
 *     [--home DATA_FOLDER] [--recipe sat | --untrained] [--decided 0] [--dimension 64] [--map] [--no-files] [--seed 1]
 *
 * OUT_FOLDER gets `images/<given label>/` and `synthetic.winnow`. A few hundred pictures are drawn, or taken from the class folders of
 * FOLDER, and linked under many names. With a data folder (WINNOW_HOME of the service that will open it) the cache of thumbnails is filled
 * too, as the import would have done.
 */
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { DecisionInput } from '../../shared/api.ts';
import {
  problemKinds,
  type EpochReport,
  type Finding,
  type Problem,
  type ProblemKind,
  type RunId,
  type SampleId,
  type TrainingPlan,
} from '../../shared/domain.ts';
import { requireRecipe } from '../../src-main/app/recipes.ts';
import { cacheFolderOf } from '../../src-main/app/projects.ts';
import { listFindings } from '../../src-main/domain/findings.ts';
import { explainFlags, flagSamples } from '../../src-main/domain/flags.ts';
import { planTraining } from '../../src-main/domain/plan.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { averagePredictions, createRunView, readsAverage } from '../../src-main/domain/run-view.ts';
import { networks } from '../../src-main/sat/models/networks.ts';

import { listClasses } from '../../src-main/store/class-list.ts';
import { inTransaction, openDatabase, type Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { appendEmbeddings } from '../../src-main/store/embeddings.ts';
import { writeFingerprints } from '../../src-main/store/fingerprints.ts';
import { writeProjectInfo } from '../../src-main/store/project-info.ts';
import { createRun, setRunStatus, trainingSamples } from '../../src-main/store/runs.ts';
import { medianSide } from '../../src-main/store/samples.ts';
import { appendEpoch } from '../../src-main/store/targets.ts';
import { applyImport } from './import-samples.ts';
import { createPredictor, drawAbstentions, drawEmbeddings, drawMap, type Nature } from './synthetic-run.ts';
import {
  drawFingerprints,
  fillThumbnails,
  linkPictures,
  planSamples,
  type SyntheticSample,
} from './synthetic-samples.ts';

export interface SyntheticProject {
  /** The `.winnow` file. */
  project: string;
  imageFolder: string;
}

export interface SyntheticOptions {
  /** Made if it is missing; must not hold such a project yet. */
  folder: string;
  samples: number;
  /** Ignored with `pictures`. */
  classes?: number;
  epochs?: number;
  /** A folder with one subfolder of pictures per class; without it they are drawn. */
  pictures?: string;
  /** The service's data folder, whose cache of thumbnails is to be filled. */
  home?: string;
  /** Of the run; null for a project that was imported and not trained on. */
  recipe?: string | null;
  /** Files that the import is to have listed as problems, at most as many as there are kinds. */
  problems?: number;
  /** Samples that somebody has decided already, the most doubtful first. */
  decided?: number;
  /** Of the embeddings. */
  dimension?: number;
  /** Whether the positions on the map are there already. */
  map?: boolean;
  /** Without image files, for projects of a million rows. */
  files?: boolean;
  seed?: number;
}

/** Deterministic: the same options give the same project, but for the files' times. */
export async function createSyntheticProject(options: SyntheticOptions): Promise<SyntheticProject> {
  const { classes = 10, pictures = null, files = true, seed = 1, epochs = 30, recipe = 'sat', decided = 0 } = options;
  const folder = path.resolve(options.folder);
  const project = path.join(folder, 'synthetic.winnow');
  const imageFolder = path.join(folder, 'images');
  if (existsSync(project)) throw new Error(`${project} is there already.`);
  mkdirSync(folder, { recursive: true });

  const { names, samples } = await planSamples({ folder, samples: options.samples, classes, pictures, files, seed });
  if (files) linkPictures(imageFolder, samples);
  if (options.home !== undefined) fillThumbnails(cacheFolderOf(project, options.home), samples);

  const db = openDatabase(project, { create: true });
  // A project that is half made is of no use, so nothing needs to survive a crash.
  db.pragma('synchronous = OFF');
  inTransaction(db, () => {
    writeProjectInfo(db, { name: 'synthetic', imageFolder, labels: null, createdAt: at(0) });
    const scanned = samples.map((sample) => ({
      ...sample.picture,
      path: sample.path,
      contentHash: sample.contentHash,
      givenClass: names[sample.label]!,
    }));
    applyImport(db, { scanned, problems: problemKinds.slice(0, options.problems ?? 0).map(problemOf) });
    writeFingerprints(db, drawFingerprints(samples, seed + 7));
    if (recipe === null) return;
    const nature = natureOf(names.length, samples);
    const { runId, doubtful } = storeRun(db, nature, { names, epochs, recipe, seed });
    const { dimension = 64, map = false } = options;
    storeEmbeddings(db, runId, drawEmbeddings(nature, dimension, seed + 4), dimension);
    if (map) storeMap(db, runId, drawMap(nature, seed + 5));
    decideSome(db, doubtful.slice(0, decided), createRandom(seed + 6));
  });
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  if (recipe !== null && requireRecipe(recipe).gives === 'encoder') standInForWeights(project);
  return { project, imageFolder };
}

function problemOf(kind: ProblemKind): Problem {
  const severity = kind === 'wrong-extension' ? 'warning' : 'error';
  return {
    path: `problems/${kind}.jpg`,
    kind,
    reason: 'Nothing is wrong; it is listed for the sake of the list.',
    severity,
  };
}

function natureOf(classes: number, samples: readonly SyntheticSample[]): Nature {
  const firstOfKin = new Map<number, number>();
  return {
    classes,
    truths: Int32Array.from(samples, ({ truth }) => truth),
    labels: Int32Array.from(samples, ({ label }) => label),
    difficulties: Float32Array.from(samples, ({ difficulty }) => difficulty),
    originals: Int32Array.from(samples, ({ kin }, i) => {
      if (!firstOfKin.has(kin)) firstOfKin.set(kin, i);
      return firstOfKin.get(kin)!;
    }),
  };
}

/** A finished run with what it believed after every epoch, if it believes anything; answers the flagged samples, worst first. */
function storeRun(
  db: Database,
  nature: Nature,
  options: { names: readonly string[]; epochs: number; recipe: string; seed: number },
): { runId: RunId; doubtful: SampleId[] } {
  const samples = trainingSamples(db);
  const idByName = new Map(listClasses(db).map(({ id, name }) => [name, id]));
  const classIds = options.names.map((name) => idByName.get(name)!);
  const plan = planRun(db, options, nature);
  const runId = createRun(db, { plan, classIds, samples, startedAt: at(60) });
  const predictor = createPredictor(nature, plan.epochs, options.seed + 1);
  const abstentions = plan.recipe === 'selective' ? drawAbstentions(nature, options.seed + 3) : null;
  const view = createRunView({ plan, labels: nature.labels });
  const targets = oneHot(nature);
  let average: Float32Array | null = null;
  const isEncoder = requireRecipe(plan.recipe).gives === 'encoder';
  let doubtful: SampleId[] = [];
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    if (isEncoder) {
      appendEpoch(db, { runId, report: reportWithoutLabels(plan, epoch), beliefs: null });
      continue;
    }
    const probabilities = predictor.after(epoch);
    if (epoch >= plan.startEpoch) moveTargets(targets, probabilities, plan.targetMomentum);
    average = averagePredictions(average, probabilities, plan);
    const judged = view.update(epoch, targets, readsAverage(plan, epoch) ? average : null);
    const flags = flagSamples(judged.scores, nature.labels);
    const isLast = epoch === plan.epochs - 1;
    const list = isLast
      ? [...listFindings({ sampleIds: samples.ids, classIds, judged, flags, abstention: abstentions })]
      : [];
    appendEpoch(db, {
      runId,
      report: reportEpoch(plan, epoch, probabilities, nature.labels, flags.count),
      beliefs: {
        targets,
        weights: judged.weights,
        findings: isLast
          ? { list, summary: explainFlags(flags, { runId, epoch, samples: nature.labels.length }) }
          : null,
      },
    });
    if (isLast) doubtful = worstFirst(list);
  }
  setRunStatus(db, { runId, status: 'done', endedAt: at(60 + plan.expectedSeconds) });
  return { runId, doubtful };
}

/** As the service would plan it on a small machine. */
function planRun(
  db: Database,
  { epochs, recipe, seed }: { epochs: number; recipe: string; seed: number },
  { truths, classes }: Nature,
): TrainingPlan {
  return planTraining({
    engine: 'tensorflow',
    gflops: 60,
    budget: 'balanced',
    seed,
    samples: truths.length,
    classes,
    medianSide: medianSide(db),
    recipe: requireRecipe(recipe),
    preset: null,
    overrides: { epochs, startEpoch: null, targetMomentum: null },
    startFrom: null,
    gflopPerImage: (network, width, resolution) => networks[network].gflop(width, resolution),
  });
}

function oneHot({ classes, labels }: Nature): Float32Array {
  const targets = new Float32Array(labels.length * classes);
  for (const [i, label] of labels.entries()) targets[i * classes + label] = 1;
  return targets;
}

/** t ← α·t + (1 − α)·p */
function moveTargets(targets: Float32Array, probabilities: Float32Array, momentum: number): void {
  for (let k = 0; k < targets.length; k++) targets[k] = momentum * targets[k]! + (1 - momentum) * probabilities[k]!;
}

function worstFirst(findings: readonly Finding[]): SampleId[] {
  return findings
    .filter(({ flagged }) => flagged)
    .sort((a, b) => b.score - a.score)
    .map(({ sampleId }) => sampleId);
}

function reportEpoch(
  plan: TrainingPlan,
  epoch: number,
  probabilities: Float32Array,
  labels: Int32Array,
  doubts: number,
): EpochReport {
  let loss = 0;
  let agreeing = 0;
  for (const [i, label] of labels.entries()) {
    const row = probabilities.subarray(i * plan.classes, (i + 1) * plan.classes);
    loss -= Math.log(row[label]!);
    if (row.every((value) => value <= row[label]!)) agreeing++;
  }
  const accuracy = agreeing / labels.length;
  return { ...progressOf(plan, epoch), loss: loss / labels.length, accuracy, spread: null, doubts };
}

/** Of self-supervision: what it has learned is told by its spread alone. */
function reportWithoutLabels(plan: TrainingPlan, epoch: number): EpochReport {
  const learned = 1 - Math.exp((-4 * (epoch + 1)) / plan.epochs);
  return { ...progressOf(plan, epoch), loss: -0.9 * learned, accuracy: null, spread: 0.4 + 0.5 * learned, doubts: 0 };
}

function progressOf(
  plan: TrainingPlan,
  epoch: number,
): Pick<EpochReport, 'epoch' | 'learningRate' | 'imagesPerSecond' | 'seconds' | 'secondsLeft'> {
  const done = (epoch + 1) / plan.epochs;
  return {
    epoch,
    learningRate: plan.learningRate * (1 - Math.abs(2 * done - 0.6) / 1.4),
    imagesPerSecond: (plan.samples * plan.epochs) / plan.expectedSeconds,
    seconds: plan.expectedSeconds * done,
    secondsLeft: plan.expectedSeconds * (1 - done),
  };
}

/** The window asks whether there are weights to start from, not what is in them; no training can start from these. */
function standInForWeights(project: string): void {
  mkdirSync(`${project}-weights`);
  writeFileSync(path.join(`${project}-weights`, 'run-1.safetensors'), '');
}

/** Samples whose embeddings are stored in one part. */
const embeddingPart = 8192;

function storeEmbeddings(db: Database, runId: RunId, embeddings: Float32Array, dimension: number): void {
  for (let start = 0; start * dimension < embeddings.length; start += embeddingPart) {
    const values = embeddings.subarray(start * dimension, (start + embeddingPart) * dimension);
    appendEmbeddings(db, { runId, start, dimension, values });
  }
}

function storeMap(db: Database, runId: RunId, positions: Float32Array): void {
  db.prepare('INSERT INTO map (run_id, positions) VALUES (?, ?)').run(
    runId,
    Buffer.from(positions.buffer, positions.byteOffset, positions.byteLength),
  );
}

/** Two people work through them, a few seconds each, with a night's pause after every 400. */
function decideSome(db: Database, ids: readonly SampleId[], random: Random): void {
  let seconds = 86_400;
  for (const [i, id] of ids.entries()) {
    seconds += i % 400 === 399 ? 60_000 : 1 + 4 * random.next();
    const decidedBy = i % 400 < 250 ? 'Ada' : 'Grace';
    decide(db, { sampleIds: [id], decision: drawDecision(random), decidedAt: at(seconds), decidedBy });
  }
}

function drawDecision(random: Random): DecisionInput {
  const chance = random.next();
  if (chance < 0.75) return { kind: 'accept-suggestion' };
  if (chance < 0.9) return { kind: 'confirm' };
  return { kind: chance < 0.95 ? 'drop' : 'skip' };
}

/** Seconds after a Monday morning, as ISO. */
function at(seconds: number): string {
  return new Date(Date.UTC(2026, 0, 5, 9) + seconds * 1000).toISOString();
}

if (import.meta.main) {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      samples: { type: 'string', default: '1000' },
      classes: { type: 'string', default: '10' },
      epochs: { type: 'string', default: '30' },
      pictures: { type: 'string' },
      home: { type: 'string' },
      recipe: { type: 'string', default: 'sat' },
      untrained: { type: 'boolean', default: false },
      decided: { type: 'string', default: '0' },
      dimension: { type: 'string', default: '64' },
      map: { type: 'boolean', default: false },
      'no-files': { type: 'boolean', default: false },
      seed: { type: 'string', default: '1' },
    },
  });
  const [folder] = positionals;
  if (folder === undefined) throw new Error('Usage: node test/support/synthetic-project.ts OUT_FOLDER --samples N …');
  const started = performance.now();
  const { project } = await createSyntheticProject({
    folder,
    samples: Number(values.samples),
    classes: Number(values.classes),
    epochs: Number(values.epochs),
    ...(values.pictures === undefined ? {} : { pictures: values.pictures }),
    ...(values.home === undefined ? {} : { home: values.home }),
    recipe: values.untrained ? null : values.recipe,
    decided: Number(values.decided),
    dimension: Number(values.dimension),
    map: values.map,
    files: !values['no-files'],
    seed: Number(values.seed),
  });
  console.log(`${project} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
