import { stringify } from 'csv-stringify/sync';
import { formatStatistic, type Statistic } from './statistics.ts';

export interface Table {
  /** Name of its file. */
  name: string;
  title: string;
  columns: Column[];
  rows: Cell[][];
}

export interface Column {
  /** With the unit, for example `Test accuracy (%)`. */
  title: string;
  /** Decimals of its numbers. */
  digits: number;
}

/** Null where there is nothing to tell. */
export type Cell = string | number | Statistic | null;

/** Markdown, numbers aligned to the right. */
export function tableToMarkdown({ columns, rows }: Table): string {
  const lines = [
    columns.map(({ title }) => title),
    columns.map((_, index) => (rows.some((row) => typeof row[index] === 'string') ? '---' : '---:')),
    ...rows.map((row) => row.map((cell, index) => formatCell(cell, columns[index]!.digits))),
  ];
  return lines.map((line) => `| ${line.map((text) => text.replaceAll('|', '\\|')).join(' | ')} |`).join('\n');
}

/** CSV for machines: a statistic takes three columns, its mean, its standard deviation and the number of seeds. */
export function tableToCsv({ columns, rows }: Table): string {
  const isStatistic = columns.map((_, index) => rows.some((row) => isStatisticCell(row[index] ?? null)));
  const header = columns.flatMap(({ title }, index) =>
    isStatistic[index] ? [title, `${title}, standard deviation`, `${title}, seeds`] : [title],
  );
  const body = rows.map((row) =>
    row.flatMap((cell, index): (string | number | null)[] => {
      if (isStatisticCell(cell)) return [cell.mean, cell.deviation, cell.count];
      return isStatistic[index] ? [cell, null, null] : [cell];
    }),
  );
  return stringify([header, ...body]);
}

/** As text; a dash for nothing. */
export function formatCell(cell: Cell, digits: number): string {
  if (cell === null) return '–';
  if (typeof cell === 'string') return cell;
  return typeof cell === 'number' ? cell.toFixed(digits) : formatStatistic(cell, digits);
}

function isStatisticCell(cell: Cell): cell is Statistic {
  return typeof cell === 'object' && cell !== null;
}
