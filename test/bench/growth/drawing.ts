import { LineChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { LabelLayout } from 'echarts/features';
import { SVGRenderer } from 'echarts/renderers';
import type { Point } from './fit.ts';
import { groups, type Group } from './operation.ts';

echarts.use([LineChart, GridComponent, TitleComponent, LabelLayout, SVGRenderer]);

/** How one operation grows. */
export interface Curve {
  group: Group;
  name: string;
  points: Point[];
}

export interface Scale {
  title: string;
  /** What is below is drawn at the edge. */
  least: number;
  most: number;
}

/** An SVG document: a panel for each group, both axes logarithmic, so that what grows in step with the samples runs along the grey lines. */
export function drawGrowth(curves: readonly Curve[], scale: Scale): string {
  const shown = groups.filter((group) => curves.some((curve) => curve.group === group));
  const rows = Math.ceil(shown.length / columns);
  const size = { width: columns * cell.width, height: top + rows * cell.height };
  const sizes = [...new Set(curves.flatMap(({ points }) => points.map(({ samples }) => samples)))].sort(
    (a, b) => a - b,
  );
  const [first, last] = [sizes[0]!, sizes.at(-1)!];
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, ...size });
  const corners = shown.map((_, i) => ({
    left: (i % columns) * cell.width + edge.left,
    top: top + Math.floor(i / columns) * cell.height + edge.top,
  }));
  chart.setOption({
    animation: false,
    // Opaque, so that it can be read on a dark page, too.
    backgroundColor: '#ffffff',
    textStyle: { fontFamily: font, color: ink },
    title: [
      titleOf(scale.title, { left: edge.left, top: 14 }, 16),
      ...shown.map((group, i) => titleOf(group, { left: corners[i]!.left, top: corners[i]!.top - 26 }, 13)),
    ],
    grid: corners.map((corner) => ({
      ...corner,
      width: cell.width - edge.left - edge.right,
      height: cell.height - edge.top - edge.bottom,
    })),
    xAxis: shown.map((_, gridIndex) => ({ ...axis, gridIndex, min: first, max: last, splitLine: { show: false } })),
    yAxis: shown.map((_, gridIndex) => ({ ...axis, gridIndex, min: scale.least, max: scale.most })),
    series: shown.flatMap((group, index) => [
      ...guides(scale, first, last).map((data) => ({
        ...lineOn(index),
        data,
        symbol: 'none',
        lineStyle: { color: '#d4d4d4', width: 1 },
      })),
      ...curves
        .filter((curve) => curve.group === group)
        .map(({ name, points }, place) => ({
          ...lineOn(index),
          data: points.map(({ samples, value }) => [samples, Math.min(scale.most, Math.max(scale.least, value))]),
          symbol: 'circle',
          symbolSize: 5,
          lineStyle: { width: 1.8, color: palette[place % palette.length] },
          itemStyle: { color: palette[place % palette.length] },
          endLabel: {
            show: true,
            formatter: name,
            color: palette[place % palette.length],
            fontSize: 10.5,
            distance: 7,
          },
          labelLayout: { moveOverlap: 'shiftY' },
          z: 3,
        })),
    ]),
  });
  const svg = chart.renderToSVGString();
  chart.dispose();
  return svg;
}

const ink = '#222222';
// Names without quotation marks, which the renderer would not escape.
const font = 'Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif';
const columns = 2;
const cell = { width: 520, height: 330 };
const edge = { left: 56, right: 230, top: 34, bottom: 40 };
const top = 44;
/** Dark enough for words on white, and told apart by most eyes. */
const palette = [
  '#0072b2',
  '#b3470a',
  '#00734f',
  '#8e3f7e',
  '#7a5c00',
  '#006d77',
  '#a3003f',
  '#4b4b9d',
  '#4f6d00',
  '#5d4037',
];

const axis = {
  type: 'log',
  axisLine: { show: true, onZero: false, lineStyle: { color: '#888888' } },
  axisTick: { show: true },
  axisLabel: { fontSize: 11, color: ink, formatter: short },
  splitLine: { lineStyle: { color: '#eeeeee' } },
};

function lineOn(panel: number): object {
  return { type: 'line', xAxisIndex: panel, yAxisIndex: panel, clip: true };
}

function titleOf(text: string, place: { left: number; top: number }, fontSize: number): object {
  return { text, ...place, padding: 0, textStyle: { fontSize, fontWeight: 'bold', color: ink } };
}

/** Lines of ten times as much for ten times as many samples, from every power of ten at either edge. */
function guides({ least, most }: Scale, first: number, last: number): [number, number][][] {
  const lines: [number, number][][] = [];
  for (let power = Math.floor(Math.log10((least * first) / last)); 10 ** power < most; power++) {
    lines.push([
      [first, 10 ** power],
      [last, (10 ** power * last) / first],
    ]);
  }
  return lines;
}

/** 0.001, 10, 10k, 1M */
function short(value: number): string {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e3 ? `${value / 1e3}k` : String(value);
}
