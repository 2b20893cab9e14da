import type { BarSeriesOption, HeatmapSeriesOption, LineSeriesOption } from 'echarts/charts';
import type {
  DataZoomComponentOption,
  GridComponentOption,
  LegendComponentOption,
  TitleComponentOption,
  TooltipComponentOption,
  VisualMapComponentOption,
} from 'echarts/components';
import type { ComposeOption } from 'echarts/core';

export type ChartOption = ComposeOption<
  | BarSeriesOption
  | HeatmapSeriesOption
  | LineSeriesOption
  | DataZoomComponentOption
  | GridComponentOption
  | LegendComponentOption
  | TitleComponentOption
  | TooltipComponentOption
  | VisualMapComponentOption
>;

/** What a chart takes from the tokens; colours as CSS writes them. */
export interface ChartTheme {
  ground: string;
  raised: string;
  control: string;
  line: string;
  lineStrong: string;
  text: string;
  muted: string;
  accent: string;
  /** Without quotation marks, which would end the attribute of an SVG that it stands in. */
  font: string;
}

/** The same as text, for those who cannot see the chart or want its numbers. */
export interface ChartTable {
  columns: readonly string[];
  rows: readonly { cells: readonly string[]; open?: () => void }[];
}

/** All that `Chart` shows. */
export interface ChartContent {
  /** The main fact in one sentence. */
  summary: string;
  table: ChartTable;
  option: (theme: ChartTheme) => ChartOption;
  /** In pixels, where it depends on the content. */
  height?: number;
}

/** Text, lines and tooltip of every chart. */
export function baseOption(theme: ChartTheme) {
  return {
    textStyle: { fontFamily: theme.font, fontSize: 12, color: theme.text },
    tooltip: {
      confine: true,
      // Drawn text, so that the name of a class is never read as HTML.
      renderMode: 'richText' as const,
      backgroundColor: theme.raised,
      borderColor: theme.line,
      borderWidth: 1,
      padding: [8, 12],
      transitionDuration: 0,
      textStyle: { color: theme.text, fontSize: 12, fontFamily: theme.font, lineHeight: 18 },
    },
  } satisfies ChartOption;
}

/** How an axis of numbers looks. */
export function valueAxis(theme: ChartTheme) {
  return {
    type: 'value' as const,
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: theme.muted, hideOverlap: true },
    splitLine: { lineStyle: { color: theme.line } },
  };
}

/** How an axis of names looks; long names are cut. */
export function nameAxis(theme: ChartTheme, names: readonly string[], labelWidth: number) {
  return {
    type: 'category' as const,
    data: [...names],
    axisLine: { show: false },
    axisTick: { show: false },
    axisLabel: { color: theme.text, width: labelWidth, overflow: 'truncate' as const, interval: 0 },
  };
}

/** What names take at the side of a chart, about, in pixels. */
export function labelWidthOf(names: readonly string[], most = 112): number {
  return Math.min(most, 12 + 7 * names.reduce((longest, name) => Math.max(longest, name.length), 0));
}
