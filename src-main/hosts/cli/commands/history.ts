import path from 'node:path';
import type { HistoryPage } from '../../../../shared/api.ts';
import type { HistoryEntry } from '../../../../shared/domain.ts';
import { withService, type DirectClient } from '../direct-client.ts';
import { printJson, printLine, say } from '../output.ts';
import { formatNumber, formatTable, printable } from '../text.ts';

export interface HistoryOptions {
  limit?: number;
  by?: string;
  json?: true;
}

export async function historyCommand(project: string, { limit, by, json }: HistoryOptions): Promise<number> {
  return await withService(async (client) => {
    await client.call('openProject', { path: path.resolve(project) });
    const { entries, total, authors } = await readHistory(
      client,
      by ?? null,
      limit ?? (json ? Infinity : linesForPeople),
    );
    if (json) printJson(entries);
    else if (authors.length === 0) say('Nothing was decided yet.');
    else if (total === 0) say(`Nothing was decided by ${by ?? ''}, only by ${authors.map(nameOf).join(', ')}.`);
    else printHistory(entries, total);
    return 0;
  });
}

/** Entries are fetched in portions that the API allows. */
const entriesPerRequest = 500;
/** Enough to look at in a terminal; machines get everything. */
const linesForPeople = 50;

async function readHistory(client: DirectClient, author: string | null, limit: number): Promise<HistoryPage> {
  const entries: HistoryEntry[] = [];
  for (;;) {
    const wanted = Math.min(entriesPerRequest, limit - entries.length);
    const page = await client.call('listHistory', { before: entries.at(-1)?.id ?? null, limit: wanted, author });
    entries.push(...page.entries);
    if (page.entries.length < wanted || entries.length === limit) return { ...page, entries };
  }
}

function printHistory(entries: HistoryEntry[], total: number): void {
  const rows = entries.map(({ madeAt, author, label, status }) => [
    localTime(madeAt),
    printable(author),
    printable(label),
    status === 'done' ? '' : status,
  ]);
  printLine(formatTable(['when', 'who', 'what', ''], rows, new Set()));
  if (total > entries.length) say(`… ${formatNumber(total - entries.length)} more; see --limit and --json`);
}

function nameOf(author: string): string {
  return author === '' ? 'somebody without a name' : author;
}

/** `2026-02-03 04:05` on the clock of this machine. */
function localTime(iso: string): string {
  // Swedes write their dates like this.
  return new Date(iso).toLocaleString('sv-SE', { dateStyle: 'short', timeStyle: 'short' });
}
