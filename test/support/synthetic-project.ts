/*
 * A project as an import, a training and some reviewing would have left it, of any size, in seconds: real image files, the real tables.
 * What the model believes is simulated (synthetic-run.ts); findings, flags and explanations are then computed by the app's own code.
 *
 *   node test/support/synthetic-project.ts OUT_FOLDER --samples 100000 [--classes 10] [--epochs 30] [--pictures FOLDER]
 *     [--home DATA_FOLDER] [--recipe sat] [--decided 0] [--dimension 64] [--map] [--no-files] [--seed 1]
 *
 * OUT_FOLDER gets `images/<given label>/` and `synthetic.winnow`. A few hundred pictures are drawn, or taken from the class folders of
 * FOLDER, and linked under many names. With a data folder (WINNOW_HOME of the service that will open it) the cache of thumbnails is filled
 * too, as the import would have done.
 */
import { hash } from 'node:crypto';
import { copyFileSync, existsSync, linkSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import type { DecisionInput } from '../../shared/api.ts';
import type { EpochReport, Finding, RunId, SampleId, TrainingPlan } from '../../shared/domain.ts';
import { cacheFolderOf } from '../../src-main/app/projects.ts';
import { explainFlags, flagSamples, type Flags } from '../../src-main/domain/flags.ts';
import { planTraining } from '../../src-main/domain/plan.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { createRunView, type EpochView } from '../../src-main/domain/run-view.ts';
import { networks } from '../../src-main/sat/models/networks.ts';
import { recipeByName } from '../../src-main/sat/recipes/registry.ts';
import { listClasses } from '../../src-main/store/classes.ts';
import { inTransaction, openDatabase, type Database } from '../../src-main/store/database.ts';
import { decide } from '../../src-main/store/decisions.ts';
import { appendEmbeddings } from '../../src-main/store/embeddings.ts';
import { writeProjectInfo } from '../../src-main/store/project-info.ts';
import { createRun, setRunStatus, trainingSamples, type TrainingSample } from '../../src-main/store/runs.ts';
import { applyImport, medianSide } from '../../src-main/store/samples.ts';
import { appendEpoch } from '../../src-main/store/targets.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';
import { drawnClassNames, drawPictures, readClassFolders, type Picture } from './synthetic-pictures.ts';
import {
  createPredictor,
  drawAbstentions,
  drawEmbeddings,
  drawMap,
  lookAlikeOf,
  type Nature,
} from './synthetic-run.ts';

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
  recipe?: string;
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
  const { folder, samples: count, seed = 1, epochs = 30, recipe = 'sat', dimension = 64, files = true } = options;
  const project = path.join(path.resolve(folder), 'synthetic.winnow');
  const imageFolder = path.join(path.resolve(folder), 'images');
  if (existsSync(project)) throw new Error(`${project} is there already.`);
  mkdirSync(folder, { recursive: true });

  const { names, samples } = await planSamples(options, count, seed);
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
    applyImport(db, { scanned, problems: [] });
    const nature = natureOf(names.length, samples);
    const run = storeRun(db, nature, { names, epochs, recipe, seed });
    storeEmbeddings(db, run.id, drawEmbeddings(nature, dimension, seed + 4), dimension);
    if (options.map === true) storeMap(db, run.id, drawMap(nature, seed + 5));
    decideSome(db, run.doubtful.slice(0, options.decided ?? 0), createRandom(seed + 6));
  });
  db.pragma('wal_checkpoint(TRUNCATE)');
  db.close();
  return { project, imageFolder };
}

interface SyntheticSample {
  /** `<given label>/<number>.jpg` */
  path: string;
  picture: Picture;
  contentHash: string;
  /** Class indexes. */
  truth: number;
  label: number;
  difficulty: number;
  /** Samples of the same kin are takes of one picture. */
  kin: number;
}

const wrongShare = 0.08;
/** Share of the wrong labels that name the look-alike; the rest name any other class. */
const lookAlikeShare = 0.7;
/** Share of the samples that repeat the one before them, as it is or nearly so. */
const identicalShare = 0.004;
const nearShare = 0.008;
const picturesPerClass = 40;

