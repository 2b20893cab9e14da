import { expect, test } from 'vitest';
import { fitOf, fuzzySearch } from '../../../src-renderer/keys/fuzzy.ts';

const titles = [
  'Show or hide the history',
  'Give class shirt',
  'Give class t-shirt',
  'Search',
  'Undo',
  'Redo',
  'Skip it',
];
const find = (typed: string): string[] => fuzzySearch(titles, typed, (title) => title);

test('whole words before parts, short names before long ones', () => {
  expect(find('shirt')).toEqual(['Give class shirt', 'Give class t-shirt']);
  expect(find('do')).toEqual(['Undo', 'Redo']);
});

test('first letters of words, with or without spaces', () => {
  expect(find('gcs')).toEqual(['Give class shirt', 'Give class t-shirt']);
  expect(find('his show')).toEqual([]);
  expect(find('show his')).toEqual(['Show or hide the history']);
});

test('letters from anywhere only where nothing else fits', () => {
  expect(find('hstry')).toEqual(['Show or hide the history']);
  expect(find('sh')).not.toContain('Search');
  expect(find('zzz')).toEqual([]);
});

test('nothing typed keeps everything as it is', () => {
  expect(find(' ')).toEqual(titles);
});

test('among thousands of classes the one that is meant comes first', () => {
  const names = Array.from({ length: 2000 }, (_, index) => `Give class fine-grained species number ${index}`);
  expect(fuzzySearch(names, 'finspec 199', (name) => name)[0]).toBe('Give class fine-grained species number 199');
  expect(fitOf('', 'a')).toBe(null);
});
