import { readFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { InvalidArgumentError, Option, type Command } from 'commander';
import * as v from 'valibot';
import type { LabelsFile } from '../../../../shared/api.ts';
import { engineNames, networkNames, type EngineChoice } from '../../../../shared/domain.ts';
import { AppError, errorMessage } from '../../../../shared/result.ts';
import { runLab, type LabProgress } from '../../../app/lab.ts';
import type { Experiment, LabOverrides } from '../../../lab/experiment.ts';
import { experiments } from '../../../lab/experiments/registry.ts';
import { methodOf } from '../../../lab/methods.ts';
import { noiseKinds, type Confusion } from '../../../lab/noise.ts';
import { applyOverrides } from '../../../lab/overrides.ts';
import type { LabReport } from '../../../lab/report.ts';
import { formatCell, type Table } from '../../../lab/table.ts';
import { dataFolder, programPaths } from '../../paths.ts';
import { withInterrupt } from '../interrupt.ts';
import { createCliLogger } from '../logger.ts';
import { printJson, printLine, say } from '../output.ts';
import { createProgress, type Progress } from '../progress.ts';
import { formatDuration, formatNumber, formatPercent, formatTable } from '../text.ts';

/** `winnow lab <experiment>`: one command for each, with the options that it has a use for. */
export function addLabCommands(lab: Command, onExit: (code: number) => void): void {
  for (const experiment of experiments) {
    const command = lab
      .command(experiment.name)
      .description(experiment.sentence)
      .requiredOption('--images <folder>', 'training images; the folder is only read')
      .addOption(new Option('--labels <file>', 'CSV that names their true labels; without it, folders are classes'))
      .requiredOption('--test <folder>', 'held-out images of the same classes')
      .addOption(new Option('--test-labels <file>', 'CSV that names their labels; without it, folders are classes'))
      .addOption(new Option('--file-column <name>', 'column of paths relative to the folder').default('file'))
      .addOption(new Option('--label-column <name>', 'column of labels').default('label'))
      .addOption(
        new Option('--preset <name>', 'all numbers of the experiment')
          .choices(experiment.presets.map(({ name }) => name))
          .default(experiment.presets[0]!.name),
      );
    for (const option of experiment.options) command.addOption(overrideOptions[option]());
    command
      .addOption(new Option('--engine <name>', 'what computes').choices(['auto', ...engineNames]).default('auto'))
      .addOption(
        new Option('--out <folder>', 'folder for the report; the same one again goes on').default(
          `winnow-lab-${experiment.name}`,
        ),
      )
      .addOption(new Option('--json', 'print the report as JSON'))
      .action(async (options: LabCommandOptions) => onExit(await labCommand(experiment, options)));
  }
}

type LabCommandOptions = Partial<Omit<LabOverrides, 'confusion'>> & {
  images: string;
  labels?: string;
  test: string;
  testLabels?: string;
  fileColumn: string;
  labelColumn: string;
  preset: string;
  confusion?: string;
  engine: EngineChoice;
  out: string;
  json?: true;
};

const overrideOptions: Record<keyof LabOverrides, () => Option> = {
  seeds: () => new Option('--seeds <list>', 'one training of each kind per seed, such as 1,2,3').argParser(parseSeeds),
  rates: () => new Option('--rates <list>', 'shares of noisy images, such as 0.2,0.4').argParser(parseNumbers),
  kind: () => new Option('--kind <name>', 'what is disturbed').choices(noiseKinds),
  confusion: () =>
    new Option(
      '--confusion <file>',
      'for asymmetric noise: JSON object of the class that each class is mistaken for (default: those of CIFAR-10)',
    ),
  recipes: () =>
    new Option('--recipes <list>', 'what is compared, such as cross-entropy,sat,sat-symmetric').argParser((text) =>
      text.split(',').map((name) => name.trim()),
    ),
  samples: () =>
    new Option('--samples <number>', 'training images, balanced over the classes').argParser(parsePositive),
  testSamples: () =>
    new Option('--test-samples <number>', 'held-out images, balanced over the classes').argParser(parsePositive),
  epochs: () => new Option('--epochs <number>', 'passes over the images').argParser(parsePositive),
  startEpoch: () =>
    new Option('--start-epoch <number>', 'E_s: epoch, from 0, in which targets start to adapt').argParser(parseCount),
  targetMomentum: () => new Option('--target-momentum <number>', 'α, from 0 to 1').argParser(parseNumber),
  learningRate: () => new Option('--learning-rate <number>', 'peak of the learning rate').argParser(parseNumber),
  network: () => new Option('--network <name>', 'network to train').choices(networkNames),
  width: () => new Option('--width <number>', 'channels of its first convolution').argParser(parsePositive),
  widths: () => new Option('--widths <list>', 'widths to compare, such as 4,8,16').argParser(parseWidths),
};

async function labCommand(experiment: Experiment, options: LabCommandOptions): Promise<number> {
  const preset = applyOverrides(
    experiment.presets.find(({ name }) => name === options.preset)!,
    overridesOf(options),
  );
  const abort = new AbortController();
  const progress = createProgress('Lab', process.stderr);
  const { version, nodePath, trainerProgram } = programPaths();
  const labelsFile = (file: string | undefined): LabelsFile | null =>
    file === undefined
      ? null
      : { file: path.resolve(file), fileColumn: options.fileColumn, labelColumn: options.labelColumn };
  try {
    const report = await withInterrupt(
      () => {
        progress.note('Stopping; finished trainings are kept …');
        abort.abort();
      },
      () =>
        runLab(
          {
            experiment,
            preset,
            images: path.resolve(options.images),
            labels: labelsFile(options.labels),
            test: path.resolve(options.test),
            testLabels: labelsFile(options.testLabels),
            engine: options.engine,
            out: path.resolve(options.out),
            command: commandLine(),
          },
          {
            version,
            dataFolder: dataFolder(),
            nodePath,
            trainerProgram,
            logger: createCliLogger(),
            onProgress: (state) => showProgress(state, progress),
            signal: abort.signal,
          },
        ),
    );
    progress.end();
    if (options.json) printJson(report);
    else printReport(report, options.out);
    if (report.missing.length > 0)
      say(`Stopped with ${report.missing.length} trainings to go; the same command goes on from here.`);
    return report.missing.length === 0 ? 0 : 1;
  } finally {
    progress.end();
  }
}

function overridesOf(options: LabCommandOptions): LabOverrides {
  return {
    seeds: options.seeds ?? null,
    rates: options.rates ?? null,
    kind: options.kind ?? null,
    confusion: options.confusion === undefined ? null : readConfusion(options.confusion),
    recipes: options.recipes ?? null,
    samples: options.samples ?? null,
    testSamples: options.testSamples ?? null,
    epochs: options.epochs ?? null,
    startEpoch: options.startEpoch ?? null,
    targetMomentum: options.targetMomentum ?? null,
    learningRate: options.learningRate ?? null,
    network: options.network ?? null,
    width: options.width ?? null,
    widths: options.widths ?? null,
  };
}

// A list has string keys as well, and would pass for a record.
const confusionSchema = v.pipe(
  v.custom<object>((value) => !Array.isArray(value), 'it is a list'),
  v.record(v.string(), v.string()),
);

function readConfusion(file: string): Confusion {
  try {
    return v.parse(confusionSchema, JSON.parse(readFileSync(file, 'utf8')));
  } catch (error) {
    throw new AppError(
      'invalid-input',
      `${file} is no confusion: ${errorMessage(error)}. Expected a JSON object such as {"cat": "dog", "dog": "cat"}.`,
    );
  }
}

function showProgress(state: LabProgress, progress: Progress): void {
  switch (state.kind) {
    case 'preparing':
      progress.update({
        fraction: state.done / state.total,
        text: `preparing ${formatNumber(state.done)} of ${formatNumber(state.total)} images`,
        secondsLeft: null,
      });
      break;
    case 'training': {
      const { training, position, total, epochs, loss, secondsLeft } = state;
      progress.update({
        fraction: (position - 1 + epochs / training.settings.epochs) / total,
        text: `training ${position} of ${total} (${training.name}), epoch ${Math.floor(epochs) + 1} of ${training.settings.epochs}, loss ${loss.toFixed(3)}`,
        secondsLeft,
      });
      break;
    }
    case 'finished':
      progress.note(finishedLine(state));
  }
}

function finishedLine({ result, isReused, position, total }: Extract<LabProgress, { kind: 'finished' }>): string {
  const { training, error, evaluations, seconds } = result;
  const last = evaluations.at(-1);
  const measured = [
    ['held-out', last?.accuracy],
    ['under attack', last?.adversarialAccuracy],
    ['linear probe', last?.linearProbeAccuracy],
    ['recovered', result.labels?.recovered],
  ] as const;
  const parts = [
    `${position}/${total}  ${methodOf(training.method).title}, ${training.name}:`,
    ...(error === null ? [] : [`failed. ${error}`]),
    ...measured.flatMap(([name, share]) => (typeof share === 'number' ? [`${name} ${formatPercent(share)}`] : [])),
    isReused ? 'from an earlier run' : formatDuration(seconds),
  ];
  return parts.join('  ');
}

function printReport({ tables, findings, trainings }: LabReport, out: string): void {
  if (trainings.length === 0) return;
  for (const table of tables) printLine(`\n${table.title}\n${tableText(table)}`);
  printLine('');
  for (const finding of findings) printLine(finding);
  printLine(`\nreport: ${path.join(out, 'report.md')}`);
}

function tableText({ columns, rows }: Table): string {
  return formatTable(
    columns.map(({ title }) => title),
    rows.map((row) => row.map((cell, index) => formatCell(cell, columns[index]!.digits))),
    new Set(columns.flatMap((_, index) => (rows.some((row) => typeof row[index] === 'string') ? [] : [index]))),
  );
}

/** What was typed, as it would be typed again. */
function commandLine(): string {
  const words = process.argv
    .slice(2)
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`));
  return ['winnow', ...words].join(' ');
}

function parseNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value)) throw new InvalidArgumentError('It must be a number.');
  return value;
}

function parseNumbers(text: string): number[] {
  return text.split(',').map(parseNumber);
}

function parseCount(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value > 2 ** 31 - 1)
    throw new InvalidArgumentError('It must be a whole number from 0 to 2147483647.');
  return value;
}

function parsePositive(text: string): number {
  const value = parseCount(text);
  if (value === 0) throw new InvalidArgumentError('It must be a whole number from 1.');
  return value;
}

function parseSeeds(text: string): number[] {
  return text.split(',').map(parseCount);
}

function parseWidths(text: string): number[] {
  return text.split(',').map(parsePositive);
}
