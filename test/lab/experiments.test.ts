import { describe, expect, it } from 'vitest';
import { drawFigure } from '../../src-main/lab/draw.ts';
import type { Experiment, LabOverrides, LabTraining, TrainingResult } from '../../src-main/lab/experiment.ts';
import { doubleDescent, forWidth } from '../../src-main/lab/experiments/double-descent.ts';
import { linearProbe } from '../../src-main/lab/experiments/linear-probe.ts';
import { noise } from '../../src-main/lab/experiments/noise.ts';
import { experiments } from '../../src-main/lab/experiments/registry.ts';
import { robust } from '../../src-main/lab/experiments/robust.ts';
import { selective } from '../../src-main/lab/experiments/selective.ts';
import { applyOverrides } from '../../src-main/lab/overrides.ts';
import { tableToCsv, tableToMarkdown } from '../../src-main/lab/table.ts';
import { authorsDoubleDescent } from '../../src-main/sat/presets.ts';

const none: LabOverrides = {
  seeds: null,
  rates: null,
  kind: null,
  confusion: null,
  recipes: null,
  samples: null,
  testSamples: null,
  epochs: null,
  startEpoch: null,
  targetMomentum: null,
  learningRate: null,
  network: null,
  width: null,
  widths: null,
};
const cifar10 = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck'];

describe('trainings', () => {
  it.each(experiments.flatMap((experiment) => experiment.presets.map((preset) => ({ experiment, preset }))))(
    '$experiment.name $preset.name: named apart, all methods of a seed together, one noise for all of them',
    ({ experiment, preset }) => {
      const trainings = experiment.trainings(applyOverrides(preset, none));
      expect(new Set(trainings.map(({ name }) => name)).size).toBe(trainings.length);
      const seeds = trainings.map(({ seed }) => seed);
      expect(seeds).toEqual([...seeds].sort((a, b) => a - b));
      const noises = Map.groupBy(trainings, ({ seed, condition }) => `${seed} ${condition}`);
      for (const group of noises.values()) {
        expect(group.length).toBeGreaterThanOrEqual(2);
        for (const training of group) expect(training.noise).toEqual(group[0]!.noise);
      }
    },
  );

  it("gives every width the authors' α and E_s", () => {
    const { settings, widths } = doubleDescent.presets.find(({ name }) => name === 'authors-double-descent')!;
    for (const width of widths) {
      const { targetMomentum, ...rest } = forWidth(settings, width);
      const { targetMomentum: published, ...others } = authorsDoubleDescent(width).settings;
      expect(targetMomentum).toBeCloseTo(published, 12);
      expect(rest).toEqual(others);
    }
  });

  it('runs plain TRADES as robust training whose targets never adapt', () => {
    const [trades, adapting] = robust.trainings(robust.presets[0]!);
    expect(trades!.settings).toMatchObject({ recipe: 'robust', startEpoch: trades!.settings.epochs });
    expect(adapting!.settings.startEpoch).toBeLessThan(adapting!.settings.epochs);
  });

  it('keeps the place of E_s and of the steps when the run gets shorter', () => {
    const preset = robust.presets.find(({ name }) => name === 'authors-trades-cifar10')!;
    expect(applyOverrides(preset, { ...none, epochs: 10 }).settings).toMatchObject({
      epochs: 10,
      startEpoch: 7,
      schedule: { kind: 'steps', epochs: [7, 9, 10] },
    });
  });
});

describe('what cannot be', () => {
  it.each<[string, Partial<LabOverrides>, RegExp]>([
    ['a rate of 0', { rates: [0] }, /--rates/],
    ['a rate above 1', { rates: [0.2, 1.2] }, /--rates/],
    ['a seed twice', { seeds: [1, 2, 1] }, /--seeds names 1 twice/],
    ['α of 0', { targetMomentum: 0 }, /α.*between 0 and 1.*was 0/],
    ['an α below 0', { targetMomentum: -0.5 }, /α.*between 0 and 1.*was -0\.5/],
    ['α of 1', { targetMomentum: 1 }, /α.*between 0 and 1/],
    ['E_s beyond the run', { startEpoch: 40, epochs: 40 }, /never adapt/],
    ['a learning rate of 0', { learningRate: 0 }, /--learning-rate/],
    ['a confusion without its kind of noise', { confusion: { cat: 'dog' } }, /--kind asymmetric/],
    ['an unknown recipe', { recipes: ['sat', 'salt'] }, /no recipe "salt"/],
    ['a recipe without labels', { recipes: ['pretrain'] }, /learns no labels/],
    ['a recipe without its attack', { recipes: ['robust'] }, /winnow lab robust/],
  ])('%s is refused', (_name, overrides, message) => {
    expect(() => applyOverrides(noise.presets[0]!, { ...none, ...overrides })).toThrow(message);
  });

  it('targets that adapt in the very last epoch, or in the first, are not', () => {
    for (const startEpoch of [0, 39]) {
      const { settings } = applyOverrides(noise.presets[0]!, { ...none, startEpoch, epochs: 40 });
      expect(settings).toMatchObject({ startEpoch, epochs: 40 });
    }
  });

  it('a width whose targets would never adapt is refused', () => {
    const preset = applyOverrides(doubleDescent.presets[0]!, { ...none, widths: [1], epochs: 20 });
    expect(() => doubleDescent.trainings(preset)).toThrow(/width of 1.*--widths/);
  });
});

