import * as v from 'valibot';
import {
  budgets,
  engineNames,
  reviewStates,
  type ActionId,
  type ClassId,
  type ClassSummary,
  type Cluster,
  type ConfusedPair,
  type EmbeddingMap,
  type EngineChoice,
  type EngineReport,
  type EpochReport,
  type FindingsSummary,
  type HistoryEntry,
  type Neighbour,
  type Overview,
  type Prepared,
  type Problem,
  type RecipeSummary,
  type ReviewState,
  type RunId,
  type RunSummary,
  type SampleCard,
  type SampleDetail,
  type SampleId,
  type TrainingPlan,
  type Triage,
} from './domain.ts';
import type { Result } from './result.ts';

/*
 * Seam 1: everything the window (and any other client) can ask of the service. One interface; the
 * client, the server, and the check of every input derive from it, so a missing handler or schema
 * does not compile. All inputs are one object, all answers are plain structured-clonable data.
 */

export interface Api {
  // The host
  getAppInfo(input: Empty): AppInfo;
  /** Folders and projects under a path, for hosts without native dialogs. */
  listFolder(input: { path: string | null; showFiles: boolean }): FolderListing;
  /** Native dialogs; `unavailable` where the host has none (then the client uses `listFolder`). */
  chooseFolder(input: { title: string }): Choice;
  chooseProjectFile(input: Empty): Choice;
  chooseSavePath(input: { title: string; suggestedName: string }): Choice;

  /** What a person has set for every project on this machine. */
  getSettings(input: Empty): Settings;
  /** Replaces the given settings, and keeps the others. */
  saveSettings(input: SettingsChange): Settings;

  // Projects
  listRecentProjects(input: Empty): RecentProject[];
  forgetRecentProject(input: { path: string }): null;
  /** Where a project for this folder would be written by default. */
  suggestProjectPath(input: { folder: string }): { path: string; exists: boolean };
  /** Reads the folder into a new or an existing project and opens it. Reports `importProgress`. */
  importFolder(input: ImportRequest): ImportSummary;
  cancelImport(input: Empty): null;
  openProject(input: { path: string }): ProjectSummary;
  closeProject(input: Empty): null;
  getProject(input: Empty): ProjectSummary | null;
  /** Points the project to the place its image folder has moved to. */
  relocateImages(input: { folder: string }): ProjectSummary;
  listProblems(input: { offset: number; limit: number }): { total: number; problems: Problem[] };

  // Training
  listEngines(input: { measure: boolean }): EngineReport[];
  /** Variants of training, the usual one first. */
  listRecipes(input: Empty): RecipeOffer[];
  planTraining(input: TrainingRequest): TrainingPlan;
  /** Starts a run and returns at once; `training` events follow. */
  startTraining(input: TrainingRequest): RunSummary;
  /** Ends the run that is going on so that it can go on later from where it is. */
  pauseTraining(input: Empty): null;
  /** Ends it and keeps what it has learned. */
  cancelTraining(input: Empty): null;
  /** Goes on with the run that `getResumableRun` names, on the images and labels it began with; returns at once, as `startTraining`. */
  resumeTraining(input: { runId: RunId }): RunSummary;
  /** The newest run, running or ended. */
  getRun(input: Empty): RunSummary | null;
  /** The run that can go on, also when a newer one came to nothing. */
  getResumableRun(input: Empty): RunSummary | null;

