/** Row id of a sample inside its project. */
export type SampleId = number;
/** Row id of a class inside its project. */
export type ClassId = number;
export type RunId = number;
/** Row id of an action of the history. */
export type ActionId = number;

export const reviewStates = ['unreviewed', 'confirmed', 'relabeled', 'dropped', 'skipped'] as const;
/** What a person decided about a sample. `skipped` means looked at and left for later. */
export type ReviewState = (typeof reviewStates)[number];

export const problemKinds = [
  'unreadable',
  'empty',
  'truncated',
  'wrong-extension',
  'too-large',
  'unsupported',
  'name-not-utf8',
  'outside-class-folder',
  'symlink-loop',
  'csv-row',
  'label-missing',
  'file-missing',
] as const;
export type ProblemKind = (typeof problemKinds)[number];

/** A file (or a CSV row) that could not be used; `wrong-extension` is a warning: its image is imported all the same. */
export interface Problem {
  /** Path relative to the image folder, `/` separated. */
  path: string;
  kind: ProblemKind;
  /** One sentence: what is wrong and what to do. */
  reason: string;
  severity: 'error' | 'warning';
}

export interface ClassSummary {
  id: ClassId;
  name: string;
  /** Samples present in the folder whose given label is this class, or one that was merged into it. */
  count: number;
  /** The same by the labels after all decisions; dropped samples count nowhere. */
  currentCount: number;
  /** `#rrggbb`, chosen by a person; null for the colour that its place in the list gives. */
  color: string | null;
  /** The key that gives this class, one character; null for none. */
  hotkey: string | null;
  /** A few samples to show what the class looks like. */
  exampleIds: SampleId[];
}

export const budgets = ['quick', 'balanced', 'thorough'] as const;
export type Budget = (typeof budgets)[number];

export const engineNames = ['tensorflow', 'webgpu', 'wasm'] as const;
export type EngineName = (typeof engineNames)[number];
export type EngineChoice = 'auto' | EngineName;

/** One line of `winnow engines`. */
export interface EngineReport {
  name: EngineName;
  available: boolean;
  /** For example "CPU, 2 threads" or "NVIDIA H200"; empty when absent. */
  device: string;
  version: string;
  /** Where its native library was found; null for engines that need none. */
  source: string | null;
  /** Floating-point rate of a training step of the compact network, GFLOP/s; null when not measured. */
  trainingGflops: number | null;
  /** Why it cannot be used and what would help; null when available. */
  absentBecause: string | null;
}

export const networkNames = ['compact', 'resnet18', 'resnet34', 'vgg16-bn', 'wrn-28-10', 'wrn-34-10'] as const;
export type NetworkName = (typeof networkNames)[number];

/** A variant of training as people choose it; `sat/recipes` defines them, so that a new one changes nothing here. */
export interface RecipeSummary {
  name: string;
  title: string;
  /** One plain sentence: what it is for. */
  sentence: string;
  /** What a run leaves behind: doubts about labels, doubts and an abstention, or only an encoder to start from. */
  gives: 'doubts' | 'triage' | 'encoder';
}

/** How the learning rate runs over the epochs, as multiples of the peak. */
export type Schedule =
  | { kind: 'one-cycle' }
  | { kind: 'cosine' }
  | { kind: 'constant' }
  /** Multiplied by `factor` at the start of each of the epochs (from 0). */
  | { kind: 'steps'; factor: number; epochs: number[] };

/** `sgd-nesterov`: ours, weight decay on filters only; `sgd`: as in PyTorch, decay on everything; `adam`: no decay. */
export type OptimizerName = 'sgd-nesterov' | 'sgd' | 'adam';

/**
 * `shift-flip`: ours; `crop-flip`: zero-padded by an eighth and cropped, the authors'; `crop`: without the mirror image, for digits
 * and letters; `views`: strong, for self-supervision.
 */
export type AugmentationName = 'none' | 'shift-flip' | 'crop' | 'crop-flip' | 'views';

/** Projected gradient ascent in the L∞ ball; pixels count from 0 to 1. */
export interface AttackSettings {
  /** ε, largest change of a pixel. */
  radius: number;
  stepSize: number;
  steps: number;
}

/** All numbers of a run that the trainer needs. */
export interface TrainingSettings {
  engine: EngineName;
  /** Name of a recipe of `sat/recipes`. */
  recipe: string;
  seed: number;
  network: NetworkName;
  /** Channels of the first convolution; each network has a usual one. */
  width: number;
  /** Square input side in pixels. */
  resolution: number;
  classes: number;
  epochs: number;
  /** E_s: first epoch (from 0) in which targets adapt. */
  startEpoch: number;
  /** α, momentum of the targets. */
  targetMomentum: number;
  batchSize: number;
  optimizer: OptimizerName;
  /** Peak. */
  learningRate: number;
  schedule: Schedule;
  weightDecay: number;
  augmentation: AugmentationName;
  /** The attack that `robust` trains against; null for every other recipe. */
  attack: AttackSettings | null;
}