describe('noise', () => {
  /** SAT better in seeds 1 and 2, worse in 3; cross-entropy falls from its best. */
  const accuracies: Record<string, [number, number][]> = {
    'cross-entropy': [
      [0.6, 0.5],
      [0.62, 0.52],
      [0.7, 0.66],
    ],
    sat: [
      [0.6, 0.64],
      [0.61, 0.66],
      [0.6, 0.62],
    ],
  };
  const results = resultsOf(noise, {}, (training, result) => {
    const [first, last] = accuracies[training.method]![training.seed - 1]!;
    return {
      ...result,
      evaluations: [evaluation(0, first), evaluation(39, last)],
      labels: { samples: 100, wrong: 36, recovered: 0.5, memorised: 0.25, lost: 0, right: 0.8 },
    };
  });
  const summary = noise.summarise(results, noise.presets[0]!, { classes: cifar10 });

  it('averages over seeds and counts in how many it holds', () => {
    expect(tableToMarkdown(summary.tables[0]!)).toContain(
      '| 0.40 | SAT | 64.0 ± 2.0 | 64.0 ± 2.0 | 36 ± 0 | 50.0 ± 0.0 |',
    );
    expect(summary.findings[0]).toBe(
      'Noise rate 0.4, held-out accuracy at the end: SAT 64.0 ± 2.0 %, Cross-entropy 56.0 ± 8.7 %: higher in 2 and lower in 1 of 3 seeds.',
    );
    expect(summary.findings.find((finding) => finding.includes('fall'))).toContain(
      'SAT 0.0 ± 0.0 points, Cross-entropy 8.0 ± 3.5 points: lower in 3 of 3 seeds',
    );
  });

  it('writes means, deviations and seeds in columns of their own', () => {
    const [header, first] = tableToCsv(summary.tables[0]!).split('\n');
    expect(header).toMatch(
      /^Noise rate,Method,Accuracy at the end \(%\),"Accuracy at the end \(%\), standard deviation"/,
    );
    expect(first!.split(',')[0]).toBe('0.4');
  });

  it('leaves a training that failed out of the averages, and says so', () => {
    const broken = results.map((result) =>
      result.training.seed === 3 ? { ...result, error: 'The loss became NaN in epoch 3 of 40.' } : result,
    );
    const { findings } = noise.summarise(broken, noise.presets[0]!, { classes: cifar10 });
    expect(findings[0]).toContain('higher in 2 of 2 seeds');
    expect(findings.filter((finding) => finding.includes('NaN in epoch 3'))).toHaveLength(2);
  });

  it('draws the curves of both methods, their band and the published accuracy', () => {
    const svg = drawFigure(summary.figures[0]!);
    for (const text of ['Cross-entropy', 'SAT', 'Held-out accuracy (%)', 'Epochs', 'targets adapt', '92.64'])
      expect(svg).toContain(text);
    for (const color of ['#D55E00', '#0072B2']) {
      expect(svg.match(new RegExp(`stroke="${color}"`, 'g'))?.length).toBeGreaterThanOrEqual(2);
      expect(svg).toMatch(new RegExp(`fill="${color}" fill-opacity="0.18"`));
    }
  });

  it('sets published numbers beside other data only in the table', () => {
    const { figures, tables } = noise.summarise(results, noise.presets[0]!, { classes: ['cat', 'dog'] });
    expect(drawFigure(figures[0]!)).not.toContain('92.64');
    expect(tables.map(({ name }) => name)).toContain('published-noise');
  });
});

it('selective: error by coverage for each ranking', () => {
  const falling = Array.from({ length: 100 }, (_, i) => i / 400);
  const flat = new Array<number>(100).fill(0.25);
  const results = resultsOf(selective, { seeds: [1, 2] }, (training, result) => ({
    ...result,
    coverage:
      training.method === 'selective'
        ? { softmaxResponse: flat, abstention: falling }
        : { softmaxResponse: flat, abstention: null },
  }));
  const { tables, findings, figures } = selective.summarise(results, selective.presets[0]!, { classes: cifar10 });
  expect(tableToMarkdown(tables[0]!)).toContain('| 70 | 17.25 ± 0.00 | 25.00 ± 0.00 | 25.00 ± 0.00 |');
  expect(findings[0]).toContain('falls at every step of coverage in 2 of 2 seeds');
  expect(findings).toContain(
    'Error at a coverage of 90 %: Selective SAT, abstention 22.25 ± 0.00 %, Cross-entropy, softmax response 25.00 ± 0.00 %: lower in 2 of 2 seeds.',
  );
  expect(drawFigure(figures[0]!)).toContain('Coverage (% of the images)');
});