  // Findings and review
  getFindings(input: Empty): FindingsSummary | null;
  /** Of the run whose findings are shown; null when there are none. */
  getTriage(input: Empty): Triage | null;
  /** The samples most alike by the newest run's embeddings, most alike first; empty when no run has stored any. */
  listNeighbours(input: { id: SampleId; limit: number }): Neighbour[];
  /** The samples of a class that show best what it is: decided on by a person first, then those the model is surest of. */
  listExemplars(input: { classId: ClassId; limit: number }): SampleCard[];
  /** Every pair of given and suggested label that differ, among the samples that match; most frequent first. */
  listPairs(input: { filter: QueueFilter }): ConfusedPair[];
  /** Groups of nearly identical samples, those whose labels differ first, then the largest. Made when first asked for. */
  listClusters(input: { filter: QueueFilter }): Prepared<Cluster[]>;
  /** The map of the newest run with embeddings. Made when first asked for. */
  getMap(input: Empty): Prepared<EmbeddingMap>;
  getOverview(input: Empty): Overview;
  /** Ids of all samples that match, in order; the client fetches cards as they come into view. */
  queryQueue(input: QueueQuery): Queue;
  getSamples(input: { ids: SampleId[] }): SampleCard[];
  getSample(input: { id: SampleId }): SampleDetail;
  /** Applies one decision to all the samples as one undoable action; on disk when it answers. */
  decide(input: { sampleIds: SampleId[]; decision: DecisionInput }): ReviewChange;
  undo(input: Empty): ReviewChange | null;
  redo(input: Empty): ReviewChange | null;
  /** Changes classes as one undoable action. */
  editClass(input: ClassEdit): ReviewChange;
  /** Actions before this one, newest first; null starts at the newest. Of one reviewer, or of everybody where that is null. */
  listHistory(input: { before: ActionId | null; limit: number; author: string | null }): HistoryPage;
  /** Undoes or redoes until this action is the newest that stands; null undoes everything. */
  jumpTo(input: { actionId: ActionId | null }): ReviewChange;

  // Export
  exportLabels(input: ExportRequest): ExportSummary;
}

export interface ApiEvents {
  importProgress: ImportProgress;
  training: TrainingEvent;
  /** Something changed that the whole window shows: a project was opened or closed, by this client or another. */
  projectChanged: ProjectSummary | null;
  /** A decision was made, undone or redone by any client. */
  reviewChanged: ReviewChange;
  settingsChanged: Settings;
  /** How far something that is `Prepared` is; when `finished`, ask for it again. */
  preparation: Preparation;
}

export type Empty = Record<string, never>;

export interface AppInfo {
  name: 'Winnow';
  version: string;
  host: 'electron' | 'server' | 'cli';
  homeFolder: string;
  pathSeparator: string;
}

export interface Settings {
  /** Who decides on this machine; stands in the history. */
  reviewer: string;
  /** Keys that a person has set, by command; commands that are missing keep their usual keys. See src-renderer/keys. */
  keys: Record<string, string[]>;
}

export type SettingsChange = { [K in keyof Settings]?: Settings[K] | undefined };

export interface Preparation {
  what: 'map' | 'clusters';
  done: number;
  total: number;
  finished: boolean;
}

export interface FolderListing {
  path: string;
  parent: string | null;
  folders: string[];
  /** `*.winnow` projects, plus CSV files when `showFiles` is set; names, not paths. */
  files: string[];
  /** Images directly inside, to show that this is a class folder; counted up to 1000. */
  images: number;
}

export type Choice = { kind: 'chosen'; path: string } | { kind: 'cancelled' } | { kind: 'unavailable' };

export interface RecentProject {
  path: string;
  name: string;
  openedAt: string;
  samples: number;
  reviewed: number;
  missing: boolean;
}

/** A CSV that names the label of every file. */
export interface LabelsFile {
  file: string;
  fileColumn: string;
  labelColumn: string;
}

export interface ImportRequest {
  folder: string;
  projectPath: string;
  labels: LabelsFile | null;
}

export interface ImportProgress {
  phase: 'scanning' | 'reading' | 'saving';
  done: number;
  /** Null while it is not known yet. */
  total: number | null;
  imagesPerSecond: number;
  secondsLeft: number | null;
  problems: number;
}

export interface ImportSummary {
  project: ProjectSummary;
  added: number;
  changed: number;
  moved: number;
  gone: number;
  unchanged: number;
  problems: number;
  /** Pairs of files with the same content but different labels. */
  conflictingDuplicates: number;
  seconds: number;
}

export interface ProjectSummary {
  path: string;
  name: string;
  imageFolder: string;
  imageFolderMissing: boolean;
  samples: number;
  /** Known samples whose file is no longer there; their decisions are kept. */
  goneSamples: number;
  classes: ClassSummary[];
  problems: number;
  review: ReviewCounts;
  latestRun: RunSummary | null;
  undoLabel: string | null;
  redoLabel: string | null;
  /** Everybody who has decided something, by name; without the empty one. */
  reviewers: string[];
}

