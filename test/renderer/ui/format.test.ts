import { expect, test } from 'vitest';
import {
  baseName,
  folderName,
  formatAgo,
  formatCountOf,
  formatDay,
  formatDuration,
  formatExactly,
  formatShare,
  formatWhen,
  joinPath,
} from '../../../src-renderer/ui/format.ts';
import { niceTicks } from '../../../src-renderer/ui/scale.ts';

test('times are said roughly', () => {
  expect([0.2, 12, 70, 480, 3600, 5400].map(formatDuration)).toEqual([
    '1 s',
    '12 s',
    '1 minute',
    '8 minutes',
    '1 h',
    '1 h 30 min',
  ]);
});

test('counts and shares', () => {
  expect(formatCountOf(1, 'image')).toBe('1 image');
  expect(formatCountOf(12_000, 'class', 'classes')).toBe('12,000 classes');
  expect([0, 0.0001, 0.0917, 0.61, 1].map(formatShare)).toEqual([
    '0\u202f%',
    'under 0.1\u202f%',
    '9.2\u202f%',
    '61\u202f%',
    '100\u202f%',
  ]);
});

test('days are counted by the calendar, not by hours', () => {
  const now = new Date(2026, 2, 12, 0, 30);
  expect(formatWhen(new Date(2026, 2, 11, 23, 50).toISOString(), now)).toBe('yesterday');
  expect(formatWhen(new Date(2026, 2, 12, 0, 10).toISOString(), now)).toBe('today at 00:10');
  expect(formatWhen(new Date(2026, 2, 9, 12).toISOString(), now)).toBe('3 days ago');
  expect(formatWhen(new Date(2025, 10, 2).toISOString(), now)).toBe('2 Nov 2025');
});

test('paths of either kind', () => {
  expect([baseName('/a/b.csv'), baseName('C:\\x\\y.winnow'), baseName('/a/b/')]).toEqual(['b.csv', 'y.winnow', 'b']);
  expect([folderName('/a/b.csv'), folderName('/b.csv'), folderName('C:\\x\\y')]).toEqual(['/a', '/', 'C:\\x']);
  expect([joinPath('/', 'a', '/'), joinPath('C:\\x', 'a', '\\')]).toEqual(['/a', 'C:\\x\\a']);
});

test('ticks are round and cover the range', () => {
  expect(niceTicks(0, 1, 4)).toEqual([0, 0.5, 1]);
  expect(niceTicks(1, 30, 3)).toEqual([10, 20, 30]);
  expect(niceTicks(3, 3, 4)).toEqual([3]);
});

test('how long ago a step of the history was, and on which day', () => {
  const now = new Date(2026, 2, 10, 15, 0);
  const at = (...time: [number, number, number, number, number]): string => new Date(...time).toISOString();
  const times = [
    now.toISOString(),
    at(2026, 2, 10, 14, 59),
    at(2026, 2, 10, 14, 30),
    at(2026, 2, 10, 13, 59),
    at(2026, 2, 10, 3, 0),
    at(2026, 2, 9, 18, 5),
    at(2026, 2, 2, 8, 0),
    at(2025, 11, 31, 8, 0),
  ];
  expect(times.map((time) => [formatDay(time, now), formatAgo(time, now)])).toEqual([
    ['Today', 'just now'],
    ['Today', '1 minute ago'],
    ['Today', '30 minutes ago'],
    ['Today', '1 hour ago'],
    ['Today', '12 hours ago'],
    ['Yesterday', '18:05'],
    ['Monday 2 March', '08:00'],
    ['31 December 2025', '08:00'],
  ]);
  expect(formatExactly(at(2026, 2, 9, 18, 5))).toBe('9 March 2026, 18:05:00');
  expect([formatAgo('', now), formatDay('', now), formatExactly('')]).toEqual(['', '', '']);
});
