import {
  bestAccuracy,
  comparisons,
  conditionCurve,
  conditionsOf,
  failures,
  differenceOf,
  finalAccuracy,
  methodCurve,
  methodsOf,
  percent,
  publishedSeries,
  statisticsOf,
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
import { adaptationMark, epochPanel, type Figure, type Mark, type Series } from '../figure.ts';
import { methodOf } from '../methods.ts';
import { cifar10Confusion } from '../noise.ts';
import { authorsPreset, smallPreset, trainingsOf, usualOptions } from '../presets.ts';
import { isCifar10, publishedNoise, publishedNoiseTable, publishedResNet } from '../published.ts';
import type { Table } from '../table.ts';

const uniform: PresetNoise = { kind: 'uniform', rates: [0.4], confusion: cifar10Confusion };
const recipes = ['cross-entropy', 'sat'];

const small = smallPreset({
  source: "Ours, for a processor of two cores; pictures as they are, with the authors' α for that.",
  settings: { startEpoch: 5, targetMomentum: 0.7 },
  recipes,
  noise: uniform,
});

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
  options: [...usualOptions, 'rates', 'kind', 'confusion', 'recipes'],
  trainings,
  summarise,
};

function trainings(preset: LabPreset): LabTraining[] {
  const { recipes, settings } = preset;
  const { kind, rates, confusion } = preset.noise ?? uniform;
  return trainingsOf(
    preset,
    rates.flatMap((rate) =>
      recipes.map((recipe) => ({
        name: `${recipe}-${kind}-${rate}`,
        method: recipe,
        condition: rate,
        settings: { ...settings, recipe },
        noise: kind === 'asymmetric' ? { kind, rate, confusion } : { kind, rate },
      })),
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

const wrong: Measure = ({ labels }) => labels?.wrong ?? null;
const recovered: Measure = ({ labels }) => percent(labels?.recovered ?? null);
const memorised: Measure = ({ labels }) => percent(labels?.memorised ?? null);
const lost: Measure = ({ labels }) => percent(labels?.lost ?? null);
const right: Measure = ({ labels }) => percent(labels?.right ?? null);
const fall = differenceOf(bestAccuracy, finalAccuracy);

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
      methodsOf(results).map((method) => [
        rate,
        methodOf(method).title,
        ...statisticsOf(results, method, rate, [finalAccuracy, bestAccuracy, wrong, recovered, memorised, lost, right]),
      ]),
    ),
  };
}

function curves(results: readonly TrainingResult[], preset: LabPreset, isComparable: boolean): Figure {
  return {
    name: 'accuracy-over-epochs',
    title: `Held-out accuracy under ${noiseTitle(preset)}`,
    panels: conditionsOf(results).map((rate) =>
      epochPanel(
        `Noise rate ${rate}`,
        'Held-out accuracy (%)',
        methodsOf(results).map((method) => methodCurve(results, method, rate, ({ accuracy }) => percent(accuracy))),
        [...adaptationMarks(preset), ...(isComparable ? publishedMark(rate) : [])],
      ),
    ),
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
          series: isComparable ? [...measured, publishedAccuracy()] : measured,
          marks: [],
        },
      ],
    },
  ];
}

function publishedAccuracy(): Series {
  return publishedSeries(
    publishedName,
    publishedNoise.rates.map((x, index) => ({ x, y: publishedResNet.values[index]! })),
  );
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

function adaptationMarks({ settings, recipes }: LabPreset): Mark[] {
  const adapts = recipes.some((recipe) => recipe !== 'cross-entropy') && settings.startEpoch > 0;
  return adapts ? [adaptationMark(settings.startEpoch)] : [];
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