export type ReviewCounts = Record<ReviewState, number>;

export interface TrainingRequest {
  budget: 'quick' | 'balanced' | 'thorough';
  engine: EngineChoice;
  seed: number;
  /** Name of a recipe; see `listRecipes`. */
  recipe: string;
  /** A run whose encoder the network starts from (`pretrain`, say); null starts from random weights. */
  startFrom: RunId | null;
  /** Name of published settings that take the place of the budget's; null plans for the budget. */
  preset: string | null;
  /** Numbers set by hand; null leaves them to the plan. */
  overrides: TrainingOverrides;
}

export interface TrainingOverrides {
  epochs: number | null;
  /** E_s, from 0. */
  startEpoch: number | null;
  /** α, in (0, 1). */
  targetMomentum: number | null;
}

/** A recipe, and whether it suits the open project particularly. */
export interface RecipeOffer extends RecipeSummary {
  /** One sentence for why it is suggested for this project; null when it is not. */
  suggestedBecause: string | null;
}

export type TrainingEvent =
  | { kind: 'preparing'; run: RunSummary; done: number; total: number }
  | {
      kind: 'batch';
      runId: number;
      epoch: number;
      fraction: number;
      loss: number;
      imagesPerSecond: number;
      secondsLeft: number;
    }
  | { kind: 'epoch'; runId: number; report: EpochReport }
  /** Its images are ready and it trains, or something was noted. */
  | { kind: 'changed'; run: RunSummary }
  | { kind: 'ended'; run: RunSummary };

export interface QueueQuery {
  filter: QueueFilter;
  /** `abstention`: what the model would rather not decide first; by doubt where the run has no abstention. */
  sort: 'doubt' | 'abstention' | 'confidence' | 'path' | 'decided';
}

/** Empty arrays and nulls do not restrict. */
export interface QueueFilter {
  states: ReviewState[];
  givenClassIds: ClassId[];
  suggestedClassIds: ClassId[];
  /** The label after the decisions. */
  currentClassIds: ClassId[];
  /** Names of reviewers. */
  decidedBy: string[];
  /** Only samples that this action has changed. */
  actionId: ActionId | null;
  /** Only samples inside this closed line on the map: x0, y0, x1, y1, … */
  region: number[] | null;
  /** Only samples that the cut flags. */
  flaggedOnly: boolean;
  minScore: number | null;
  maxScore: number | null;
  /** Samples on one side of a triage: `accept` those below the threshold, `look` at the others. */
  triage: { part: 'accept' | 'look'; threshold: number } | null;
  /** Words that must all occur in the path or in the given, the suggested or the present label; case does not matter. */
  search: string;
}

/** Everything matches. */
export const emptyFilter: QueueFilter = {
  states: [],
  givenClassIds: [],
  suggestedClassIds: [],
  currentClassIds: [],
  decidedBy: [],
  actionId: null,
  region: null,
  flaggedOnly: false,
  minScore: null,
  maxScore: null,
  triage: null,
  search: '',
};

export interface Queue {
  /** In order. `[n]` */
  ids: Uint32Array;
  /** Indexes into `reviewStates`. `[n]` */
  states: Uint8Array;
}

/** A class may be named by id, or by a name that may be new. */
export type DecisionInput =
  | { kind: 'confirm' }
  | { kind: 'relabel'; classId: ClassId }
  | { kind: 'relabel-new'; className: string }
  | { kind: 'accept-suggestion' }
  | { kind: 'drop' }
  | { kind: 'skip' }
  | { kind: 'reopen' }
  /** Confirms this one of the samples and drops the others. */
  | { kind: 'keep-only'; keptId: SampleId };

export interface ReviewChange {
  /** For people: "Relabel 3 images to cat". */
  label: string;
  direction: 'done' | 'undone' | 'redone';
  samples: { id: SampleId; state: ReviewState; currentClassId: ClassId | null }[];
  review: ReviewCounts;
  undoLabel: string | null;
  redoLabel: string | null;
  /** Set when the action changed classes. */
  classes: ClassSummary[] | null;
  /** Labels of other samples have changed too, because classes were merged: read again what is shown. */
  everything: boolean;
}

