import path from 'node:path';
import { stringify } from 'csv-stringify/sync';
import { emptyFilter, type QueueFilter } from '../../../../shared/api.ts';
import type { ClassSummary, Finding, SampleCard } from '../../../../shared/domain.ts';
import { AppError } from '../../../../shared/result.ts';
import type { DirectClient } from '../direct-client.ts';
import { withService } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';
import { formatNumber, formatTable, printable } from '../text.ts';

export interface FlagsOptions {
  limit?: number;
  all?: true;
  json?: true;
  csv?: true;
}

/** One line of `winnow flags`. */
export interface Flag {
  file: string;
  given: string;
  suggested: string;
  /** Doubt about the given label, 0..1. */
  score: number;
  /** Confidence weight of the sample, 0..1. */
  weight: number;
}

export type JudgedSample = SampleCard & { finding: Finding };

/** Cards are fetched in portions that the API allows. */
const cardsPerRequest = 1000;
/** Enough to look at in a terminal; machines get everything. */
const linesForPeople = 50;

export async function flagsCommand(project: string, options: FlagsOptions): Promise<number> {
  return await withService(async (client) => {
    const { classes } = await client.call('openProject', { path: path.resolve(project) });
    await requireFindings(client, project);
    const isForPeople = !options.json && !options.csv;
    const limit = options.limit ?? (isForPeople ? linesForPeople : Infinity);
    const { samples, total } = await judgedSamples(client, { flaggedOnly: !options.all, limit });
    const flags = samples.map((sample) => toFlag(sample, classes));
    if (options.json) printJson(flags);
    else if (options.csv)
      printLine(
        stringify(flags, { header: true, columns: ['file', 'given', 'suggested', 'score', 'weight'] }).trimEnd(),
      );
    else printFlags(flags, total);
    return 0;
  });
}

/** Samples that the newest run with findings has judged, worst first, and how many there are without the limit. */
export async function judgedSamples(
  client: DirectClient,
  { flaggedOnly, limit, triage = null }: { flaggedOnly: boolean; limit: number; triage?: QueueFilter['triage'] },
): Promise<{ samples: JudgedSample[]; total: number }> {
  const { ids } = await client.call('queryQueue', {
    filter: { ...emptyFilter, flaggedOnly, triage },
    sort: 'doubt',
  });
  const samples: JudgedSample[] = [];
  for (let start = 0; start < ids.length && samples.length < limit; start += cardsPerRequest) {
    const cards = await client.call('getSamples', { ids: [...ids.subarray(start, start + cardsPerRequest)] });
    for (const card of cards) if (card.finding !== null) samples.push({ ...card, finding: card.finding });
  }
  return { samples: samples.slice(0, limit === Infinity ? undefined : limit), total: ids.length };
}

export async function requireFindings(client: DirectClient, project: string): Promise<void> {
  if ((await client.call('getFindings', {})) === null) {
    throw new AppError(
      'not-found',
      `${project} has no finished epoch of a training yet. Run "winnow train ${project}" first.`,
    );
  }
}

export function toFlag({ path: file, givenClassId, finding }: JudgedSample, classes: ClassSummary[]): Flag {
  const nameOf = (id: number): string => classes.find((candidate) => candidate.id === id)?.name ?? `class ${id}`;
  return {
    file,
    given: nameOf(givenClassId),
    suggested: nameOf(finding.suggestedClassId),
    score: rounded(finding.score),
    weight: rounded(finding.weight),
  };
}

export function printFlags(flags: Flag[], total: number): void {
  const rows = flags.map(({ file, given, suggested, score, weight }) => [
    printable(file),
    printable(given),
    printable(suggested),
    score.toFixed(3),
    weight.toFixed(3),
  ]);
  printLine(formatTable(['file', 'given', 'suggested', 'score', 'weight'], rows, new Set([3, 4])));
  if (total > flags.length) say(`… ${formatNumber(total - flags.length)} more; see --limit, --csv and --json`);
}

function rounded(share: number): number {
  return Math.round(share * 1e6) / 1e6;
}
