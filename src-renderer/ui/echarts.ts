import { BarChart, HeatmapChart, LineChart } from 'echarts/charts';
import {
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
} from 'echarts/components';
import * as echarts from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { ChartOption } from './chart.ts';

/* Large, so it is loaded only when the first chart is shown. */

echarts.use([
  BarChart,
  HeatmapChart,
  LineChart,
  DataZoomComponent,
  GridComponent,
  LegendComponent,
  TitleComponent,
  TooltipComponent,
  VisualMapComponent,
  SVGRenderer,
]);

export type LiveChart = ReturnType<typeof openChart>;

/** A chart that fills the element and follows its size until `close`. */
export function openChart(element: HTMLElement, onpick: (picked: { seriesIndex: number; dataIndex: number }) => void) {
  const chart = echarts.init(element, null, { renderer: 'svg' });
  const observer = new ResizeObserver(() => chart.resize());
  observer.observe(element);
  chart.on('click', ({ seriesIndex = 0, dataIndex }) => onpick({ seriesIndex, dataIndex }));
  return {
    draw(option: ChartOption): void {
      const animation = !matchMedia('(prefers-reduced-motion: reduce)').matches;
      chart.setOption(
        { animation, animationDuration: 160, animationDurationUpdate: 160, ...option },
        { notMerge: true },
      );
    },
    close(): void {
      observer.disconnect();
      chart.dispose();
    },
  };
}

/** The chart as an SVG document of that size. */
export function drawSvg(option: ChartOption, width: number, height: number): string {
  const chart = echarts.init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ ...option, animation: false });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}