export interface HistoryPage {
  /** Actions in all, of those that were asked for. */
  total: number;
  entries: HistoryEntry[];
  /** The newest action of anybody that stands; null while none does. */
  standing: ActionId | null;
  /** Everybody who occurs in the whole history, by name, the empty one last. */
  authors: string[];
}

export type ClassEdit =
  | { kind: 'create'; name: string }
  | { kind: 'rename'; classId: ClassId; name: string }
  /** Every sample of these classes, given, suggested or decided, is from now on one of `into`. */
  | { kind: 'merge'; classIds: ClassId[]; into: ClassId }
  /** These samples become a new class; no sample counts as less decided for it. */
  | { kind: 'split'; sampleIds: SampleId[]; name: string }
  | { kind: 'color'; classId: ClassId; color: string | null }
  /** Takes the key away from the class that had it. */
  | { kind: 'hotkey'; classId: ClassId; hotkey: string | null };

export interface ExportRequest {
  format: 'csv' | 'jsonl' | 'folder';
  out: string;
  /** Replace a file that is already there; without it an existing target is an error. */
  overwrite: boolean;
}

export interface ExportSummary {
  out: string;
  written: number;
  relabeled: number;
  dropped: number;
}

const empty = v.strictObject({});
const id = v.pipe(v.number(), v.integer(), v.minValue(1));
const ids = v.array(id);
const text = v.pipe(v.string(), v.maxLength(100_000));
const path = v.pipe(
  text,
  v.minLength(1),
  v.check((value) => !value.includes('\0'), 'a path cannot contain a NUL character'),
);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));
const share = v.nullable(v.pipe(v.number(), v.minValue(0), v.maxValue(1)));
const className = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(500));
const queueFilter = v.strictObject({
  states: v.array(v.picklist(reviewStates)),
  givenClassIds: ids,
  suggestedClassIds: ids,
  currentClassIds: ids,
  decidedBy: v.array(text),
  actionId: v.nullable(id),
  region: v.nullable(v.pipe(v.array(v.pipe(v.number(), v.finite())), v.minLength(6), v.maxLength(20_000))),
  flaggedOnly: v.boolean(),
  minScore: share,
  maxScore: share,
  triage: v.nullable(v.strictObject({ part: v.picklist(['accept', 'look']), threshold: v.number() })),
  search: text,
});
const trainingRequest = v.strictObject({
  budget: v.picklist(budgets),
  engine: v.picklist(['auto', ...engineNames]),
  seed: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(2 ** 31 - 1)),
  recipe: v.pipe(text, v.minLength(1)),
  startFrom: v.nullable(id),
  preset: v.nullable(text),
  // Whether they make sense together is the plan's to judge, in words for people.
  overrides: v.strictObject({
    epochs: v.nullable(v.number()),
    startEpoch: v.nullable(v.number()),
    targetMomentum: v.nullable(v.number()),
  }),
});

