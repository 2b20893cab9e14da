import { describe, expect, test } from 'vitest';
import { reviewStates, type ClassSummary } from '../../../shared/domain.ts';
import {
  acceptCompletion,
  completeSearch,
  formatSearch,
  parseSearch,
  type SearchedFilter,
} from '../../../src-renderer/review/search-grammar.ts';

const names = {
  classes: ['cat', 'dog', 'polar bear', 'Unicorn', 'state:odd', 'a"b\\c'].map((name, index) =>
    toClass(index + 1, name),
  ),
  reviewers: ['Ada', 'Grace Hopper'],
};
const nothing: SearchedFilter = {
  states: [],
  givenClassIds: [],
  suggestedClassIds: [],
  currentClassIds: [],
  decidedBy: [],
  flaggedOnly: false,
  minScore: null,
  maxScore: null,
  search: '',
};

describe('parse', () => {
  test.each<[string, Partial<SearchedFilter>]>([
    ['', {}],
    ['holiday 2019/', { search: 'holiday 2019/' }],
    [
      'given:cat given:dog suggested:"polar bear" label:unicorn',
      {
        givenClassIds: [1, 2],
        suggestedClassIds: [3],
        currentClassIds: [4],
      },
    ],
    ['state:skipped STATE:Kept state:unreviewed', { states: ['skipped', 'confirmed', 'unreviewed'] }],
    ['by:ada by:"grace hopper" by:""', { decidedBy: ['Ada', 'Grace Hopper', ''] }],
    ['doubt>0.8 doubt<=.9', { minScore: 0.8, maxScore: 0.9 }],
    ['flagged', { flaggedOnly: true }],
    ['flagged all', { flaggedOnly: false }],
    ['"flagged" "given:cat"', { search: 'flagged given:cat' }],
    ['given:cat  given:cat', { givenClassIds: [1] }],
    ['given:state:odd', { givenClassIds: [5] }],
    [String.raw`given:"a\"b\\c"`, { givenClassIds: [6] }],
    ['given:"polar bear', { givenClassIds: [3] }],
    ['5"tv doubtful giving:', { search: '5"tv doubtful giving:' }],
  ])('%s', (text, expected) => {
    expect(parseSearch(text, names)).toEqual({ filter: { ...nothing, ...expected }, problems: [] });
  });

  test.each([
    ['cat given:unic', 4, 'There is no class “unic”. Did you mean “Unicorn”?'],
    ['given:zebra', 0, 'There is no class “zebra”.'],
    ['label:', 0, 'Say which after “label:”.'],
    ['state:lost', 0, '“lost” is no state. There are undecided, kept, relabeled, dropped, skipped.'],
    ['by:Bob', 0, 'Nobody called “Bob” has decided anything here.'],
    ['doubt>8', 0, 'Doubt goes from 0 to 1, as in “doubt>0.8”.'],
    ['doubt<', 0, 'Doubt goes from 0 to 1, as in “doubt<0.8”.'],
    ['doubt>0.9 doubt<0.1', 0, 'No doubt is both above 0.9 and below 0.1.'],
  ])('%s is explained', (text, start, message) => {
    expect(parseSearch(text, names).problems).toMatchObject([{ start, message }]);
  });
});

test('a filter comes back from the text that it is written as', () => {
  const random = createRandom(4);
  for (let round = 0; round < 2000; round += 1) {
    const classes = Array.from({ length: 6 }, (_, index) => toClass(index + 1, `${randomText(random)}${index}`.trim()));
    const reviewers = [...new Set([randomText(random), randomText(random), ''])];
    const some = <T>(items: readonly T[]): T[] => items.filter(() => random() < 0.3);
    const ends = [round / 2000, random()].toSorted((first, second) => first - second);
    const filter: SearchedFilter = {
      states: some(reviewStates),
      givenClassIds: some(classes).map(({ id }) => id),
      suggestedClassIds: some(classes).map(({ id }) => id),
      currentClassIds: some(classes).map(({ id }) => id),
      decidedBy: some(reviewers),
      flaggedOnly: random() < 0.5,
      minScore: random() < 0.5 ? null : ends[0]!,
      maxScore: random() < 0.5 ? null : ends[1]!,
      search: randomText(random).split(/\s+/u).filter(Boolean).join(' '),
    };
    const text = formatSearch(filter, { classes });
    expect(parseSearch(text, { classes, reviewers }), text).toEqual({ filter, problems: [] });
  }
});

test('no text at all breaks it, and what it understands it understands again', () => {
  const random = createRandom(7);
  for (let round = 0; round < 2000; round += 1) {
    const text = Array.from({ length: 1 + Math.floor(random() * 5) }, () => randomText(random)).join(' ');
    const { filter, problems } = parseSearch(text, names);
    completeSearch(text, Math.floor(random() * (text.length + 1)), names);
    if (problems.length === 0) {
      expect(parseSearch(formatSearch(filter, names), names), text).toEqual({ filter, problems: [] });
    }
  }
});

test('a class that is gone is left out of the text', () => {
  expect(formatSearch({ ...nothing, givenClassIds: [1, 99] }, names)).toBe('given:cat');
});

describe('completion', () => {
  const complete = (text: string): string[] | undefined =>
    completeSearch(text, text.length, names)?.options.map((option) => option.text);

  test.each([
    ['gi', ['given:']],
    ['dou', ['doubt>', 'doubt<']],
    ['given:po', ['given:"polar bear"']],
    ['given:c', ['given:cat', 'given:Unicorn', String.raw`given:"a\"b\\c"`]],
    ['state:k', ['state:kept']],
    ['by:h', ['by:"Grace Hopper"']],
    ['"gi', undefined],
    ['given:zebra', undefined],
    ['cat ', undefined],
  ])('%s', (text, expected) => {
    expect(complete(text)).toEqual(expected);
  });

  test('takes the place of the term under the caret, and Enter means it only where it is needed', () => {
    const text = 'flagged given:po holiday';
    const completions = completeSearch(text, 16, names);
    expect(completions).toMatchObject({ start: 8, end: 16, needed: true });
    expect(acceptCompletion(text, completions!, completions!.options[0]!)).toEqual({
      text: 'flagged given:"polar bear" holiday',
      caret: 27,
    });
    expect([completeSearch('given:cat', 9, names)?.needed, completeSearch('a', 1, names)?.needed]).toEqual([
      false,
      false,
    ]);
  });
});

function toClass(id: number, name: string): ClassSummary {
  return { id, name, count: 10 - id, currentCount: 0, color: null, hotkey: null, exampleIds: [] };
}

/** Mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Made of what is dangerous: quotes, colons, spaces, field names. */
function randomText(random: () => number): string {
  const parts = [
    '"',
    '\\',
    ':',
    ' ',
    'given:',
    'all',
    'flagged',
    'doubt>',
    '0.5',
    'by',
    'é',
    '猫',
    'x',
    'state:',
    '\t',
  ];
  return Array.from({ length: Math.floor(random() * 6) }, () => parts[Math.floor(random() * parts.length)])
    .join('')
    .trim();
}