/** In the order in which an import would find them. */
async function planSamples(
  options: SyntheticOptions,
  count: number,
  seed: number,
): Promise<{ names: string[]; samples: SyntheticSample[] }> {
  const found = options.pictures === undefined ? null : await readClassFolders(options.pictures);
  const names = found?.names ?? drawnClassNames(options.classes ?? 10);
  if (names.length < 2) throw new Error('A project needs at least two classes.');
  const random = createRandom(seed);
  // Some classes are rarer than others, down to half of the most frequent.
  const shares = names.map((_, index) => 1 - (0.5 * index) / (names.length - 1));
  const truths = Int32Array.from({ length: count }, (_, i) => (i < names.length ? i : pick(shares, random)));
  const counts = names.map((_, index) => truths.reduce((sum, truth) => sum + (truth === index ? 1 : 0), 0));
  const pictures =
    found?.pictures ??
    (await drawPictures(
      path.join(options.folder, 'pictures'),
      counts.map((ofClass) => Math.min(ofClass, picturesPerClass)),
      seed,
    ));
  const used = names.map(() => 0);
  const samples: SyntheticSample[] = [];
  for (const [i, ownTruth] of truths.entries()) {
    const before = samples[i - 1];
    const repeats = before === undefined ? 1 : random.next();
    const original = repeats < identicalShare + nearShare ? before : undefined;
    const truth = original?.truth ?? ownTruth;
    const label = random.next() < wrongShare ? wrongLabel(truth, names.length, random) : truth;
    const turn = used[truth]!++;
    const available = pictures[truth]!;
    const picture = original?.picture ?? available[turn % available.length]!;
    samples.push({
      path: `${names[label]!}/${String(i + 1).padStart(7, '0')}${path.extname(picture.file)}`,
      picture,
      contentHash:
        original !== undefined && repeats < identicalShare
          ? original.contentHash
          : hashOfCopy(picture, Math.floor(turn / available.length), original === undefined ? '' : String(i)),
      truth,
      label,
      difficulty: original?.difficulty ?? random.next() ** 4,
      kin: original?.kin ?? i,
    });
  }
  samples.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { names, samples };
}

/**
 * The same bytes serve many samples, but each has a hash of its own, as files of their own would: it has its own thumbnail in the cache and its
 * own image address, and counts as nobody's duplicate. The first use of a picture has the file's true hash.
 */
function hashOfCopy({ contentHash }: Picture, copy: number, take: string): string {
  return copy === 0 && take === '' ? contentHash : hash('sha256', `${contentHash} ${copy} ${take}`);
}

function wrongLabel(truth: number, classes: number, random: Random): number {
  if (random.next() < lookAlikeShare) return lookAlikeOf(truth, classes);
  return (truth + 1 + random.integer(classes - 1)) % classes;
}

function pick(shares: readonly number[], random: Random): number {
  let rest = random.next() * shares.reduce((sum, share) => sum + share, 0);
  return Math.max(
    0,
    shares.findIndex((share) => (rest -= share) < 0),
  );
}

function linkPictures(imageFolder: string, samples: readonly SyntheticSample[]): void {
  const folders = new Set(samples.map((sample) => path.dirname(sample.path)));
  for (const folder of folders) mkdirSync(path.join(imageFolder, folder), { recursive: true });
  for (const { path: file, picture } of samples) {
    const target = path.join(imageFolder, file);
    try {
      linkSync(picture.file, target);
    } catch {
      // Another disk, or no more links to that file.
      copyFileSync(picture.file, target);
    }
  }
}

/** Thumbnails written in one transaction. */
const thumbnailBatch = 1000;