/** Everything that decides a run, chosen before it starts and stored with it. */
export interface TrainingPlan extends TrainingSettings {
  budget: Budget;
  /** Published settings that took the place of the budget's; null for our own. */
  preset: string | null;
  /** The run whose encoder the network starts from; null for random weights. */
  startFrom: RunId | null;
  samples: number;
  /** Forward pass of one image, multiply and add counted as two. */
  gflopPerImage: number;
  expectedSeconds: number;
  /** One sentence for each choice that a person may wonder about. */
  reasons: string[];
}

export interface EpochReport {
  /** From 0. */
  epoch: number;
  loss: number;
  /** Share of training predictions that agree with the given label, 0..1; null where no labels are learned. */
  accuracy: number | null;
  /** Collapse monitor of self-supervised runs: 1 is healthy, 0 is collapsed (see sat/losses); null for all others. */
  spread: number | null;
  learningRate: number;
  imagesPerSecond: number;
  /** Wall seconds since the run started. */
  seconds: number;
  secondsLeft: number;
  /** Samples that the current cut flags. */
  doubts: number;
}

/**
 * `paused` and `cancelled` were stopped by a person, who did or did not mean to go on; `interrupted` ended some other way but can go on;
 * `failed` cannot.
 */
export type RunStatus = 'preparing' | 'running' | 'paused' | 'interrupted' | 'done' | 'cancelled' | 'failed';

export interface RunSummary {
  id: RunId;
  status: RunStatus;
  plan: TrainingPlan;
  epochs: EpochReport[];
  startedAt: string;
  endedAt: string | null;
  /** Why it ended and what to do, when it was interrupted or failed. */
  error: string | null;
  /** What happened to it on the way that a person may wonder about, in whole sentences. */
  notes: string[];
  /** Whether it can go on from where it was. */
  canResume: boolean;
}

/** What a run believes about one sample. */
export interface Finding {
  sampleId: SampleId;
  suggestedClassId: ClassId;
  /** Doubt about the given label, 0 (sure) .. 1; see domain/scores. */
  score: number;
  /** Confidence weight w_i = max_j t_ij, 0..1, before the batch normalisation. */
  weight: number;
  /** Soft target at the given label, 0..1. */
  givenTarget: number;
  suggestedTarget: number;
  /** First epoch from which the target's largest class stayed another than the given label; null if it never flipped. */
  flipEpoch: number | null;
  flagged: boolean;
  /** Probability with which the model abstains, 0..1; null where the recipe has no abstention class. */
  abstention: number | null;
}

/** A sample as the grid shows it. */
export interface SampleCard {
  id: SampleId;
  path: string;
  givenClassId: ClassId;
  state: ReviewState;
  /** The label after the decision; the given one if there is none; null when dropped. */
  currentClassId: ClassId | null;
  finding: Finding | null;
  /** Changes when the file's content does, so that an image URL can be cached for ever. */
  version: string;
}

export interface SampleDetail extends SampleCard {
  width: number;
  height: number;
  byteSize: number;
  format: string;
  decidedAt: string | null;
  /** Name of the reviewer; empty when it was not known; null while undecided. */
  decidedBy: string | null;
  /** The classes the final target likes best, most likely first, at most five. */
  topTargets: { classId: ClassId; target: number }[];
  /** The path of the target over the epochs. */
  history: TargetHistory;
  /** Other samples with the very same bytes. */
  duplicateIds: SampleId[];
}

export interface TargetHistory {
  epochs: number[];
  given: number[];
  suggested: number[];
  weight: number[];
}

/** A number with the sentence that explains it. */
export interface ExplainedNumber {
  value: number;
  explanation: string;
}

export interface FindingsSummary {
  runId: RunId;
  epoch: number;
  /** Score at and above which a sample is flagged. */
  cut: ExplainedNumber;
  flagged: ExplainedNumber;
  /** Estimated share of wrong labels, 0..1. */
  noiseRate: ExplainedNumber;
  /** Expected share of flagged samples whose label is really wrong, 0..1. */
  expectedPrecision: ExplainedNumber;
  /** Expected share of all wrong labels that are flagged, 0..1. */
  expectedRecall: ExplainedNumber;
}

/** What `winnow evaluate` prints. Shares are 0..1. */
export interface Evaluation {
  samples: number;
  errors: number;
  auroc: number;
  averagePrecision: number;
  flagged: number;
  precision: number;
  recall: number;
  f1: number;
  /** Share of all images to look at, worst first, to meet 90 % of the errors. */
  reviewsFor90: number;
  /** Share of the errors whose suggested label is the true one. */
  suggestedLabelAccuracy: number;
}

