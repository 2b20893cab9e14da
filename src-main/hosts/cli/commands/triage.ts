import path from 'node:path';
import { stringify } from 'csv-stringify/sync';
import type { Triage, TriagePoint } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import { pointAtCoverage } from '../../../domain/triage.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';
import { formatNumber, formatPercent, formatTable, printable } from '../text.ts';
import { judgedSamples, requireFindings, toFlag, type Flag } from './flags.ts';

export interface TriageOptions {
  coverage?: number;
  json?: true;
  csv?: true;
}

/** Enough to look at in a terminal; machines get everything. */
const linesForPeople = 50;
const coveragesForPeople = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1];

export async function triageCommand(project: string, options: TriageOptions): Promise<number> {
  return await withService(async (client) => {
    const { classes } = await client.call('openProject', { path: path.resolve(project) });
    await requireFindings(client, project);
    const triage = await client.call('getTriage', {});
    if (triage === null) throw new AppError('not-found', `${project} has no findings to triage. Train first.`);
    if (options.coverage === undefined) {
      if (options.json) printJson(triage);
      else if (options.csv) printCsv(triage.curve, pointColumns);
      else printCurve(triage);
      return 0;
    }
    const point = pointAtCoverage(triage, options.coverage);
    const { samples } = await judgedSamples(client, {
      flaggedOnly: false,
      limit: Infinity,
      triage: { part: 'look', threshold: point.threshold },
    });
    const look = samples
      .filter(({ state }) => state === 'unreviewed')
      .map((sample) => ({ ...toFlag(sample, classes), abstention: sample.finding.abstention }));
    const decided = samples.length - look.length;
    if (options.json) printJson({ runId: triage.runId, ...point, decided, look });
    else if (options.csv) printCsv(look, sampleColumns);
    else printLook(triage, point, look, decided);
    return 0;
  });
}

/** A sample to look at. */
type TriagedFlag = Flag & { abstention: number | null };

const pointColumns = ['coverage', 'accepted', 'threshold', 'expectedError', 'expectedErrorsLeft'];
const sampleColumns = ['file', 'given', 'suggested', 'score', 'weight', 'abstention'];

function printCsv(rows: readonly object[], columns: string[]): void {
  printLine(stringify([...rows], { header: true, columns }).trimEnd());
}

function printCurve(triage: Triage): void {
  const points = new Set(coveragesForPeople.map((coverage) => pointAtCoverage(triage, coverage)));
  const rows = [...points].map(({ coverage, accepted, expectedError, expectedErrorsLeft }) => [
    formatPercent(coverage),
    formatNumber(accepted),
    formatPercent(expectedError),
    formatNumber(triage.samples - accepted),
    formatNumber(Math.round(expectedErrorsLeft)),
  ]);
  printLine(
    formatTable(
      ['coverage', 'accepted', 'expected wrong', 'to look at', 'wrong there'],
      rows,
      new Set([0, 1, 2, 3, 4]),
    ),
  );
  say('Ordered by doubt. --coverage lists the images to look at.');
}

function printLook({ samples }: Triage, point: TriagePoint, look: TriagedFlag[], decided: number): void {
  const { coverage, accepted, expectedError, expectedErrorsLeft } = point;
  printLine(
    `Accept ${formatNumber(accepted)} of ${formatNumber(samples)} (${formatPercent(coverage)}) unseen: about ${formatPercent(expectedError)} of their labels are wrong. ` +
      `Of the other ${formatNumber(samples - accepted)}, about ${formatNumber(Math.round(expectedErrorsLeft))} are wrong; ` +
      `${formatNumber(decided)} of them are decided already, ${formatNumber(look.length)} are left to look at.`,
  );
  const rows = look
    .slice(0, linesForPeople)
    .map((flag) => [printable(flag.file), printable(flag.given), printable(flag.suggested), flag.score.toFixed(3)]);
  if (rows.length > 0) printLine(formatTable(['file', 'given', 'suggested', 'doubt'], rows, new Set([3])));
  if (look.length > rows.length) say(`… ${formatNumber(look.length - rows.length)} more; see --csv and --json`);
}
