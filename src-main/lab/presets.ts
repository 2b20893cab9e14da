import { authorsDoubleDescent, presetByName, type Preset } from '../sat/presets.ts';
import type { LabOverrides, LabPreset, LabSettings, LabTraining } from './experiment.ts';
import type { Noise } from './noise.ts';

/* What the experiments share before they run: their presets, and one training for every seed and variant. */

const smallSettings: LabSettings = {
  recipe: 'sat',
  network: 'compact',
  width: 16,
  resolution: 32,
  epochs: 20,
  startEpoch: 10,
  targetMomentum: 0.9,
  batchSize: 128,
  optimizer: 'sgd-nesterov',
  learningRate: 0.2,
  schedule: { kind: 'one-cycle' },
  weightDecay: 5e-4,
  augmentation: 'none',
  attack: null,
};

/** What presets have where they do not say otherwise: every image, three seeds, as in the authors' own tables. */
const usual: Omit<LabPreset, 'name' | 'source' | 'settings'> = {
  samples: null,
  testSamples: null,
  seeds: [1, 2, 3],
  recipes: [],
  noise: null,
  widths: [],
  evaluateEvery: 5,
  evaluationAttack: null,
};

/** The preset `small` of an experiment: what it has of its own over what all have. */
export function smallPreset(own: Partial<Omit<LabPreset, 'settings'>> & { settings: Partial<LabSettings> }): LabPreset {
  return {
    ...usual,
    name: 'small',
    source: 'Ours, for a processor of two cores.',
    samples: 5000,
    testSamples: 2000,
    evaluateEvery: 2,
    ...own,
    settings: { ...smallSettings, ...own.settings },
  };
}

/** An experiment with the authors' schedule and all images; for a graphics card. Throws when there is no such preset. */
export function authorsPreset(name: string, own: Partial<LabPreset> = {}): LabPreset {
  const preset = presetByName(name);
  if (preset === null) throw new Error(`There is no preset "${name}".`);
  return { ...usual, ...named(preset), ...own };
}

/** Settings are those of the widest network; `forWidth` in experiments/double-descent.ts gives the others'. */
export function authorsDoubleDescentPreset(fullWidth: number, own: Partial<LabPreset>): LabPreset {
  return { ...usual, ...named(authorsDoubleDescent(fullWidth)), name: 'authors-double-descent', ...own };
}

function named({ name, source, settings }: Preset): Pick<LabPreset, 'name' | 'source' | 'settings'> {
  return { name, source, settings };
}

/** What may be changed by hand in every experiment that learns from labels. */
export const usualOptions = [
  'seeds',
  'samples',
  'testSamples',
  'epochs',
  'startEpoch',
  'targetMomentum',
  'learningRate',
  'network',
  'width',
] as const satisfies readonly (keyof LabOverrides)[];

/** A training without its seed. */
interface Variant {
  /** Different for every variant of an experiment. */
  name: string;
  method: string;
  condition?: number;
  settings: LabSettings;
  noise?: Noise;
  linearProbe?: boolean;
}

/** Every variant with every seed: all variants of one seed before the next seed. */
export function trainingsOf(
  { seeds, samples, testSamples, evaluateEvery, evaluationAttack }: LabPreset,
  variants: readonly Variant[],
): LabTraining[] {
  return seeds.flatMap((seed) =>
    variants.map((variant) => ({
      condition: 0,
      noise: { kind: 'none' },
      linearProbe: false,
      ...variant,
      name: `${variant.name}-seed-${seed}`,
      seed,
      samples,
      testSamples,
      evaluateEvery,
      evaluationAttack,
    })),
  );
}