/**
 * Triage: which labels can be accepted unseen, and which should be looked at. Samples are ordered from the surest; a coverage
 * is the share of them that is accepted.
 */
export interface Triage {
  runId: RunId;
  samples: number;
  /** By rising coverage, at most 101 points, the last with coverage 1. */
  curve: TriagePoint[];
}

export interface TriagePoint {
  /** Share of the samples that is accepted, 0..1. */
  coverage: number;
  accepted: number;
  /** Samples below this value are accepted; see `QueueFilter.triage`. */
  threshold: number;
  /** Expected share of wrong labels among the accepted, 0..1. */
  expectedError: number;
  /** Expected number of wrong labels among the rest. */
  expectedErrorsLeft: number;
}

/** A sample that looks alike, by the embeddings of a run. */
export interface Neighbour {
  sampleId: SampleId;
  /** Cosine of the angle between the embeddings, −1..1. */
  similarity: number;
}

/** A pair of different labels between which samples of a queue stand. */
export interface ConfusedPair {
  givenClassId: ClassId;
  suggestedClassId: ClassId;
  count: number;
  undecided: number;
}

/** One undoable step, as the history shows it. */
export interface HistoryEntry {
  id: ActionId;
  /** For people: "Relabel 3 images to cat". */
  label: string;
  /** Name of the reviewer; empty when it was not known. */
  author: string;
  madeAt: string;
  /** Samples that it changed; 0 for a change of classes alone. */
  samples: number;
  /** A few of them. */
  exampleIds: SampleId[];
  /** `undone` can be redone; `discarded` was undone before something else was decided, and cannot. */
  status: 'done' | 'undone' | 'discarded';
}

/** Samples that look nearly the same, to be decided together; at least two. */
export interface Cluster {
  sampleIds: SampleId[];
  /** `identical`: the very same bytes. */
  kind: 'identical' | 'near';
  /** Whether their labels differ now. */
  conflict: boolean;
}

/**
 * The whole data set in the plane, alike near alike. Sample i of n is at `positions[2i], positions[2i + 1]`, both within −1..1; the
 * order of the samples is random, so that any first part of them is a fair picture of all.
 */
export interface EmbeddingMap {
  runId: RunId;
  /** `[n]` */
  ids: Uint32Array;
  /** `[n, 2]` */
  positions: Float32Array;
  /** Indexes into `classIds`. `[n]` */
  given: Uint16Array;
  /** Indexes into `classIds`; 65535 where there is no finding. `[n]` */
  suggested: Uint16Array;
  /** Confidence weight w_i · 255; 0 where there is no finding. `[n]` */
  weight: Uint8Array;
  /** Doubt · 255; 0 where there is no finding. `[n]` */
  doubt: Uint8Array;
  /** Indexes into `reviewStates`. `[n]` */
  state: Uint8Array;
  classIds: ClassId[];
}

/** What takes a while to be made and is then kept. */
export type Prepared<T> =
  | { status: 'ready'; value: T }
  /** It is being made; `preparation` events follow. */
  | { status: 'preparing'; done: number; total: number }
  /** `reason`: what is missing and what to do, for people. */
  | { status: 'unavailable'; reason: string };

/** An estimate with its interval. */
export interface Estimate {
  expected: number;
  low: number;
  high: number;
}

export interface ClassStatistics {
  classId: ClassId;
  /** Samples given this label. */
  given: number;
  /** Samples that have it after the decisions. */
  current: number;
  /** Of the given, how many were decided: confirmed, relabeled or dropped. */
  decided: number;
  /** Of the decided, how many turned out wrong: relabeled or dropped. */
  foundWrong: number;
  /** Expected wrong labels among all the given, decided ones counted as decided. */
  expectedWrong: number;
}

export interface PairStatistics {
  givenClassId: ClassId;
  /** The label that it should be: decided, or suggested. */
  otherClassId: ClassId;
  /** Expected number of samples given the first that are the other; decided ones count as decided. */
  expected: number;
}

/** The state of the data set and of the work on it. */
export interface Overview {
  samples: number;
  classes: ClassStatistics[];
  /** Largest first; pairs that round to nothing are left out. */
  pairs: PairStatistics[];
  /** Wrong labels that nobody has looked at yet, with a 90 % interval; null without findings. */
  remaining: (Estimate & { explanation: string }) | null;
  /** Wrong labels found so far: relabeled and dropped. */
  found: number;
  /** Decided samples over time, oldest first, at most 200 points; times in ISO. */
  progress: { at: string; decided: number }[];
  pace: ReviewPace;
}

export interface ReviewPace {
  /** Decided samples per minute of work, pauses left out; null before there are enough. */
  perMinute: number | null;
  /** Seconds of work in all sessions. */
  workedSeconds: number;
  /** Flagged samples that are not decided. */
  left: number;
  /** Seconds of work until the flagged are decided, at this pace; null without a pace. */
  secondsLeft: number | null;
}
