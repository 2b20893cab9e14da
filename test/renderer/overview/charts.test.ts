import { describe, expect, test } from 'vitest';
import type { ClassStatistics, EpochReport, RunSummary } from '../../../shared/domain.ts';
import { balanceChart, formatExpected, noiseChart } from '../../../src-renderer/overview/class-charts.ts';
import { pairChart } from '../../../src-renderer/overview/pair-chart.ts';
import { progressChart, trainingChart } from '../../../src-renderer/overview/time-charts.ts';
import { fileNameOf, frameChart } from '../../../src-renderer/ui/chart-file.ts';
import type { ChartContent, ChartTheme } from '../../../src-renderer/ui/chart.ts';
import { drawSvg } from '../../../src-renderer/ui/echarts.ts';

const theme: ChartTheme = {
  ground: 'rgb(250, 250, 250)',
  raised: 'rgb(255, 255, 255)',
  control: 'rgb(230, 230, 230)',
  line: 'rgb(210, 210, 210)',
  lineStrong: 'rgb(139, 139, 139)',
  text: 'rgb(23, 23, 23)',
  muted: 'rgb(84, 84, 84)',
  accent: 'rgb(133, 87, 0)',
  font: 'system-ui, sans-serif',
};
const names = ['', 'cat', 'dog', 'fox & <hound>'];
const nameOf = (id: number): string => names[id] ?? `class ${id}`;
const nothing = (): void => undefined;

const classes: ClassStatistics[] = [
  { classId: 1, given: 200, current: 190, decided: 20, foundWrong: 10, expectedWrong: 20 },
  { classId: 2, given: 50, current: 60, decided: 0, foundWrong: 0, expectedWrong: 12.4 },
  { classId: 3, given: 0, current: 1, decided: 0, foundWrong: 0, expectedWrong: 0 },
];

function draw(content: ChartContent): string {
  return drawSvg(content.option(theme), 600, content.height ?? 300);
}

describe('noise per class', () => {
  test('the noisiest class comes first, and one without images is left out', () => {
    const chart = noiseChart(classes, 10, nameOf, nothing);
    expect(chart.classIds).toEqual([2, 1]);
    expect(chart.summary).toBe('Most wrong labels are expected in dog: 25\u202f%, 12 of 50 images.');
    expect(chart.table.rows.map((row) => row.cells)).toEqual([
      ['dog', '50', '0', '12', '25\u202f%'],
      ['cat', '200', '10', '20', '10\u202f%'],
    ]);
  });

  test('the found part and the rest make up the bar', () => {
    const series = [noiseChart(classes, 10, nameOf, nothing).option(theme).series ?? []].flat();
    expect(series.map((item) => item.data)).toEqual([
      [0, 0.05],
      [12.4 / 50, 0.05],
    ]);
  });

  test('a limit shortens the chart, never the table', () => {
    const chart = noiseChart(classes, 1, nameOf, nothing);
    expect(chart.classIds).toEqual([2]);
    expect(chart.table.rows).toHaveLength(2);
    expect(chart.height).toBeLessThan(noiseChart(classes, 2, nameOf, nothing).height ?? 0);
  });
});

test('class balance tells given from now, largest first', () => {
  const opened: number[] = [];
  const chart = balanceChart(classes, 10, nameOf, (id) => opened.push(id));
  expect(chart.summary).toBe('The largest class is cat with 200 images given, the smallest dog with 50.');
  expect(chart.table.rows.map((row) => row.cells)).toEqual([
    ['cat', '200', '190', '−10'],
    ['dog', '50', '60', '+10'],
    ['fox & <hound>', '0', '1', '+1'],
  ]);
  chart.table.rows[1]?.open?.();
  expect(opened).toEqual([2]);
  expect(draw(chart)).toContain('200 → 190');
});

describe('confused pairs', () => {
  const pairs = [
    { givenClassId: 2, otherClassId: 1, expected: 16 },
    { givenClassId: 1, otherClassId: 2, expected: 4 },
    { givenClassId: 3, otherClassId: 1, expected: 1 },
  ];

  test('cells stand at given and other label, coloured by the root of the number', () => {
    const chart = pairChart(pairs, 10, nameOf, nothing);
    const [series] = [chart.option(theme).series ?? []].flat();
    expect(series?.data).toMatchObject([{ value: [0, 1, 4] }, { value: [1, 0, 2] }, { value: [0, 2, 1] }]);
    expect(chart.summary).toBe('Most confused: 16 images given dog are expected to be cat.');
  });

  test('numbers can be read on weak and on strong cells', () => {
    const [series] = [pairChart(pairs, 10, nameOf, nothing).option(theme).series ?? []].flat();
    expect(series?.data).toMatchObject([{ label: { color: theme.ground } }, {}, { label: { color: theme.text } }]);
  });

  test('a limit keeps the classes that are confused most', () => {
    const chart = pairChart(pairs, 2, nameOf, nothing);
    expect(chart.shown).toEqual(pairs.slice(0, 2));
    expect(chart.classes).toBe(3);
  });

  test('many classes can be moved and zoomed', () => {
    const many = Array.from({ length: 120 }, (_, index) => ({
      givenClassId: index + 1,
      otherClassId: index + 2,
      expected: 1,
    }));
    expect(pairChart(many, 14, nameOf, nothing).option(theme).dataZoom).toBeUndefined();
    expect(pairChart(many, Infinity, nameOf, nothing).option(theme).dataZoom).toHaveLength(4);
  });
});

describe('over time', () => {
  test('a run that learns no labels has no panel for the agreement', () => {
    const epochs = [
      { epoch: 0, loss: 2, accuracy: null, doubts: 0 },
      { epoch: 1, loss: 1.5, accuracy: null, doubts: 0 },
    ] as EpochReport[];
    const chart = trainingChart({ epochs } as RunSummary);
    expect(chart.table.columns).toEqual(['Epoch', 'Loss', 'Doubts']);
    expect(chart.table.rows.map((row) => row.cells)).toEqual([
      ['1', '2.00', '0'],
      ['2', '1.50', '0'],
    ]);
  });

  test('progress says how much is decided, and when that was', () => {
    const progress = [
      { at: '2026-03-01T10:00:00.000Z', decided: 1 },
      { at: '2026-03-02T10:00:00.000Z', decided: 1200 },
    ];
    const chart = progressChart(progress, new Date('2026-03-03T10:00:00.000Z'));
    expect(chart.summary).toBe('1,200 images decided, the last yesterday.');
  });
});

test('a saved picture is one SVG document, whatever the names are', () => {
  const chart = { width: 600, height: 300, svg: draw(balanceChart(classes, 10, nameOf, nothing)) };
  const file = frameChart('Balance – <A&B>', chart, theme);
  expect(file.svg).toContain('Balance – &lt;A&amp;B>');
  expect(file.svg).toContain('fox &amp; &lt;hound&gt;');
  expect(file.svg.match(/<svg /g)).toHaveLength(2);
  expect(file.svg.match(/<\/svg>/g)).toHaveLength(2);
  expect(fileNameOf('Cats & dogs', 'Noise per class')).toBe('cats-dogs-noise-per-class');
});

test('small expected numbers keep a digit', () => {
  expect([0, 0.4, 9.94, 9.96, 1234.5].map(formatExpected)).toEqual(['0', '0.4', '9.9', '10', '1,235']);
});
