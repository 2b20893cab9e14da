import { expect, test } from 'vitest';
import type { ClassSummary, SampleDetail } from '../../../shared/domain.ts';
import { searchClasses } from '../../../src-renderer/review/class-search.ts';
import { listLikelyClasses } from '../../../src-renderer/review/likely-classes.ts';

const classes = ['shirt', 't-shirt', 'shoes', 'short/sleeve', 'washed', 'hat'].map((name, index): ClassSummary => ({
  id: index + 1,
  name,
  count: 100 - index,
  currentCount: 100 - index,
  color: null,
  hotkey: null,
  exampleIds: [],
}));

test('what starts with the typed letters comes first, then words, then the rest', () => {
  expect(searchClasses(classes, 'SH', 10).map((item) => item.name)).toEqual([
    'shirt',
    'shoes',
    'short/sleeve',
    't-shirt',
    'washed',
  ]);
  expect(searchClasses(classes, ' sleeve ', 10).map((item) => item.name)).toEqual(['short/sleeve']);
  expect(searchClasses(classes, '', 2).map((item) => item.name)).toEqual(['shirt', 't-shirt']);
  expect(searchClasses(classes, 'glove', 10)).toEqual([]);
});

test('the digits list the likeliest classes, then the given one, then the largest, none twice', () => {
  const detail = {
    givenClassId: 6,
    topTargets: [
      { classId: 3, target: 0.8 },
      { classId: 1, target: 0.1 },
    ],
    finding: { givenTarget: 0.02 },
  } as SampleDetail;
  expect(listLikelyClasses(detail, classes)).toEqual([
    { classId: 3, target: 0.8 },
    { classId: 1, target: 0.1 },
    { classId: 6, target: 0.02 },
    { classId: 2, target: null },
    { classId: 4, target: null },
    { classId: 5, target: null },
  ]);
});