function fillThumbnails(cacheFolder: string, samples: readonly SyntheticSample[]): void {
  const cache = openThumbnailCache(cacheFolder);
  const thumbnails = samples.flatMap(({ contentHash, picture: { thumbnail } }) =>
    thumbnail === null ? [] : [{ contentHash, bytes: thumbnail }],
  );
  for (let from = 0; from < thumbnails.length; from += thumbnailBatch) {
    cache.put(thumbnails.slice(from, from + thumbnailBatch));
  }
  cache.close();
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

/** A finished run with the targets of all its epochs and the findings of the last; answers the flagged samples, worst first. */
function storeRun(
  db: Database,
  nature: Nature,
  options: { names: readonly string[]; epochs: number; recipe: string; seed: number },
): { id: RunId; doubtful: SampleId[] } {
  const samples = trainingSamples(db);
  const idByName = new Map(listClasses(db).map(({ id, name }) => [name, id]));
  const classIds = options.names.map((name) => idByName.get(name)!);
  const plan = planRun(db, options, nature);
  const runId = createRun(db, { plan, classIds, samples, startedAt: at(60) });
  const predictor = createPredictor(nature, plan.epochs, options.seed + 1);
  const abstentions = plan.recipe === 'selective' ? drawAbstentions(nature, options.seed + 3) : null;
  const view = createRunView({ plan, labels: nature.labels });
  const targets = oneHot(nature);
  let doubtful: SampleId[] = [];
  for (let epoch = 0; epoch < plan.epochs; epoch++) {
    const probabilities = predictor.after(epoch);
    if (epoch >= plan.startEpoch) moveTargets(targets, probabilities, plan.targetMomentum);
    const judged = view.update(epoch, targets, probabilities);
    const flags = flagSamples(judged.scores, nature.labels);
    const isLast = epoch === plan.epochs - 1;
    const list = isLast ? findingsOf({ samples, classIds, judged, flags, abstentions }) : [];
    appendEpoch(db, {
      runId,
      report: reportEpoch(plan, epoch, probabilities, nature.labels, flags.count),
      beliefs: {
        targets,
        weights: judged.weights,
        findings: isLast ? { list, summary: explainFlags(flags, { runId, epoch, samples: samples.length }) } : null,
      },
    });
    if (isLast) doubtful = worstFirst(list);
  }
  setRunStatus(db, { runId, status: 'done', endedAt: at(60 + plan.expectedSeconds) });
  return { id: runId, doubtful };
}

/** As the service would plan it on a small machine. */
function planRun(
  db: Database,
  { epochs, recipe, seed }: { epochs: number; recipe: string; seed: number },
  { truths, classes }: Nature,
): TrainingPlan {
  const known = recipeByName(recipe);
  if (known === null || known.gives === 'encoder') throw new Error(`${recipe} is no recipe that finds doubts.`);
  return planTraining({
    engine: 'tensorflow',
    gflops: 60,
    budget: 'balanced',
    seed,
    samples: truths.length,
    classes,
    medianSide: medianSide(db),
    recipe: known,
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

function findingsOf({
  samples,
  classIds,
  judged: { scores, flipEpochs },
  flags,
  abstentions,
}: {
  samples: readonly TrainingSample[];
  classIds: readonly number[];
  judged: EpochView;
  flags: Flags;
  abstentions: Float32Array | null;
}): Finding[] {
  return samples.map(({ id }, i) => ({
    sampleId: id,
    suggestedClassId: classIds[scores.suggested[i]!]!,
    score: scores.score[i]!,
    weight: scores.weight[i]!,
    givenTarget: scores.givenTarget[i]!,
    suggestedTarget: scores.suggestedVote[i]!,
    flipEpoch: flipEpochs[i] === -1 ? null : flipEpochs[i]!,
    flagged: flags.flagged[i] === 1,
    abstention: abstentions?.[i] ?? null,
  }));
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
  const done = (epoch + 1) / plan.epochs;
  return {
    epoch,
    loss: loss / labels.length,
    accuracy: agreeing / labels.length,
    spread: null,
    learningRate: plan.learningRate * (1 - Math.abs(2 * done - 0.6) / 1.4),
    imagesPerSecond: (plan.samples * plan.epochs) / plan.expectedSeconds,
    seconds: plan.expectedSeconds * done,
    secondsLeft: plan.expectedSeconds * (1 - done),
    doubts,
  };
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

/** Somebody works through them, a few seconds each, with a night's pause after every 400. */
function decideSome(db: Database, ids: readonly SampleId[], random: Random): void {
  let seconds = 86_400;
  for (const [i, id] of ids.entries()) {
    seconds += i % 400 === 399 ? 60_000 : 1 + 4 * random.next();
    decide(db, { sampleIds: [id], decision: drawDecision(random), decidedAt: at(seconds) });
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
    recipe: values.recipe,
    decided: Number(values.decided),
    dimension: Number(values.dimension),
    map: values.map,
    files: !values['no-files'],
    seed: Number(values.seed),
  });
  console.log(`${project} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
}
