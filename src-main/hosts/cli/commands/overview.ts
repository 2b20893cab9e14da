import path from 'node:path';
import type { ClassSummary, Overview } from '../../../../shared/domain.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine } from '../output.ts';
import { formatCount, formatDuration, formatNumber, formatPercent, formatTable, printable } from '../text.ts';

export interface OverviewOptions {
  json?: true;
}

const pairsForPeople = 10;

export async function overviewCommand(project: string, options: OverviewOptions): Promise<number> {
  return await withService(async ({ call }) => {
    const { classes } = await call('openProject', { path: path.resolve(project) });
    const overview = await call('getOverview', {});
    if (options.json) printJson(overview);
    else printOverview(overview, classes);
    return 0;
  });
}

function printOverview(overview: Overview, classes: ClassSummary[]): void {
  const { samples, found, remaining, pace } = overview;
  const decided = overview.classes.reduce((sum, one) => sum + one.decided, 0);
  printLine(
    `${formatCount(samples, 'image')}, ${formatNumber(decided)} of them decided; ${formatCount(found, 'wrong label')} found.`,
  );
  printLine(
    remaining === null
      ? 'How many wrong labels remain is not known before a training.'
      : `About ${formatNumber(Math.round(remaining.expected))} wrong labels remain; between ${formatNumber(Math.round(remaining.low))} and ${formatNumber(Math.round(remaining.high))}, with 90 % probability. ${remaining.explanation}`,
  );
  printLine(describePace(pace));

  const names = new Map(classes.map(({ id, name }) => [id, printable(name)]));
  const rows = overview.classes
    .toSorted((a, b) => b.expectedWrong - a.expectedWrong || b.given - a.given)
    .map((one) => [
      names.get(one.classId) ?? '',
      formatNumber(one.given),
      formatNumber(one.current),
      formatNumber(one.decided),
      formatNumber(one.foundWrong),
      ...(remaining === null
        ? []
        : [
            formatNumber(Math.round(one.expectedWrong)),
            one.given === 0 ? '' : formatPercent(one.expectedWrong / one.given),
          ]),
    ]);
  const header = ['class', 'given', 'now', 'decided', 'found wrong'];
  if (remaining !== null) header.push('expected wrong', 'share');
  printLine(`\n${formatTable(header, rows, new Set([1, 2, 3, 4, 5, 6]))}`);

  const pairs = overview.pairs
    .slice(0, pairsForPeople)
    .map((pair) => [
      names.get(pair.givenClassId) ?? '',
      names.get(pair.otherClassId) ?? '',
      formatNumber(Math.round(pair.expected)),
    ]);
  if (pairs.length > 0) printLine(`\n${formatTable(['given', 'really', 'expected'], pairs, new Set([2]))}`);
}

function describePace({ perMinute, workedSeconds, left, secondsLeft }: Overview['pace']): string {
  const leftToDo = `${formatCount(left, 'flagged image')} left to decide`;
  if (perMinute === null || secondsLeft === null) return `${leftToDo}; too little was decided to tell the pace.`;
  return `${leftToDo}: about ${formatDuration(secondsLeft)} at ${formatNumber(perMinute)} a minute, after ${formatDuration(workedSeconds)} of work.`;
}
