import { CustomChart, LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, MarkLineComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Axis, Figure, Mark, Panel, Series } from './figure.ts';

echarts.use([CustomChart, LineChart, GridComponent, LegendComponent, MarkLineComponent, TitleComponent, SVGRenderer]);

/** An SVG document of the figure, without a browser. */
export function drawFigure(figure: Figure): string {
  const layout = layoutOf(figure.panels);
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width: layout.width, height: layout.height });
  try {
    chart.setOption(optionOf(figure, layout));
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

const ink = '#222222';
const quiet = '#555555';
const faint = '#e6e6e6';
// Names without quotation marks, which the renderer would not escape.
const font = 'Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif';
const edge = { left: 64, right: 30, top: 108, panelTitle: 30, bottom: 60, between: 76, betweenRows: 104 };
/** What entries of the legend take, about. */
const legendRow = { height: 34, perEntry: 56, perLetter: 6.6 };
const panelSizes = [
  { panels: 1, columns: 1, width: 640, height: 340 },
  { panels: 2, columns: 2, width: 400, height: 300 },
  { panels: Infinity, columns: 3, width: 300, height: 250 },
];

interface Layout {
  columns: number;
  panelWidth: number;
  panelHeight: number;
  /** Of the first row of panels. */
  top: number;
  width: number;
  height: number;
}

interface Extent {
  min: number;
  max: number;
}

function layoutOf(panels: readonly Panel[]): Layout {
  const size = panelSizes.find((candidate) => panels.length <= candidate.panels)!;
  const rows = Math.ceil(panels.length / size.columns);
  const inner = size.columns * size.width + (size.columns - 1) * edge.between;
  const legend = namesOf(panels).reduce((sum, name) => sum + legendRow.perEntry + name.length * legendRow.perLetter, 0);
  const isTitled = panels.some(({ title, marks }) => title !== '' || marks.length > 0);
  const top =
    edge.top - (isTitled ? 0 : edge.panelTitle) + (Math.ceil(legend / (inner + edge.right)) - 1) * legendRow.height;
  return {
    columns: size.columns,
    panelWidth: size.width,
    panelHeight: size.height,
    top,
    width: edge.left + inner + edge.right,
    height: top + rows * size.height + (rows - 1) * edge.betweenRows + edge.bottom,
  };
}

function namesOf(panels: readonly Panel[]): string[] {
  return [...new Set(panels.flatMap(({ series }) => series.map(({ name }) => name)))];
}

function optionOf({ title, panels }: Figure, layout: Layout): echarts.EChartsCoreOption {
  const corners = panels.map((_, index) => ({
    left: edge.left + (index % layout.columns) * (layout.panelWidth + edge.between),
    top: layout.top + Math.floor(index / layout.columns) * (layout.panelHeight + edge.betweenRows),
  }));
  return {
    animation: false,
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: font, color: ink },
    title: [
      titleOption(title, { left: edge.left, top: 12 }, 16),
      ...panels.map((panel, index) =>
        titleOption(panel.title, { left: corners[index]!.left, top: corners[index]!.top - 36 }, 13),
      ),
    ],
    legend: legendOption(panels),
    grid: corners.map((corner) => ({ ...corner, width: layout.panelWidth, height: layout.panelHeight })),
    xAxis: panels.map((panel, gridIndex) => ({
      ...axisOption(panel.x, horizontalExtent(panel)),
      gridIndex,
      nameLocation: 'middle',
      nameGap: 32,
      splitLine: { show: false },
    })),
    yAxis: panels.map((panel, gridIndex) => ({
      // Panels that measure the same share their scale, so that they can be compared by eye.
      ...axisOption(panel.y, verticalExtent(panels.filter(({ y }) => y.title === panel.y.title))),
      gridIndex,
      nameLocation: 'middle',
      nameGap: 44,
      splitLine: { lineStyle: { color: faint } },
    })),
    series: panels.flatMap((panel, index) => [
      ...panel.series.filter(hasSpread).map((series) => spreadOption(series, index)),
      ...panel.series.map((series) => lineOption(series, index)),
      markOption(panel.marks, index),
    ]),
  };
}

function titleOption(text: string, place: { left: number; top: number }, fontSize: number): object {
  return { text, ...place, padding: 0, textStyle: { fontSize, fontWeight: 'bold', color: ink } };
}

function legendOption(panels: readonly Panel[]): object {
  return {
    data: namesOf(panels),
    left: edge.left,
    top: 38,
    padding: 0,
    itemWidth: 28,
    itemGap: 20,
    textStyle: { fontSize: 12.5, color: ink },
    // Lines alone: the colour tells.
    itemStyle: { opacity: 0 },
    selectedMode: false,
  };
}

