import type { AttackSettings, EngineName, NetworkName, TrainingSettings } from '../../shared/domain.ts';
import type { LabelFate } from './beliefs.ts';
import type { Figure } from './figure.ts';
import type { Confusion, Noise, NoiseKind } from './noise.ts';
import type { Table } from './table.ts';

/*
 * An experiment is data: which trainings to run, and how their results become tables, figures and sentences. The service's
 * side (app/lab.ts) runs them; nothing here knows how.
 */

export const experimentNames = ['noise', 'selective', 'robust', 'double-descent', 'linear-probe'] as const;
export type ExperimentName = (typeof experimentNames)[number];

export interface Experiment {
  name: ExperimentName;
  /** One sentence: what is compared. */
  sentence: string;
  /** The usual one first. */
  presets: readonly LabPreset[];
  /** What may be changed by hand; all else is refused. */
  options: readonly (keyof LabOverrides)[];
  /** The trainings in the order in which they are run: all methods of one seed before the next seed. */
  trainings(preset: LabPreset): LabTraining[];
  /** Of the trainings that have ended so far, which may be some of them. */
  summarise(results: readonly TrainingResult[], preset: LabPreset, context: SummaryContext): Summary;
}

export interface SummaryContext {
  /** Names of the classes, in order. */
  classes: readonly string[];
}

/** Numbers of a training that do not depend on the machine, the data or the seed. */
export type LabSettings = Omit<TrainingSettings, 'engine' | 'seed' | 'classes'>;

/** All numbers of an experiment. Fields that an experiment has no use for are empty. */
export interface LabPreset {
  name: string;
  /** Where the numbers come from. */
  source: string;
  settings: LabSettings;
  /** Training images, balanced over the classes; null for all. */
  samples: number | null;
  /** Held-out images, balanced over the classes; null for all. */
  testSamples: number | null;
  seeds: readonly number[];
  recipes: readonly string[];
  /** Null where nothing is disturbed. */
  noise: PresetNoise | null;
  widths: readonly number[];
  /** Held-out images are measured after every so many epochs, and after the last. */
  evaluateEvery: number;
  evaluationAttack: AttackSettings | null;
}

export interface PresetNoise {
  kind: NoiseKind;
  rates: readonly number[];
  /** For asymmetric noise. */
  confusion: Confusion;
}

/** What a person may set on the command line; null leaves it to the preset. */
export interface LabOverrides {
  seeds: number[] | null;
  rates: number[] | null;
  kind: NoiseKind | null;
  confusion: Confusion | null;
  recipes: string[] | null;
  samples: number | null;
  testSamples: number | null;
  epochs: number | null;
  startEpoch: number | null;
  targetMomentum: number | null;
  learningRate: number | null;
  network: NetworkName | null;
  width: number | null;
  widths: number[] | null;
}

/** One training of an experiment. */
export interface LabTraining {
  /** Readable and different for every training of an experiment. */
  name: string;
  /** What is compared: usually the recipe's name; see methods.ts. */
  method: string;
  /** What it is compared under: a noise rate, a width; 0 where there is only one. */
  condition: number;
  seed: number;
  settings: LabSettings;
  noise: Noise;
  samples: number | null;
  testSamples: number | null;
  evaluateEvery: number;
  evaluationAttack: AttackSettings | null;
  linearProbe: boolean;
}

/** What is kept of a training that has ended. */
export interface TrainingResult {
  training: LabTraining;
  engine: EngineFacts;
  /** Where it diverged, in the trainer's words; null when it ran to its end. */
  error: string | null;
  /** Wall seconds. */
  seconds: number;
  epochs: EpochRecord[];
  evaluations: EvaluationRecord[];
  /** After the last epoch; null for recipes that learn no labels, and where no label is wrong. */
  labels: LabelFate | null;
  /** Held-out error by coverage after the last epoch, 100 shares for 1 … 100 %, by what the images were ranked by; null for recipes that learn no labels. */
  coverage: { softmaxResponse: number[]; abstention: number[] | null } | null;
}

export interface EngineFacts {
  name: EngineName;
  device: string;
  version: string;
}

/** See `EpochReport` and the trainer's `epoch` event. */
export interface EpochRecord {
  epoch: number;
  loss: number;
  accuracy: number | null;
  spread: number | null;
  learningRate: number;
  seconds: number;
}

/** Held-out images after an epoch; shares, 0..1. */
export interface EvaluationRecord {
  epoch: number;
  /** Null for recipes that learn no labels. */
  accuracy: number | null;
  adversarialAccuracy: number | null;
  linearProbeAccuracy: number | null;
}

export interface Summary {
  tables: Table[];
  figures: Figure[];
  /** What was seen, in either direction. */
  findings: string[];
}
