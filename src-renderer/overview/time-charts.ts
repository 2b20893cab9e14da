import type { Overview, RunSummary } from '../../shared/domain.ts';
import { baseOption, valueAxis, type ChartContent, type ChartTheme } from '../ui/chart.ts';
import { formatCount, formatCountOf, formatShare, formatWhen } from '../ui/format.ts';

/** Loss, agreement with the given labels, and doubts, over the epochs of a run, side by side. */
export function trainingChart(run: RunSummary): ChartContent {
  const { epochs } = run;
  const panels = [
    { title: 'Loss', values: epochs.map(({ loss }) => loss), format: (value: number) => value.toFixed(2) },
    { title: 'Agreement with labels', values: epochs.map(({ accuracy }) => accuracy), format: formatShare },
    { title: 'Doubts', values: epochs.map(({ doubts }) => doubts), format: formatCount },
  ].filter(({ values }) => values.some((value) => value !== null));
  const last = epochs.at(-1);
  return {
    summary:
      last === undefined
        ? 'No epoch is finished yet.'
        : `After ${formatCountOf(epochs.length, 'epoch')}: ${panels
            .map(({ title, values, format }) => `${title.toLowerCase()} ${format(values.at(-1) ?? 0)}`)
            .join(', ')}.`,
    table: {
      columns: ['Epoch', ...panels.map(({ title }) => title)],
      rows: epochs.map(({ epoch }, index) => ({
        cells: [String(epoch + 1), ...panels.map(({ values, format }) => formatOrDash(values[index], format))],
      })),
    },
    option: (theme) => {
      const base = baseOption(theme);
      const share = 100 / panels.length;
      const numbers = epochs.map(({ epoch }) => String(epoch + 1));
      return {
        ...base,
        tooltip: { ...base.tooltip, trigger: 'axis', axisPointer: linePointer(theme), formatter: tooltip },
        title: panels.map(({ title }, index) => ({
          text: title,
          left: `${index * share}%`,
          top: 4,
          padding: 0,
          textStyle: { color: theme.muted, fontSize: 12, fontWeight: 400 },
        })),
        grid: panels.map((_panel, index) => ({
          left: `${index * share + 0.5}%`,
          width: `${share - 4}%`,
          top: 34,
          bottom: 6,
          outerBoundsMode: 'same',
          outerBounds: { left: `${index * share}%`, width: `${share - 2}%`, top: 26, bottom: 4 },
        })),
        xAxis: panels.map((_panel, index) => ({
          gridIndex: index,
          type: 'category',
          boundaryGap: false,
          data: numbers,
          axisTick: { show: false },
          axisLine: { lineStyle: { color: theme.line } },
          axisLabel: { color: theme.muted, hideOverlap: true },
        })),
        yAxis: panels.map(({ format }, index) => ({
          ...valueAxis(theme),
          gridIndex: index,
          splitNumber: 3,
          axisLabel: { color: theme.muted, formatter: format },
        })),
        series: panels.map(({ title, values }, index) => ({
          name: title,
          type: 'line',
          xAxisIndex: index,
          yAxisIndex: index,
          data: values,
          showSymbol: values.length < 3,
          lineStyle: { width: 2 },
          itemStyle: { color: theme.accent },
        })),
      };
    },
  };

  function tooltip(points: unknown): string {
    const point = (points as { dataIndex: number; seriesIndex: number }[])[0];
    const panel = panels[point?.seriesIndex ?? -1];
    if (point === undefined || panel === undefined) return '';
    const { title, values, format } = panel;
    return `Epoch ${(epochs[point.dataIndex]?.epoch ?? 0) + 1}\n${title}: ${formatOrDash(values[point.dataIndex], format)}`;
  }
}

/** Decided samples over time. `now` is passed so that the answer can be tested. */
export function progressChart(progress: Overview['progress'], now: Date): ChartContent {
  const last = progress.at(-1);
  return {
    summary:
      last === undefined
        ? 'Nothing is decided yet.'
        : `${formatCountOf(last.decided, 'image')} decided, the last ${formatWhen(last.at, now)}.`,
    table: {
      columns: ['Time', 'Decided'],
      rows: progress.map(({ at, decided }) => ({ cells: [formatTime(at), formatCount(decided)] })),
    },
    option: (theme) => {
      const base = baseOption(theme);
      return {
        ...base,
        tooltip: { ...base.tooltip, trigger: 'axis', axisPointer: linePointer(theme), formatter: tooltip },
        grid: { left: 8, right: 32, top: 12, bottom: 4 },
        xAxis: {
          type: 'time',
          axisTick: { show: false },
          axisLine: { lineStyle: { color: theme.line } },
          axisLabel: { color: theme.muted, hideOverlap: true },
        },
        yAxis: { ...valueAxis(theme), splitNumber: 4, minInterval: 1 },
        series: [
          {
            type: 'line',
            // Work comes in steps, with nothing in between.
            step: 'end',
            data: progress.map(({ at, decided }) => [at, decided]),
            showSymbol: progress.length < 3,
            lineStyle: { width: 2 },
            itemStyle: { color: theme.text },
            areaStyle: { opacity: 0.08 },
          },
        ],
      };
    },
  };

  function tooltip(points: unknown): string {
    const point = progress[(points as { dataIndex: number }[])[0]?.dataIndex ?? -1];
    return point === undefined ? '' : `${formatTime(point.at)}\n${formatCountOf(point.decided, 'image')} decided`;
  }
}

function linePointer(theme: ChartTheme) {
  return { type: 'line' as const, lineStyle: { color: theme.lineStrong, type: 'solid' as const } };
}

function formatOrDash(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

function formatTime(iso: string): string {
  return new Date(iso).toLocaleString('en-GB', {
    day: 'numeric',
    month: 'short',
    hour: '2-digit',
    minute: '2-digit',
  });
}