/** Checked where a message enters, whatever transport it came by. */
export const apiInputs = {
  getAppInfo: empty,
  listFolder: v.strictObject({ path: v.nullable(path), showFiles: v.boolean() }),
  chooseFolder: v.strictObject({ title: text }),
  chooseProjectFile: empty,
  chooseSavePath: v.strictObject({ title: text, suggestedName: text }),
  getSettings: empty,
  saveSettings: v.strictObject({
    reviewer: v.optional(v.pipe(v.string(), v.trim(), v.maxLength(200))),
    keys: v.optional(v.record(v.string(), v.array(v.pipe(text, v.maxLength(50))))),
  }),
  listRecentProjects: empty,
  forgetRecentProject: v.strictObject({ path }),
  suggestProjectPath: v.strictObject({ folder: path }),
  importFolder: v.strictObject({
    folder: path,
    projectPath: path,
    labels: v.nullable(v.strictObject({ file: path, fileColumn: text, labelColumn: text })),
  }),
  cancelImport: empty,
  openProject: v.strictObject({ path }),
  closeProject: empty,
  getProject: empty,
  relocateImages: v.strictObject({ folder: path }),
  listProblems: v.strictObject({ offset: count, limit: v.pipe(count, v.maxValue(1000)) }),
  listEngines: v.strictObject({ measure: v.boolean() }),
  listRecipes: empty,
  planTraining: trainingRequest,
  startTraining: trainingRequest,
  pauseTraining: empty,
  cancelTraining: empty,
  resumeTraining: v.strictObject({ runId: id }),
  getRun: empty,
  getResumableRun: empty,
  getFindings: empty,
  getTriage: empty,
  listNeighbours: v.strictObject({ id, limit: v.pipe(count, v.minValue(1), v.maxValue(1000)) }),
  listExemplars: v.strictObject({ classId: id, limit: v.pipe(count, v.minValue(1), v.maxValue(100)) }),
  listPairs: v.strictObject({ filter: queueFilter }),
  listClusters: v.strictObject({ filter: queueFilter }),
  getMap: empty,
  getOverview: empty,
  queryQueue: v.strictObject({
    filter: queueFilter,
    sort: v.picklist(['doubt', 'abstention', 'confidence', 'path', 'decided']),
  }),
  getSamples: v.strictObject({ ids: v.pipe(ids, v.maxLength(1000)) }),
  getSample: v.strictObject({ id }),
  decide: v.strictObject({
    sampleIds: v.pipe(ids, v.minLength(1)),
    decision: v.variant('kind', [
      v.strictObject({ kind: v.literal('confirm') }),
      v.strictObject({ kind: v.literal('relabel'), classId: id }),
      v.strictObject({
        kind: v.literal('relabel-new'),
        className,
      }),
      v.strictObject({ kind: v.literal('accept-suggestion') }),
      v.strictObject({ kind: v.literal('drop') }),
      v.strictObject({ kind: v.literal('skip') }),
      v.strictObject({ kind: v.literal('reopen') }),
      v.strictObject({ kind: v.literal('keep-only'), keptId: id }),
    ]),
  }),
  undo: empty,
  redo: empty,
  editClass: v.variant('kind', [
    v.strictObject({ kind: v.literal('create'), name: className }),
    v.strictObject({ kind: v.literal('rename'), classId: id, name: className }),
    v.strictObject({ kind: v.literal('merge'), classIds: v.pipe(ids, v.minLength(1)), into: id }),
    v.strictObject({ kind: v.literal('split'), sampleIds: v.pipe(ids, v.minLength(1)), name: className }),
    v.strictObject({
      kind: v.literal('color'),
      classId: id,
      color: v.nullable(v.pipe(v.string(), v.regex(/^#[0-9a-f]{6}$/i))),
    }),
    v.strictObject({
      kind: v.literal('hotkey'),
      classId: id,
      hotkey: v.nullable(v.pipe(v.string(), v.regex(/^\S$/u))),
    }),
  ]),
  listHistory: v.strictObject({
    before: v.nullable(id),
    limit: v.pipe(count, v.minValue(1), v.maxValue(500)),
    author: v.nullable(text),
  }),
  jumpTo: v.strictObject({ actionId: v.nullable(id) }),
  exportLabels: v.strictObject({ format: v.picklist(['csv', 'jsonl', 'folder']), out: path, overwrite: v.boolean() }),
} satisfies { [M in keyof Api]: v.GenericSchema<unknown, Parameters<Api[M]>[0]> };

export type ApiMethod = keyof Api;
export type ApiInput<M extends ApiMethod> = Parameters<Api[M]>[0];
export type ApiOutput<M extends ApiMethod> = ReturnType<Api[M]>;
export type ApiEventName = keyof ApiEvents;

/** What the service implements: each method may answer now or later, and throws `AppError` for an expected failure. */
export type ApiHandlers = { [M in ApiMethod]: (input: ApiInput<M>) => ApiOutput<M> | Promise<ApiOutput<M>> };

/** What a client calls: each method answers with a result. */
export type ApiClient = { [M in ApiMethod]: (input: ApiInput<M>) => Promise<Result<ApiOutput<M>>> };
