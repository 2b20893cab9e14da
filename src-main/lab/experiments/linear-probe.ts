import {
  comparisons,
  failures,
  least,
  methodSeries,
  methodsOf,
  percent,
  pointsOf,
  resultsOf,
  statisticOf,
  statisticsOf,
  valuesAt,
  type Measure,
} from '../compare.ts';
import type { Experiment, LabPreset, LabSettings, LabTraining, Summary, TrainingResult } from '../experiment.ts';
import { epochPanel, type Figure, type Panel } from '../figure.ts';
import { methodOf } from '../methods.ts';
import { smallPreset, trainingsOf } from '../presets.ts';
import { formatStatistic } from '../statistics.ts';
import type { Table } from '../table.ts';

const small = smallPreset({
  source: "Ours, for a processor of two cores; the authors' settings of this part are not published.",
  settings: { recipe: 'pretrain', epochs: 14, startEpoch: 0, targetMomentum: 0.7, augmentation: 'views' },
  // Only the end is measured: the probe needs a finished encoder.
  evaluateEvery: 100_000,
});

/** How the encoder that learns from labels differs. */
const supervised: Partial<LabSettings> = { recipe: 'cross-entropy', augmentation: 'shift-flip', learningRate: 0.2 };

/** Linear classifiers on frozen features: self-supervised SAT against a random and a supervised encoder (TPAMI 2022). */
export const linearProbe: Experiment = {
  name: 'linear-probe',
  sentence: 'Fits a linear classifier on the features of a self-supervised, a random and a supervised encoder.',
  presets: [small],
  options: ['seeds', 'samples', 'testSamples', 'epochs', 'targetMomentum', 'learningRate', 'network', 'width'],
  trainings,
  summarise,
};

function trainings(preset: LabPreset): LabTraining[] {
  const { settings } = preset;
  const methods = {
    random: { ...settings, epochs: 0 },
    pretrain: settings,
    'cross-entropy': { ...settings, ...supervised },
  };
  return trainingsOf(
    preset,
    Object.entries(methods).map(([method, own]) => ({ name: method, method, settings: own, linearProbe: true })),
  );
}

function summarise(results: readonly TrainingResult[]): Summary {
  return {
    tables: [probeTable(results)],
    figures: [figure(results)],
    findings: [
      ...['random', 'cross-entropy'].flatMap((second) =>
        comparisons(results, { condition: 0, first: 'pretrain', second, prefix: '' }, [
          { title: 'Held-out accuracy of the linear probe', measure: probeAccuracy, unit: ' %' },
        ]),
      ),
      ...collapse(results),
      ...failures(results),
    ],
  };
}

const probeAccuracy: Measure = ({ evaluations }) => percent(evaluations.at(-1)?.linearProbeAccuracy ?? null);
const finalSpread: Measure = ({ epochs }) => epochs.at(-1)?.spread ?? null;
const leastSpread: Measure = ({ epochs }) => least(epochs.map(({ spread }) => spread));

function probeTable(results: readonly TrainingResult[]): Table {
  return {
    name: 'linear-probe',
    title: 'Linear classifier on frozen features',
    columns: [
      { title: 'Encoder', digits: 0 },
      { title: 'Held-out accuracy of the probe (%)', digits: 1 },
      { title: 'Spread at the end (1 healthy, 0 collapsed)', digits: 2 },
      { title: 'Least spread', digits: 2 },
    ],
    rows: methodsOf(results).map((method) => [
      encoderTitle(method),
      ...statisticsOf(results, method, 0, [probeAccuracy, finalSpread, leastSpread]),
    ]),
  };
}

function figure(results: readonly TrainingResult[]): Figure {
  const methods = methodsOf(results);
  const accuracies: Panel = {
    title: 'Linear probe',
    x: { title: 'Encoder', scale: 'names', names: methods.map(encoderTitle) },
    y: { title: 'Held-out accuracy (%)', scale: 'linear' },
    series: methods.map((method, x) => ({
      ...methodSeries(method, pointsOf(valuesAt(x, resultsOf(results, method, 0), probeAccuracy))),
      name: encoderTitle(method),
      dots: true,
    })),
    marks: [],
  };
  const spreads = resultsOf(results, 'pretrain', 0).flatMap(({ epochs }) =>
    epochs.flatMap(({ epoch, spread }) => (spread === null ? [] : [{ x: epoch + 1, y: spread }])),
  );
  const monitor = epochPanel(
    'Collapse monitor',
    'Spread (1 healthy, 0 collapsed)',
    [methodSeries('pretrain', pointsOf(spreads))],
    [
      { axis: 'y', at: 1, label: 'healthy', side: 'below' },
      { axis: 'y', at: 0, label: 'collapsed', side: 'above' },
    ],
  );
  return { name: 'linear-probe', title: 'What the features of an encoder are worth', panels: [accuracies, monitor] };
}

function encoderTitle(method: string): string {
  return method === 'cross-entropy' ? 'Supervised' : methodOf(method).title;
}

function collapse(results: readonly TrainingResult[]): string[] {
  const those = resultsOf(results, 'pretrain', 0);
  const [smallest, last] = [statisticOf(those, leastSpread), statisticOf(those, finalSpread)];
  if (smallest === null || last === null) return [];
  return [
    `Collapse monitor of self-supervised SAT (1 healthy, 0 collapsed): least ${formatStatistic(smallest, 2)} over the epochs, ${formatStatistic(last, 2)} at the end.`,
  ];
}
