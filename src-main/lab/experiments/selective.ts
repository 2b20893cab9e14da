import {
  comparison,
  failures,
  methodSeries,
  percent,
  pointsOf,
  publishedSeries,
  resultsOf,
  statisticOf,
  valuesAt,
  type Measure,
  type Side,
} from '../compare.ts';
import type { Experiment, LabPreset, LabTraining, Summary, SummaryContext, TrainingResult } from '../experiment.ts';
import type { Figure, Series } from '../figure.ts';
import { methodOf } from '../methods.ts';
import { cifar10Confusion, type Noise } from '../noise.ts';
import { authorsPreset, smallPreset, trainingsOf, usualOptions } from '../presets.ts';
import { isCifar10, publishedSelective, publishedSelectiveTable } from '../published.ts';
import { formatStatistic, type Statistic } from '../statistics.ts';
import type { Table } from '../table.ts';

const small = smallPreset({
  settings: { recipe: 'selective', augmentation: 'shift-flip' },
  recipes: ['cross-entropy', 'selective'],
  evaluateEvery: 10,
});

/** With wrong labels in the training images, as in the experiment `noise`; the paper measures with right ones only. */
const noisy = smallPreset({
  name: 'noisy',
  source:
    "Ours, for a processor of two cores: 40 % of the labels redrawn, pictures as they are, the authors' α for that.",
  settings: { recipe: 'selective', startEpoch: 5, targetMomentum: 0.7 },
  recipes: small.recipes,
  noise: { kind: 'uniform', rates: [0.4], confusion: cifar10Confusion },
  evaluateEvery: 10,
});

/** Selective classification: which held-out images to leave to a person (Huang et al. 2020, section 5). */
export const selective: Experiment = {
  name: 'selective',
  sentence: 'Ranks held-out images by abstention and by softmax response, and measures the error among the surest.',
  presets: [
    small,
    noisy,
    ...['authors-selective-cifar10', 'authors-selective-svhn', 'authors-selective-cats-dogs'].map((name) =>
      authorsPreset(name, { recipes: small.recipes }),
    ),
  ],
  options: usualOptions,
  trainings,
  summarise,
};

function trainings(preset: LabPreset): LabTraining[] {
  const { recipes, settings } = preset;
  const rate = preset.noise?.rates[0];
  const noise: Noise = rate === undefined ? { kind: 'none' } : { kind: 'uniform', rate };
  return trainingsOf(
    preset,
    recipes.map((recipe) => ({ name: recipe, method: recipe, settings: { ...settings, recipe }, noise })),
  );
}

/** What images are ranked by: of which training, and by what. Names are those of methods.ts. */
const rankings = [
  { name: 'selective', recipe: 'selective', by: 'abstention' },
  { name: 'selective-response', recipe: 'selective', by: 'softmaxResponse' },
  { name: 'softmax-response', recipe: 'cross-entropy', by: 'softmaxResponse' },
] as const;
type Ranking = (typeof rankings)[number];

/** In percent. */
const coverages = [100, 95, 90, 85, 80, 75, 70];
const leastDrawn = 50;

function summarise(results: readonly TrainingResult[], preset: LabPreset, { classes }: SummaryContext): Summary {
  return {
    tables: [coverageTable(results), publishedSelectiveTable],
    figures: [coverageFigure(results, isCifar10(classes) && preset.noise === null)],
    findings: [...findings(results), ...failures(results)],
  };
}

/** Error in percent among the surest `coverage` percent. */
function errorAt(coverage: number, { by }: Ranking): Measure {
  return (result) => percent(result.coverage?.[by]?.[coverage - 1] ?? null);
}

function coverageTable(results: readonly TrainingResult[]): Table {
  return {
    name: 'selective',
    title: 'Held-out error at each coverage (%)',
    columns: [
      { title: 'Coverage (%)', digits: 0 },
      ...rankings.map(({ name }) => ({ title: methodOf(name).title, digits: 2 })),
    ],
    rows: coverages.map((coverage) => [
      coverage,
      ...rankings.map((ranking) => statisticOf(resultsOf(results, ranking.recipe, 0), errorAt(coverage, ranking))),
    ]),
  };
}

function coverageFigure(results: readonly TrainingResult[], isComparable: boolean): Figure {
  const drawn = Array.from({ length: 100 - leastDrawn + 1 }, (_, index) => leastDrawn + index);
  const measured = rankings.map((ranking): Series => {
    const values = resultsOf(results, ranking.recipe, 0).flatMap((result) =>
      drawn.flatMap((x) => valuesAt(x, [result], errorAt(x, ranking))),
    );
    return methodSeries(ranking.name, pointsOf(values));
  });
  const published = publishedSeries(
    'SAT as published (VGG16-BN, all of CIFAR-10)',
    publishedSelective.map(({ coverage: x, cifar10: [y] }) => ({ x, y })),
  );
  return {
    name: 'error-by-coverage',
    title: 'Held-out error among the images that the model is surest of',
    panels: [
      {
        title: '',
        x: { title: 'Coverage (% of the images)', scale: 'linear' },
        y: { title: 'Error (%)', scale: 'linear' },
        series: isComparable ? [...measured, published] : measured,
        marks: [],
      },
    ],
  };
}

function findings(results: readonly TrainingResult[]): string[] {
  const side = (ranking: Ranking, coverage: number): Side => ({
    name: methodOf(ranking.name).title,
    results: resultsOf(results, ranking.recipe, 0),
    measure: errorAt(coverage, ranking),
  });
  const [abstention, response, softmax] = rankings;
  const compared = [100, 90, 80, 70].flatMap((coverage) =>
    [softmax, response].flatMap((other) => {
      // At full coverage the ranking plays no part.
      if (coverage === 100 && other === response) return [];
      const text = comparison(side(abstention, coverage), side(other, coverage), ' %', 2);
      return text === null ? [] : [`Error at a coverage of ${coverage} %: ${text}.`];
    }),
  );
  return [...falls(results), ...compared];
}

/** Whether the error falls when the least sure images are left out, seed by seed. */
function falls(results: readonly TrainingResult[]): string[] {
  const [abstention] = rankings;
  const those = resultsOf(results, abstention.recipe, 0);
  const [all, part] = [100, 70].map((coverage) => statisticOf(those, errorAt(coverage, abstention))) as [
    Statistic | null,
    Statistic | null,
  ];
  if (all === null || part === null) return [];
  const falling = those.filter((result) => {
    const errors = coverages.map((coverage) => errorAt(coverage, abstention)(result) ?? NaN);
    return errors.every((error, index) => index === 0 || error <= errors[index - 1]!);
  });
  return [
    `${methodOf(abstention.name).title}: error ${formatStatistic(all, 2)} % on all images, ${formatStatistic(part, 2)} % on the surest 70 %; ` +
      `it falls at every step of coverage in ${falling.length} of ${those.length} ${those.length === 1 ? 'seed' : 'seeds'}.`,
  ];
}