it('robust: the fall of the accuracy under attack', () => {
  const results = resultsOf(robust, {}, (training, result) => ({
    ...result,
    evaluations: [0.4, 0.5, training.method === 'trades' ? 0.42 : 0.5].map((adversarialAccuracy, i) => ({
      ...evaluation(i, 0.8),
      adversarialAccuracy,
    })),
  }));
  const { findings, figures } = robust.summarise(results, robust.presets[0]!, { classes: cifar10 });
  expect(findings[2]).toBe(
    'Fall of the accuracy under attack from its best to the end: TRADES + SAT 0.0 ± 0.0 points, TRADES 8.0 ± 0.0 points: lower in 3 of 3 seeds.',
  );
  expect(drawFigure(figures[0]!)).toContain('Under attack (PGD-20, ε = 0.031)');
});

it('double descent: the rise of the error from its least', () => {
  const overrides = { widths: [8, 16], rates: [0.5] };
  const results = resultsOf(doubleDescent, overrides, (training, result) => ({
    ...result,
    evaluations: [0.3, 0.6, training.method === 'sat' ? 0.6 : 0.5].map((accuracy, i) => evaluation(i, accuracy)),
  }));
  const preset = applyOverrides(doubleDescent.presets[0]!, { ...none, ...overrides });
  const { findings, figures } = doubleDescent.summarise(results, preset, { classes: cifar10 });
  expect(findings[0]).toBe(
    'Width 8, rise of the held-out error from its least to the end: SAT 0.0 ± 0.0 points, Cross-entropy 10.0 ± 0.0 points: lower in 3 of 3 seeds.',
  );
  expect(figures.map(({ name }) => name)).toEqual(['error-over-epochs', 'error-by-width']);
  // Half of the labels are redrawn, and a tenth of those get their own class again.
  expect(figures[0]!.title).toContain('with 45 % wrong labels');
  for (const figure of figures) expect(drawFigure(figure)).toContain('Held-out error (%)');
});

it('linear probe: encoders side by side and the collapse monitor', () => {
  const probe: Record<string, number> = { random: 0.3, pretrain: 0.5, 'cross-entropy': 0.7 };
  const results = resultsOf(linearProbe, {}, (training, result) => ({
    ...result,
    epochs: result.epochs.map((epoch) => ({ ...epoch, spread: training.method === 'pretrain' ? 0.9 : null })),
    evaluations: [{ ...evaluation(39, null), linearProbeAccuracy: probe[training.method]! }],
  }));
  const { findings, figures } = linearProbe.summarise(results, linearProbe.presets[0]!, { classes: cifar10 });
  expect(findings).toEqual([
    'Held-out accuracy of the linear probe: Self-supervised SAT 50.0 ± 0.0 %, Random encoder 30.0 ± 0.0 %: higher in 3 of 3 seeds.',
    'Held-out accuracy of the linear probe: Self-supervised SAT 50.0 ± 0.0 %, Cross-entropy 70.0 ± 0.0 %: lower in 3 of 3 seeds.',
    'Collapse monitor of self-supervised SAT (1 healthy, 0 collapsed): least 0.90 ± 0.00 over the epochs, 0.90 ± 0.00 at the end.',
  ]);
  const svg = drawFigure(figures[0]!);
  for (const text of ['Random encoder', 'Self-supervised SAT', 'Supervised', 'collapsed']) expect(svg).toContain(text);
});

/** A result of every training of the small preset. */
function resultsOf(
  experiment: Experiment,
  overrides: Partial<LabOverrides>,
  fill: (training: LabTraining, empty: TrainingResult) => TrainingResult,
): TrainingResult[] {
  const preset = applyOverrides(experiment.presets[0]!, { ...none, ...overrides });
  return experiment.trainings(preset).map((training) =>
    fill(training, {
      training,
      engine: { name: 'wasm', device: 'CPU', version: '1' },
      error: null,
      seconds: 1,
      epochs: [0, 1].map((epoch) => ({ epoch, loss: 1, accuracy: 0.5, spread: null, learningRate: 0.1, seconds: 1 })),
      evaluations: [],
      labels: null,
      coverage: null,
    }),
  );
}

function evaluation(epoch: number, accuracy: number | null): TrainingResult['evaluations'][number] {
  return { epoch, accuracy, adversarialAccuracy: null, linearProbeAccuracy: null };
}
