import { LineChart } from 'echarts/charts';
import { GraphicComponent, GridComponent, TitleComponent } from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Point } from './fit.ts';
import { groups, type Group } from './operation.ts';

echarts.use([LineChart, GridComponent, TitleComponent, GraphicComponent, SVGRenderer]);

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
    graphic: shown.flatMap((group, i) =>
      placeNames(
        curves.filter((curve) => curve.group === group),
        scale,
      ).map(({ name, y, color }) => ({
        type: 'text',
        left: corners[i]!.left + cell.width - edge.left - edge.right + 10,
        top: corners[i]!.top + y - 6,
        style: { text: name, fill: color, font: `10.5px ${font}` },
      })),
    ),
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
        .map(({ points }, place) => ({
          ...lineOn(index),
          data: points.map(({ samples, value }) => [samples, Math.min(scale.most, Math.max(scale.least, value))]),
          symbol: 'circle',
          symbolSize: 5,
          lineStyle: { width: 1.8, color: palette[place % palette.length] },
          itemStyle: { color: palette[place % palette.length] },
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
const cell = { width: 560, height: 330 };
const edge = { left: 56, right: 270, top: 34, bottom: 40 };
const top = 44;
const nameHeight = 13;
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

/** Beside the panel, each as near to the end of its curve as the others leave room for. `y` from the panel's top, of the name's middle. */
function placeNames(curves: readonly Curve[], { least, most }: Scale): { name: string; y: number; color: string }[] {
  const height = cell.height - edge.top - edge.bottom;
  const placed = curves
    .map(({ name, points }, place) => {
      const end = Math.max(least, points.at(-1)?.value ?? least);
      return {
        name,
        color: palette[place % palette.length]!,
        y: height * (1 - Math.log(end / least) / Math.log(most / least)),
      };
    })
    .sort((a, b) => a.y - b.y);
  for (const [i, one] of placed.entries()) one.y = Math.max(one.y, i === 0 ? 0 : placed[i - 1]!.y + nameHeight);
  for (let i = placed.length - 1, below = height + nameHeight; i >= 0; i--) {
    placed[i]!.y = Math.min(placed[i]!.y, below - nameHeight);
    below = placed[i]!.y;
  }
  return placed;
}

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
