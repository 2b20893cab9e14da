import { authorsPreset } from '../authors.ts';
import {
  bestAccuracy,
  comparisons,
  conditionCurve,
  conditionsOf,
  failures,
  fallOf,
  finalAccuracy,
  methodCurve,
  methodsOf,
  percent,
  resultsOf,
  statisticOf,
  type Measure,
} from '../compare.ts';
import type {
  Experiment,
  LabPreset,
  LabTraining,
  PresetNoise,
  Summary,
  SummaryContext,
  TrainingResult,
} from '../experiment.ts';
import type { Figure, Mark, Series } from '../figure.ts';
import { methodOf, publishedColor } from '../methods.ts';
import { cifar10Confusion, type Noise } from '../noise.ts';
import { isCifar10, publishedNoise, publishedNoiseTable, publishedResNet } from '../published.ts';
import type { Table } from '../table.ts';

const uniform: PresetNoise = { kind: 'uniform', rates: [0.4], confusion: cifar10Confusion };
const recipes = ['cross-entropy', 'sat'];

const small: LabPreset = {
  name: 'small',
  source: "Ours, for a processor of two cores; pictures as they are, with the authors' α for that.",
  settings: {
    recipe: 'sat',
    network: 'compact',
    width: 16,
    resolution: 32,
    epochs: 20,
    startEpoch: 5,
    targetMomentum: 0.7,
    batchSize: 128,
    optimizer: 'sgd-nesterov',
    learningRate: 0.2,
    schedule: { kind: 'one-cycle' },
    weightDecay: 5e-4,
    augmentation: 'none',
    attack: null,
  },
  samples: 5000,
  testSamples: 2000,
  seeds: [1, 2, 3],
  recipes,
  noise: uniform,
  widths: [],
  evaluateEvery: 2,
  evaluationAttack: null,
};

/** Learning with wrong labels or spoiled pictures: SAT against cross-entropy (Huang et al. 2020, sections 3 and 4). */
export const noise: Experiment = {
  name: 'noise',
  sentence: 'Trains on wrong labels or spoiled pictures, with SAT and with plain cross-entropy.',
  presets: [
    small,
    ...['authors-cifar10', 'authors-cifar10-wrn', 'authors-cifar100', 'authors-cifar10-no-augmentation'].map((name) =>
      authorsPreset(name, { recipes, noise: { ...uniform, rates: publishedNoise.rates } }),
    ),
  ],
  options: [
    'seeds',
    'rates',
    'kind',
    'confusion',
    'recipes',
    'samples',
    'testSamples',
    'epochs',
    'startEpoch',
    'targetMomentum',
    'learningRate',
    'network',
    'width',
  ],
  trainings,
  summarise,
};

function trainings(preset: LabPreset): LabTraining[] {
  const { seeds, recipes, settings, samples, testSamples, evaluateEvery, evaluationAttack } = preset;
  const { kind, rates, confusion } = preset.noise ?? uniform;
  return seeds.flatMap((seed) =>
    rates.flatMap((rate) =>
      recipes.map((recipe) => {
        const disturbance: Noise = kind === 'asymmetric' ? { kind, rate, confusion } : { kind, rate };
        return {
          name: `${recipe}-${kind}-${rate}-seed-${seed}`,
          method: recipe,
          condition: rate,
          seed,
          settings: { ...settings, recipe },
          noise: disturbance,
          samples,
          testSamples,
          evaluateEvery,
          evaluationAttack,
          linearProbe: false,
        };
      }),
    ),
  );
}

function summarise(results: readonly TrainingResult[], preset: LabPreset, { classes }: SummaryContext): Summary {
  const isComparable = isCifar10(classes) && preset.noise?.kind === 'uniform';
  return {
    tables: [accuracyTable(results), publishedNoiseTable],
    figures: [curves(results, preset, isComparable), ...accuracyByRate(results, preset, isComparable)],
    findings: [...findings(results), ...failures(results)],
  };
}

const recovered: Measure = ({ labels }) => percent(labels?.recovered ?? null);
const memorised: Measure = ({ labels }) => percent(labels?.memorised ?? null);
const lost: Measure = ({ labels }) => percent(labels?.lost ?? null);
const right: Measure = ({ labels }) => percent(labels?.right ?? null);
const fall = fallOf(bestAccuracy, finalAccuracy);

