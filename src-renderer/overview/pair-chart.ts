import type { ClassId, PairStatistics } from '../../shared/domain.ts';
import { baseOption, labelWidthOf, nameAxis, type ChartContent, type ChartTheme } from '../ui/chart.ts';
import { formatExpected, type NameOf } from './class-charts.ts';

type OpenPair = (givenClassId: ClassId, otherClassId: ClassId) => void;

/** Cells that are in sight at once; beyond that, the map is moved and zoomed. */
const cellsInView = 24;
/** Numbers stand in the cells where there is room for them. */
const cellsWithNumbers = 15;

/** Given labels against what they should be; the classes that take part in most mistakes come first. */
export function pairChart(
  pairs: readonly PairStatistics[],
  limit: number,
  nameOf: NameOf,
  open: OpenPair,
): ChartContent & { shown: PairStatistics[]; classes: number } {
  const classIds = confusedClasses(pairs);
  const axis = classIds.slice(0, limit);
  const place = new Map(axis.map((id, index) => [id, index]));
  const names = axis.map(nameOf);
  const labelWidth = labelWidthOf(names);
  const shown = pairs.filter((pair) => place.has(pair.givenClassId) && place.has(pair.otherClassId));
  const most = Math.max(1, ...shown.map((pair) => pair.expected));
  const first = pairs[0];
  return {
    shown,
    classes: classIds.length,
    summary:
      first === undefined
        ? 'No two classes are confused.'
        : `Most confused: ${formatExpected(first.expected)} images given ${nameOf(first.givenClassId)} are expected to be ${nameOf(first.otherClassId)}.`,
    table: {
      columns: ['Given', 'Should be', 'Expected images'],
      rows: pairs.map(({ givenClassId, otherClassId, expected }) => ({
        cells: [nameOf(givenClassId), nameOf(otherClassId), formatExpected(expected)],
        open: () => open(givenClassId, otherClassId),
      })),
    },
    option: (theme) => {
      const base = baseOption(theme);
      const zooms = axis.length > cellsInView;
      const window = { startValue: 0, endValue: cellsInView - 1 };
      return {
        ...base,
        grid: { left: labelWidth + 20, right: zooms ? 28 : 8, top: 4, bottom: zooms ? 122 : 96 },
        tooltip: { ...base.tooltip, formatter: tooltip },
        xAxis: {
          ...nameAxis(theme, names, 84),
          name: 'should be',
          nameLocation: 'middle',
          nameGap: 78,
          nameTextStyle: { color: theme.muted },
          axisLabel: { color: theme.text, width: 84, overflow: 'truncate', interval: 0, rotate: 45 },
        },
        yAxis: {
          ...nameAxis(theme, names, labelWidth),
          inverse: true,
          name: 'given',
          nameLocation: 'middle',
          nameGap: labelWidth + 6,
          nameTextStyle: { color: theme.muted },
        },
        // Roots, so that a few large numbers do not make all others look like nothing.
        visualMap: {
          show: false,
          min: 0,
          max: Math.sqrt(most),
          dimension: 2,
          inRange: { color: [theme.control, theme.accent] },
        },
        ...(zooms
          ? {
              dataZoom: [
                {
                  type: 'slider',
                  xAxisIndex: 0,
                  bottom: 4,
                  height: 14,
                  showDetail: false,
                  brushSelect: false,
                  ...window,
                },
                {
                  type: 'slider',
                  yAxisIndex: 0,
                  right: 4,
                  width: 14,
                  showDetail: false,
                  brushSelect: false,
                  ...window,
                },
                { type: 'inside', xAxisIndex: 0, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true, ...window },
                { type: 'inside', yAxisIndex: 0, zoomOnMouseWheel: 'ctrl', moveOnMouseMove: true, ...window },
              ],
            }
          : {}),
        series: [
          {
            type: 'heatmap',
            data: shown.map((pair) => {
              const color = readableOn(theme, Math.sqrt(pair.expected / most));
              return {
                value: [place.get(pair.otherClassId)!, place.get(pair.givenClassId)!, Math.sqrt(pair.expected)],
                label: { color },
              };
            }),
            label: {
              show: axis.length <= cellsWithNumbers,
              formatter: ({ dataIndex }) => formatExpected(shown[dataIndex]!.expected),
            },
            itemStyle: { borderColor: theme.ground, borderWidth: 1 },
            emphasis: { itemStyle: { borderColor: theme.text, borderWidth: 2 } },
          },
        ],
      };
    },
  };

  function tooltip(point: unknown): string {
    const pair = shown[(point as { dataIndex: number }).dataIndex];
    if (pair === undefined) return '';
    const { givenClassId, otherClassId, expected } = pair;
    return `Given ${nameOf(givenClassId)}, should be ${nameOf(otherClassId)}\n${formatExpected(expected)} images expected. Click to review them.`;
  }
}

/** All classes of the pairs, by how many mistakes they take part in, most first. */
function confusedClasses(pairs: readonly PairStatistics[]): ClassId[] {
  const weights = new Map<ClassId, number>();
  for (const { givenClassId, otherClassId, expected } of pairs) {
    for (const id of [givenClassId, otherClassId]) weights.set(id, (weights.get(id) ?? 0) + expected);
  }
  return [...weights].toSorted((first, second) => second[1] - first[1]).map(([id]) => id);
}

/** Of the two colours of text, the one that stands out more from a cell of this strength, 0..1. */
function readableOn({ control, accent, text, ground }: ChartTheme, strength: number): string {
  const [from, to] = [channelsOf(control), channelsOf(accent)];
  const cell = luminanceOf(from.map((channel, index) => channel + (to[index]! - channel) * strength));
  const contrast = (color: string): number => {
    const other = luminanceOf(channelsOf(color));
    return (Math.max(cell, other) + 0.05) / (Math.min(cell, other) + 0.05);
  };
  return contrast(text) >= contrast(ground) ? text : ground;
}

/** Of "rgb(1, 2, 3)". */
function channelsOf(color: string): number[] {
  return (color.match(/[\d.]+/g) ?? []).slice(0, 3).map(Number);
}

/** Relative luminance of WCAG 2. */
function luminanceOf(channels: readonly number[]): number {
  const [red = 0, green = 0, blue = 0] = channels.map((channel) => {
    const value = channel / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}
