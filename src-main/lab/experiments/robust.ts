import {
  bestAccuracy,
  comparisons,
  failures,
  differenceOf,
  finalAccuracy,
  largest,
  methodCurve,
  methodsOf,
  percent,
  statisticsOf,
  type Measure,
} from '../compare.ts';
import type { Experiment, LabPreset, LabTraining, Summary, TrainingResult } from '../experiment.ts';
import { adaptationMark, epochPanel, type Figure, type Panel } from '../figure.ts';
import { methodOf } from '../methods.ts';
import { authorsPreset, smallPreset, trainingsOf, usualOptions } from '../presets.ts';
import { publishedRobustTable } from '../published.ts';
import type { Table } from '../table.ts';

/** PGD-20 of the published evaluation. */
const evaluationAttack = { radius: 0.031, stepSize: 0.003, steps: 20 };

const small = smallPreset({
  settings: {
    recipe: 'robust',
    width: 12,
    startEpoch: 8,
    learningRate: 0.05,
    schedule: { kind: 'constant' },
    attack: { radius: 0.031, stepSize: 0.015, steps: 3 },
  },
  samples: 1200,
  testSamples: 400,
  evaluateEvery: 4,
  evaluationAttack,
});

/** Adversarial training: TRADES with labels against TRADES with self-adaptive targets (Huang et al. 2020, section 6). */
export const robust: Experiment = {
  name: 'robust',
  sentence:
    'Trains against an attack, with fixed labels (TRADES) and with self-adaptive targets, and attacks the result.',
  presets: [small, authorsPreset('authors-trades-cifar10', { evaluationAttack })],
  options: usualOptions,
  trainings,
  summarise,
};

function trainings(preset: LabPreset): LabTraining[] {
  const { settings } = preset;
  return trainingsOf(preset, [
    // Targets that never adapt are the labels: plain TRADES.
    { name: 'trades', method: 'trades', settings: { ...settings, startEpoch: settings.epochs } },
    { name: 'robust', method: 'robust', settings },
  ]);
}

function summarise(results: readonly TrainingResult[], preset: LabPreset): Summary {
  return {
    tables: [accuracyTable(results), publishedRobustTable],
    figures: [curves(results, preset)],
    findings: [
      ...comparisons(results, { condition: 0, first: 'robust', second: 'trades', prefix: '' }, [
        { title: 'Accuracy under attack at the end', measure: finalUnderAttack, unit: ' %' },
        { title: 'Best accuracy under attack', measure: bestUnderAttack, unit: ' %' },
        { title: 'Fall of the accuracy under attack from its best to the end', measure: fall, unit: ' points' },
        { title: 'Natural accuracy at the end', measure: finalAccuracy, unit: ' %' },
      ]),
      ...failures(results),
    ],
  };
}

const finalUnderAttack: Measure = ({ evaluations }) => percent(evaluations.at(-1)?.adversarialAccuracy ?? null);
const bestUnderAttack: Measure = ({ evaluations }) =>
  percent(largest(evaluations.map(({ adversarialAccuracy }) => adversarialAccuracy)));
const fall = differenceOf(bestUnderAttack, finalUnderAttack);

function accuracyTable(results: readonly TrainingResult[]): Table {
  return {
    name: 'robust',
    title: 'Held-out accuracy, natural and under attack',
    columns: [
      { title: 'Method', digits: 0 },
      { title: 'Natural, at the end (%)', digits: 1 },
      { title: 'Natural, best on the held-out images (%)', digits: 1 },
      { title: 'Under attack, at the end (%)', digits: 1 },
      { title: 'Under attack, best on the held-out images (%)', digits: 1 },
      { title: 'Under attack, fall from best to end (points)', digits: 1 },
    ],
    rows: methodsOf(results).map((method) => [
      methodOf(method).title,
      ...statisticsOf(results, method, 0, [finalAccuracy, bestAccuracy, finalUnderAttack, bestUnderAttack, fall]),
    ]),
  };
}

function curves(results: readonly TrainingResult[], preset: LabPreset): Figure {
  const { startEpoch } = preset.settings;
  const panel = (title: string, key: 'accuracy' | 'adversarialAccuracy'): Panel =>
    epochPanel(
      title,
      'Held-out accuracy (%)',
      methodsOf(results).map((method) => methodCurve(results, method, 0, (evaluation) => percent(evaluation[key]))),
      [adaptationMark(startEpoch)],
    );
  const attack = preset.evaluationAttack;
  return {
    name: 'accuracy-over-epochs',
    title: 'Adversarial training: held-out accuracy',
    panels: [
      panel('Natural images', 'accuracy'),
      panel(`Under attack (PGD-${attack?.steps ?? 0}, ε = ${attack?.radius ?? 0})`, 'adversarialAccuracy'),
    ],
  };
}