function accuracyTable(results: readonly TrainingResult[]): Table {
  return {
    name: 'noise',
    title: 'Held-out accuracy, and what became of the wrong labels',
    columns: [
      { title: 'Noise rate', digits: 2 },
      { title: 'Method', digits: 0 },
      { title: 'Accuracy at the end (%)', digits: 1 },
      { title: 'Best on the held-out images (%)', digits: 1 },
      { title: 'Wrong labels', digits: 0 },
      { title: 'Wrong labels recovered (%)', digits: 1 },
      { title: 'Wrong labels memorised (%)', digits: 1 },
      { title: 'Right labels lost (%)', digits: 1 },
      { title: 'Training labels right at the end (%)', digits: 1 },
    ],
    rows: conditionsOf(results).flatMap((rate) =>
      methodsOf(results).map((method) => {
        const those = resultsOf(results, method, rate);
        return [
          rate,
          methodOf(method).title,
          statisticOf(those, finalAccuracy),
          statisticOf(those, bestAccuracy),
          statisticOf(those, ({ labels }) => labels?.wrong ?? null),
          ...[recovered, memorised, lost, right].map((measure) => statisticOf(those, measure)),
        ];
      }),
    ),
  };
}

function curves(results: readonly TrainingResult[], preset: LabPreset, isComparable: boolean): Figure {
  return {
    name: 'accuracy-over-epochs',
    title: `Held-out accuracy under ${noiseTitle(preset)}`,
    panels: conditionsOf(results).map((rate) => ({
      title: `Noise rate ${rate}`,
      x: { title: 'Epochs', scale: 'linear' },
      y: { title: 'Held-out accuracy (%)', scale: 'linear' },
      series: methodsOf(results).map((method) =>
        methodCurve(results, method, rate, ({ accuracy }) => percent(accuracy)),
      ),
      marks: [...adaptationMark(preset), ...(isComparable ? publishedMark(rate) : [])],
    })),
  };
}

/** Only with several rates is there a curve to draw. */
function accuracyByRate(results: readonly TrainingResult[], preset: LabPreset, isComparable: boolean): Figure[] {
  if (conditionsOf(results).length < 2) return [];
  const measured = methodsOf(results).map((method) => conditionCurve(results, method, finalAccuracy));
  return [
    {
      name: 'accuracy-by-rate',
      title: `Held-out accuracy at the end, by rate of ${noiseTitle(preset)}`,
      panels: [
        {
          title: '',
          x: { title: 'Noise rate', scale: 'linear' },
          y: { title: 'Held-out accuracy (%)', scale: 'linear' },
          series: isComparable ? [...measured, publishedSeries()] : measured,
          marks: [],
        },
      ],
    },
  ];
}

function publishedSeries(): Series {
  return {
    name: publishedName,
    color: publishedColor,
    points: publishedNoise.rates.map((x, index) => {
      const y = publishedResNet.values[index]!;
      return { x, y, low: y, high: y };
    }),
    dashed: true,
    dots: true,
  };
}

function findings(results: readonly TrainingResult[]): string[] {
  const others = methodsOf(results).filter((method) => method !== 'cross-entropy');
  return conditionsOf(results).flatMap((condition) =>
    others.flatMap((first) =>
      comparisons(results, { condition, first, second: 'cross-entropy', prefix: `Noise rate ${condition}, ` }, [
        { title: 'held-out accuracy at the end', measure: finalAccuracy, unit: ' %' },
        { title: 'best held-out accuracy', measure: bestAccuracy, unit: ' %' },
        { title: 'fall of the accuracy from its best to the end', measure: fall, unit: ' points' },
        { title: 'wrong labels recovered', measure: recovered, unit: ' %' },
        { title: 'wrong labels memorised', measure: memorised, unit: ' %' },
      ]),
    ),
  );
}

function adaptationMark({ settings, recipes }: LabPreset): Mark[] {
  const adapts = recipes.some((recipe) => recipe !== 'cross-entropy') && settings.startEpoch > 0;
  return adapts ? [{ axis: 'x', at: settings.startEpoch, label: 'targets adapt', side: 'above' }] : [];
}

function publishedMark(rate: number): Mark[] {
  const index = publishedNoise.rates.findIndex((published) => published === rate);
  if (index === -1) return [];
  const at = publishedResNet.values[index]!;
  return [{ axis: 'y', at, label: `${publishedName}: ${at}`, side: 'below' }];
}

const publishedName = 'SAT as published (ResNet-34, all of CIFAR-10)';

function noiseTitle({ noise: disturbance }: LabPreset): string {
  switch (disturbance?.kind) {
    case 'asymmetric':
      return 'asymmetric label noise';
    case 'gaussian':
      return 'Gaussian pictures';
    case 'random-pixels':
      return 'pictures of random pixels';
    case 'shuffled-pixels':
      return 'pictures of shuffled pixels';
    case 'uniform':
    case undefined:
      return 'uniform label noise';
  }
}
