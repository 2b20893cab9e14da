import { AppError } from '../../../shared/result.ts';
import {
  comparisons,
  conditionCurve,
  conditionsOf,
  failures,
  differenceOf,
  least,
  methodCurve,
  methodsOf,
  percent,
  statisticsOf,
  type Measure,
} from '../compare.ts';
import type {
  Experiment,
  LabPreset,
  LabSettings,
  LabTraining,
  Summary,
  SummaryContext,
  TrainingResult,
} from '../experiment.ts';
import { adaptationMark, epochPanel, type Figure } from '../figure.ts';
import { methodOf } from '../methods.ts';
import { cifar10Confusion, type NoiseKind } from '../noise.ts';
import { authorsDoubleDescentPreset, smallPreset, trainingsOf, usualOptions } from '../presets.ts';
import type { Table } from '../table.ts';

/** 15 % wrong labels among ten classes. */
const wrongLabels = { kind: 'uniform' as NoiseKind, rates: [0.1667], confusion: cifar10Confusion };
const recipes = ['cross-entropy', 'sat'];

const small = smallPreset({
  // E_s and α are those of the widest network; see forWidth.
  settings: {
    epochs: 16,
    startEpoch: 3,
    optimizer: 'adam',
    learningRate: 1e-3,
    schedule: { kind: 'constant' },
    weightDecay: 0,
  },
  recipes,
  noise: wrongLabels,
  widths: [16],
  evaluateEvery: 1,
});

/** Double descent: error over epochs and over the width of the network (Huang et al. 2020, section 3.3; Nakkiran et al. 2020). */
export const doubleDescent: Experiment = {
  name: 'double-descent',
  sentence: 'Follows the held-out error over epochs and widths when some labels are wrong, with SAT and without.',
  presets: [
    small,
    authorsDoubleDescentPreset(64, {
      recipes,
      noise: wrongLabels,
      widths: [1, 2, 4, 8, 12, 16, 24, 32, 48, 64],
      evaluateEvery: 20,
    }),
  ],
  options: [...usualOptions.filter((option) => option !== 'width'), 'widths', 'rates'],
  trainings,
  summarise,
};

/**
 * The authors' adjustment to the width b of a network whose full width is B: α_b = α^(b/B), E_b = ⌊E_s · B/b⌋, because a narrower
 * network learns more slowly. `settings.width` is B.
 */
export function forWidth(settings: LabSettings, width: number): LabSettings {
  const startEpoch = Math.floor((settings.startEpoch * settings.width) / width);
  if (startEpoch >= settings.epochs) {
    throw new AppError(
      'invalid-input',
      `At a width of ${width}, targets would adapt from epoch ${startEpoch} on, but the run has ${settings.epochs}. ` +
        'Leave that width out of --widths, choose an earlier --start-epoch or more --epochs.',
    );
  }
  return { ...settings, width, startEpoch, targetMomentum: settings.targetMomentum ** (width / settings.width) };
}

function trainings(preset: LabPreset): LabTraining[] {
  const { widths, settings, recipes } = preset;
  const [rate, ...others] = preset.noise?.rates ?? wrongLabels.rates;
  if (others.length > 0)
    throw new AppError('invalid-input', 'This experiment has one noise rate; give one value with --rates.');
  return trainingsOf(
    preset,
    widths.flatMap((width) =>
      recipes.map((recipe) => ({
        name: `${recipe}-width-${width}`,
        method: recipe,
        condition: width,
        settings: { ...forWidth(settings, width), recipe },
        noise: { kind: 'uniform' as const, rate: rate! },
      })),
    ),
  );
}

function summarise(results: readonly TrainingResult[], preset: LabPreset, { classes }: SummaryContext): Summary {
  return {
    tables: [errorTable(results)],
    figures: [curves(results, wrongShare(preset, classes.length)), ...errorByWidth(results)],
    findings: [
      ...conditionsOf(results).flatMap((condition) =>
        comparisons(results, { condition, first: 'sat', second: 'cross-entropy', prefix: `Width ${condition}, ` }, [
          { title: 'rise of the held-out error from its least to the end', measure: rise, unit: ' points' },
          { title: 'held-out error at the end', measure: finalError, unit: ' %' },
          { title: 'least held-out error', measure: leastError, unit: ' %' },
        ]),
      ),
      ...failures(results),
    ],
  };
}

const finalError: Measure = ({ evaluations }) => errorOf(evaluations.at(-1)?.accuracy ?? null);
const leastError: Measure = ({ evaluations }) => least(evaluations.map(({ accuracy }) => errorOf(accuracy)));
const rise = differenceOf(finalError, leastError);

/** In percent. */
function errorOf(accuracy: number | null): number | null {
  return percent(accuracy === null ? null : 1 - accuracy);
}

function errorTable(results: readonly TrainingResult[]): Table {
  return {
    name: 'double-descent',
    title: 'Held-out error over the epochs, by width',
    columns: [
      { title: 'Width', digits: 0 },
      { title: 'Method', digits: 0 },
      { title: 'Least error (%)', digits: 1 },
      { title: 'Error at the end (%)', digits: 1 },
      { title: 'Rise from least to end (points)', digits: 1 },
      { title: 'Training accuracy at the end, on given labels (%)', digits: 1 },
    ],
    rows: conditionsOf(results).flatMap((width) =>
      methodsOf(results).map((method) => [
        width,
        methodOf(method).title,
        ...statisticsOf(results, method, width, [leastError, finalError, rise, trainingAccuracy]),
      ]),
    ),
  };
}

const trainingAccuracy: Measure = ({ epochs }) => percent(epochs.at(-1)?.accuracy ?? null);

/** Of the labels, in percent: those that are redrawn and do not happen to get their own class again. */
function wrongShare({ noise }: LabPreset, classes: number): number {
  const [rate = 0] = noise?.rates ?? [];
  return 100 * rate * (1 - 1 / classes);
}

function curves(results: readonly TrainingResult[], wrong: number): Figure {
  const startEpochs = new Map(
    results
      .filter(({ training }) => training.method === 'sat')
      .map(({ training }) => [training.condition, training.settings.startEpoch]),
  );
  return {
    name: 'error-over-epochs',
    title: `Held-out error with ${Number(wrong.toFixed(1))} % wrong labels, by width of the network`,
    panels: conditionsOf(results).map((width) => {
      const startEpoch = startEpochs.get(width);
      return epochPanel(
        `Width ${width}`,
        'Held-out error (%)',
        methodsOf(results).map((method) => methodCurve(results, method, width, ({ accuracy }) => errorOf(accuracy))),
        startEpoch === undefined ? [] : [adaptationMark(startEpoch)],
      );
    }),
  };
}

/** Only with several widths is there a curve to draw. */
function errorByWidth(results: readonly TrainingResult[]): Figure[] {
  if (conditionsOf(results).length < 2) return [];
  return [
    {
      name: 'error-by-width',
      title: 'Held-out error at the end, by width of the network',
      panels: [
        {
          title: '',
          x: { title: 'Width (channels of the first convolution)', scale: 'log2' },
          y: { title: 'Held-out error (%)', scale: 'linear' },
          series: methodsOf(results).map((method) => conditionCurve(results, method, finalError)),
          marks: [],
        },
      ],
    },
  ];
}
