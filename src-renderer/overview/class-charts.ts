import type { ClassId, ClassStatistics } from '../../shared/domain.ts';
import { baseOption, labelWidthOf, nameAxis, valueAxis, type ChartContent } from '../ui/chart.ts';
import { formatCount, formatShare } from '../ui/format.ts';

/** Classes shown before a person asks for all. */
export const classesAtFirst = 14;

export type NameOf = (id: ClassId) => string;

/** Of one class, in pixels. */
const rowHeight = { noise: 22, balance: 16 };
const edge = { top: 4, axis: 24, legend: 26 };

/** Classes by the expected share of wrong labels, highest first; the bar is split into found and still expected. */
export function noiseChart(
  classes: readonly ClassStatistics[],
  limit: number,
  nameOf: NameOf,
  open: (classId: ClassId) => void,
): ChartContent & { classIds: ClassId[] } {
  const rows = classes
    .filter((item) => item.given > 0)
    .map((item) => ({ ...item, name: nameOf(item.classId), noise: item.expectedWrong / item.given }))
    .toSorted((first, second) => second.noise - first.noise || second.given - first.given);
  const shown = rows.slice(0, limit);
  const names = shown.map((row) => row.name);
  const labelWidth = labelWidthOf(names);
  const worst = rows[0];
  const foundShares = shown.map((row) => row.foundWrong / row.given);
  return {
    classIds: shown.map((row) => row.classId),
    summary:
      worst === undefined
        ? 'No class has images.'
        : `Most wrong labels are expected in ${worst.name}: ${formatShare(worst.noise)}, ${wrongOf(worst)} images.`,
    table: {
      columns: ['Class', 'Given', 'Found wrong', 'Expected wrong', 'Share'],
      rows: rows.map((row) => ({
        cells: [
          row.name,
          formatCount(row.given),
          formatCount(row.foundWrong),
          formatExpected(row.expectedWrong),
          formatShare(row.noise),
        ],
        open: () => open(row.classId),
      })),
    },
    height: heightOf(shown.length, rowHeight.noise),
    option: (theme) => {
      const base = baseOption(theme);
      return {
        ...base,
        grid: { left: labelWidth + 12, right: 104, top: edge.legend, bottom: edge.axis },
        legend: legend(theme.muted),
        tooltip: { ...base.tooltip, trigger: 'axis', axisPointer: { type: 'none' }, formatter: tooltip },
        xAxis: { ...valueAxis(theme), axisLabel: { ...valueAxis(theme).axisLabel, formatter: formatTick } },
        yAxis: {
          ...nameAxis(theme, names, labelWidth),
          inverse: true,
        },
        series: [
          {
            name: 'found wrong',
            type: 'bar',
            stack: 'wrong',
            barWidth: 11,
            data: foundShares,
            itemStyle: { color: theme.muted },
          },
          {
            name: 'still expected',
            type: 'bar',
            stack: 'wrong',
            barWidth: 11,
            data: shown.map((row, index) => Math.max(0, row.noise - foundShares[index]!)),
            itemStyle: { color: theme.accent },
            label: {
              show: true,
              position: 'right',
              color: theme.muted,
              formatter: ({ dataIndex }) => wrongOf(shown[dataIndex]!),
            },
          },
        ],
      };
    },
  };

  function tooltip(points: unknown): string {
    const row = shown[(points as { dataIndex: number }[])[0]?.dataIndex ?? -1];
    if (row === undefined) return '';
    return [
      row.name,
      `${formatShare(row.noise)} of ${formatCount(row.given)} look wrong: ${formatExpected(row.expectedWrong)}`,
      `${formatCount(row.foundWrong)} found so far, ${formatCount(row.decided)} decided`,
    ].join('\n');
  }
}

/** Images of each class by the given labels, and by the labels as they are now; largest first. */
export function balanceChart(
  classes: readonly ClassStatistics[],
  limit: number,
  nameOf: NameOf,
  open: (classId: ClassId) => void,
): ChartContent & { classIds: ClassId[] } {
  const rows = classes
    .map((item) => ({ ...item, name: nameOf(item.classId) }))
    .toSorted((first, second) => second.given - first.given || second.current - first.current);
  const shown = rows.slice(0, limit);
  const names = shown.map((row) => row.name);
  const labelWidth = labelWidthOf(names);
  const largest = rows[0];
  const smallest = rows.findLast((row) => row.given > 0);
  return {
    classIds: shown.map((row) => row.classId),
    summary:
      largest === undefined || smallest === undefined
        ? 'There are no classes.'
        : `The largest class is ${largest.name} with ${formatCount(largest.given)} images given, the smallest ${smallest.name} with ${formatCount(smallest.given)}.`,
    table: {
      columns: ['Class', 'Given', 'Now', 'Change'],
      rows: rows.map((row) => ({
        cells: [row.name, formatCount(row.given), formatCount(row.current), formatChange(row.current - row.given)],
        open: () => open(row.classId),
      })),
    },
    height: heightOf(shown.length, rowHeight.balance),
    option: (theme) => {
      const base = baseOption(theme);
      return {
        ...base,
        grid: { left: labelWidth + 12, right: 92, top: edge.legend, bottom: edge.axis },
        legend: legend(theme.muted),
        tooltip: { ...base.tooltip, trigger: 'axis', axisPointer: { type: 'none' }, formatter: tooltip },
        xAxis: { ...valueAxis(theme), splitNumber: 4 },
        yAxis: {
          ...nameAxis(theme, names, labelWidth),
          inverse: true,
        },
        series: [
          {
            name: 'given',
            type: 'bar',
            barWidth: 4,
            barGap: '20%',
            data: shown.map((row) => row.given),
            itemStyle: { color: theme.lineStrong },
          },
          {
            name: 'now',
            type: 'bar',
            barWidth: 4,
            data: shown.map((row) => row.current),
            itemStyle: { color: theme.text },
            label: {
              show: true,
              position: 'right',
              // Between the two bars, because it speaks of both.
              offset: [0, -3],
              color: theme.muted,
              formatter: ({ dataIndex }) => givenToNow(shown[dataIndex]!),
            },
          },
        ],
      };
    },
  };

  function tooltip(points: unknown): string {
    const row = shown[(points as { dataIndex: number }[])[0]?.dataIndex ?? -1];
    if (row === undefined) return '';
    return `${row.name}\n${formatCount(row.given)} given, ${formatCount(row.current)} now (${formatChange(row.current - row.given)})`;
  }
}

/** An expected number: whole where it is large enough, so that 0.4 does not read as nothing. */
export function formatExpected(value: number): string {
  return value > 0 && value < 9.95 ? value.toFixed(1) : formatCount(value);
}

function wrongOf({ expectedWrong, given }: ClassStatistics): string {
  return `${formatExpected(expectedWrong)} of ${formatCount(given)}`;
}

function givenToNow({ given, current }: ClassStatistics): string {
  return given === current ? formatCount(given) : `${formatCount(given)} → ${formatCount(current)}`;
}

function formatChange(change: number): string {
  if (change === 0) return '±0';
  return `${change > 0 ? '+' : '−'}${formatCount(Math.abs(change))}`;
}

function formatTick(share: number): string {
  return `${Math.round(share * 1000) / 10}\u202f%`;
}

function heightOf(rows: number, height: number): number {
  return rows * height + edge.legend + edge.axis;
}

function legend(color: string) {
  return {
    left: 0,
    top: edge.top,
    padding: 0,
    itemWidth: 10,
    itemHeight: 10,
    selectedMode: false as const,
    textStyle: { color },
  };
}
