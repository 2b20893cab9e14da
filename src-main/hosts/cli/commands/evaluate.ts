import path from 'node:path';
import type { ClassSummary, Evaluation, Triage, TriagePoint } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import { evaluate } from '../../../domain/metrics.ts';
import { pointAtCoverage } from '../../../domain/triage.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';
import { formatCount, formatNumber, formatPercent, formatTable } from '../text.ts';
import { readTruth, type TruthOptions } from '../truth.ts';
import { judgedSamples, requireFindings, toFlag, type JudgedSample } from './flags.ts';

export interface EvaluateOptions extends TruthOptions {
  json?: true;
}

export async function evaluateCommand(project: string, options: EvaluateOptions): Promise<number> {
  return await withService(async (client) => {
    const { imageFolder, classes } = await client.call('openProject', { path: path.resolve(project) });
    await requireFindings(client, project);
    const { samples } = await judgedSamples(client, { flaggedOnly: false, limit: Infinity });
    const truth = await readTruth(options, samples, imageFolder);
    if (truth.size === 0) {
      throw new AppError(
        'labels-file',
        `No file of ${options.truth} is in ${project}. Its paths must be relative to ${imageFolder}.`,
      );
    }
    const evaluation = evaluateSamples(samples, classes, truth);
    const without = samples.length - truth.size;
    if (without > 0) say(`${formatCount(without, 'image')} without a true label in ${options.truth} left out`);
    const triage = await client.call('getTriage', {});
    const accepted = triage === null ? [] : judgeTriage(triage, samples, classes, truth);
    if (options.json) {
      printJson({ ...evaluation, triage: accepted });
    } else {
      printEvaluation(evaluation);
      printTriageErrors(accepted);
    }
    return 0;
  });
}

/** Judges findings against the true labels; samples whose true label is not known are left out. */
export function evaluateSamples(
  samples: JudgedSample[],
  classes: ClassSummary[],
  truth: ReadonlyMap<string, string>,
): Evaluation {
  const known = samples.flatMap((sample) => {
    const trueLabel = truth.get(sample.path);
    return trueLabel === undefined ? [] : [{ ...toFlag(sample, classes), trueLabel, ...sample.finding }];
  });
  return evaluate({
    scores: known.map(({ score }) => score),
    isError: known.map(({ given, trueLabel }) => given !== trueLabel),
    isFlagged: known.map(({ flagged }) => flagged),
    isSuggestionRight: known.map(({ suggested, trueLabel }) => suggested === trueLabel),
  });
}

/** A point of the triage with the share of labels that are really wrong among the accepted ones. */
type JudgedPoint = Pick<TriagePoint, 'coverage' | 'accepted' | 'expectedError'> & { trueError: number };

const judgedCoverages = [0.5, 0.8, 0.9];

function judgeTriage(
  triage: Triage,
  samples: JudgedSample[],
  classes: ClassSummary[],
  truth: ReadonlyMap<string, string>,
): JudgedPoint[] {
  const known = samples.flatMap((sample) => {
    const trueLabel = truth.get(sample.path);
    const isWrong = toFlag(sample, classes).given !== trueLabel;
    return trueLabel === undefined ? [] : [{ rank: sample.finding.score, isWrong }];
  });
  return judgedCoverages.map((wanted) => {
    const { coverage, accepted, expectedError, threshold } = pointAtCoverage(triage, wanted);
    const below = known.filter(({ rank }) => rank < threshold);
    const wrong = below.filter(({ isWrong }) => isWrong).length;
    return { coverage, accepted, expectedError, trueError: below.length === 0 ? 0 : wrong / below.length };
  });
}

function printTriageErrors(points: JudgedPoint[]): void {
  if (points.length === 0) return;
  printLine('\nWrong labels among those that triage accepts');
  const rows = points.map(({ coverage, accepted, expectedError, trueError }) => [
    formatPercent(coverage),
    formatNumber(accepted),
    formatPercent(expectedError),
    formatPercent(trueError),
  ]);
  printLine(formatTable(['coverage', 'accepted', 'expected', 'true'], rows, new Set([0, 1, 2, 3])));
}

export function printEvaluation(evaluation: Evaluation): void {
  printLine(formatTable(['figure', 'value', 'meaning'], evaluationRows(evaluation), new Set([1])));
}

/** Name, value and meaning of every figure. */
export function evaluationRows(evaluation: Evaluation): [string, string, string][] {
  return [
    ['samples', formatNumber(evaluation.samples), 'images with a known true label'],
    ['errors', formatNumber(evaluation.errors), 'of them have a wrong given label'],
    ['auroc', evaluation.auroc.toFixed(4), 'chance that a wrong label scores above a right one'],
    ['averagePrecision', evaluation.averagePrecision.toFixed(4), 'area under precision over recall'],
    ['flagged', formatNumber(evaluation.flagged), 'images that the cut flags'],
    ['precision', formatPercent(evaluation.precision), 'of the flagged labels are wrong'],
    ['recall', formatPercent(evaluation.recall), 'of the wrong labels are flagged'],
    ['f1', evaluation.f1.toFixed(4), 'harmonic mean of the two'],
    [
      'reviewsFor90',
      formatPercent(evaluation.reviewsFor90),
      'of all images to look at, worst first, to meet 90 % of the errors',
    ],
    [
      'suggestedLabelAccuracy',
      formatPercent(evaluation.suggestedLabelAccuracy),
      'of the errors are suggested their true label',
    ],
  ];
}