function axisOption(axis: Axis, extent: Extent | null): object {
  const common = {
    name: axis.title,
    nameTextStyle: { fontSize: 12.5, color: ink },
    axisLine: { show: true, onZero: false, lineStyle: { color: '#888888' } },
    axisTick: { show: true, alignWithLabel: true },
    axisLabel: { fontSize: 12, color: ink },
  };
  switch (axis.scale) {
    case 'linear':
      return { ...common, type: 'value', scale: true, ...extent };
    case 'log2':
      return { ...common, type: 'log', logBase: 2, ...extent };
    case 'names':
      return { ...common, type: 'category', data: axis.names ?? [], axisLabel: { ...common.axisLabel, interval: 0 } };
  }
}

/** Lines reach from side to side; epochs, of which none precede the first, begin at 0. */
function horizontalExtent({ x, series, marks }: Panel): Extent | null {
  if (x.scale === 'names') return null;
  const values = [
    ...series.flatMap(({ points }) => points.map((point) => point.x)),
    ...marks.filter(({ axis }) => axis === 'x').map(({ at }) => at),
  ];
  if (values.length === 0) return null;
  return { min: x.title === 'Epochs' ? 0 : Math.min(...values), max: Math.max(...values) };
}

/** Round numbers around everything that the panels show. */
function verticalExtent(panels: readonly Panel[]): Extent | null {
  const values = panels.flatMap(({ series, marks }) => [
    ...series.flatMap(({ points }) => points.flatMap(({ low, high }) => [low, high])),
    ...marks.filter(({ axis }) => axis === 'y').map(({ at }) => at),
  ]);
  if (values.length === 0) return null;
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const range = most - least || 1;
  const power = 10 ** Math.floor(Math.log10(range / 5));
  const step = power * [1, 2, 5, 10].find((factor) => factor * power * 6 >= range)!;
  return { min: Math.floor(least / step) * step, max: Math.ceil(most / step) * step };
}

function hasSpread({ points }: Series): boolean {
  return points.some(({ low, high }) => high > low);
}

function lineOption({ name, color, points, dashed, dots }: Series, panel: number): object {
  return {
    type: 'line',
    name,
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: points.map(({ x, y }) => [x, y]),
    symbol: dots || points.length === 1 ? 'circle' : 'none',
    symbolSize: 7,
    clip: false,
    lineStyle: { width: dashed ? 1.6 : 2.2, type: dashed ? 'dashed' : 'solid', color },
    itemStyle: { color },
    z: 3,
  };
}

/** From the least to the largest value of the seeds: a band, or a stroke where there is one point. */
function spreadOption({ color, points }: Series, panel: number): object {
  const isStroke = points.length === 1;
  return {
    type: 'custom',
    xAxisIndex: panel,
    yAxisIndex: panel,
    silent: true,
    z: 2,
    // One item draws everything; the others are there for the axis to know the extent.
    data: points.flatMap(({ x, low, high }) => [
      [x, low],
      [x, high],
    ]),
    renderItem: (
      { dataIndex }: { dataIndex: number },
      { coord }: { coord: (point: [number, number]) => number[] },
    ): object | null => {
      if (dataIndex > 0) return null;
      const upper = points.map(({ x, high }) => coord([x, high]));
      const lower = points.map(({ x, low }) => coord([x, low])).reverse();
      const shape = { points: [...upper, ...lower] };
      return isStroke
        ? { type: 'polyline', shape, style: { stroke: color, lineWidth: 2.2, fill: 'none' } }
        : { type: 'polygon', shape, style: { fill: color, opacity: 0.18 } };
    },
  };
}

function markOption(marks: readonly Mark[], panel: number): object {
  return {
    type: 'line',
    xAxisIndex: panel,
    yAxisIndex: panel,
    data: [],
    markLine: {
      silent: true,
      symbol: 'none',
      lineStyle: { type: 'dashed', color: quiet, width: 1.2 },
      data: marks.map(({ axis, at, label, side }) => ({
        [axis === 'x' ? 'xAxis' : 'yAxis']: at,
        label: {
          formatter: label,
          // Over the panel, where no curve runs through it, or beside its line.
          position: axis === 'x' ? 'end' : side === 'above' ? 'insideEndTop' : 'insideEndBottom',
          distance: axis === 'x' ? 4 : 5,
          color: quiet,
          fontSize: 11.5,
        },
      })),
    },
  };
}
