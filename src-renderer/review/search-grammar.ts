import type { QueueFilter } from '../../shared/api.ts';
import { reviewStates, type ClassId, type ClassSummary, type ReviewState } from '../../shared/domain.ts';
import { formatCount } from '../ui/format.ts';
import { searchClasses } from './class-search.ts';
import { stateNames } from './state-names.ts';

/*
 * What can be typed into the search field, and the filter that it means:
 *
 *   flagged given:cat suggested:"polar bear" label:cat state:skipped by:Ada doubt>0.8 doubt<0.9 holiday
 *
 * Terms of one field add up (`given:cat given:dog` shows both), different fields narrow down, and every other word must
 * occur in the path or in a label. A name or a word in quotes is taken as it stands.
 */

/** The part of a filter that can be typed; the rest is chosen on the map, in the history, or by triage. */
export type SearchedFilter = Omit<QueueFilter, 'actionId' | 'region' | 'triage'>;

export interface SearchNames {
  classes: readonly ClassSummary[];
  reviewers: readonly string[];
}

export interface SearchProblem {
  /** Where in the text it is. */
  start: number;
  end: number;
  /** What is wrong, for people. */
  message: string;
}

/** The filter is only what was meant when there are no problems. */
export interface ParsedSearch {
  filter: SearchedFilter;
  problems: SearchProblem[];
}

export interface Completion {
  /** What stands in the list. */
  label: string;
  note: string;
  /** What takes the place of the term. */
  text: string;
}

export interface Completions {
  start: number;
  end: number;
  options: Completion[];
  /** The term is not complete as it stands, so that Enter means the first option. */
  needed: boolean;
}

export function parseSearch(text: string, names: SearchNames): ParsedSearch {
  const filter = emptySearch();
  const problems: SearchProblem[] = [];
  const words: string[] = [];
  for (const term of readTerms(text)) {
    const message = readTerm(term, names, filter, words);
    if (message !== null) problems.push({ start: term.start, end: term.end, message });
  }
  filter.search = words.join(' ');
  const { minScore, maxScore } = filter;
  if (minScore !== null && maxScore !== null && minScore > maxScore) {
    const message = `No doubt is both above ${minScore} and below ${maxScore}.`;
    problems.push({ start: 0, end: text.length, message });
  }
  return { filter, problems };
}

/** The text that means this filter. Classes that are gone are left out. */
export function formatSearch(filter: SearchedFilter, { classes }: Pick<SearchNames, 'classes'>): string {
  const nameById = new Map(classes.map(({ id, name }) => [id, name]));
  const ofClasses = (field: ClassField): string[] =>
    filter[classFields[field]].flatMap((id) => {
      const name = nameById.get(id);
      return name === undefined ? [] : [`${field}:${quoteName(name)}`];
    });
  return [
    ...(filter.flaggedOnly ? ['flagged'] : []),
    ...ofClasses('given'),
    ...ofClasses('suggested'),
    ...ofClasses('label'),
    ...filter.states.map((state) => `state:${stateWords[state]}`),
    ...filter.decidedBy.map((name) => `by:${quoteName(name)}`),
    ...(filter.minScore === null ? [] : [`doubt>${filter.minScore}`]),
    ...(filter.maxScore === null ? [] : [`doubt<${filter.maxScore}`]),
    ...splitWords(filter.search).map(quoteWord),
  ].join(' ');
}

/** What the term at the caret could become; null where there is nothing to offer. */
export function completeSearch(text: string, caret: number, names: SearchNames): Completions | null {
  const term = readTerms(text).find(({ start, end }) => start < caret && caret <= end);
  if (term === undefined) return null;
  const { start, end, field, value } = term;
  if (field === null) {
    if (term.quoted) return null;
    const typed = term.value.toLowerCase();
    const options = keywords.filter(({ text: keyword }) => keyword.startsWith(typed) && keyword !== typed);
    return options.length === 0 ? null : { start, end, options, needed: false };
  }
  const options = completeValue(field, value, names);
  const needed = !isKnown(field, value, names) && options.length > 0;
  return options.length === 0 ? null : { start, end, options, needed };
}

/** The term in place, with a space after it to go on, and where the caret is then. */
export function acceptCompletion(
  text: string,
  { start, end }: Pick<Completions, 'start' | 'end'>,
  { text: chosen }: Completion,
): { text: string; caret: number } {
  // After a bare `given:` the name is still to be typed.
  const gap = /[:<>]$/.test(chosen) ? '' : ' ';
  const before = text.slice(0, start) + chosen + gap;
  return { text: before + text.slice(end).trimStart(), caret: before.length };
}

type ClassField = 'given' | 'suggested' | 'label';
type Field = ClassField | 'state' | 'by';

interface Term {
  start: number;
  end: number;
  /** Null for plain words. */
  field: Field | null;
  value: string;
  quoted: boolean;
}

const classFields = {
  given: 'givenClassIds',
  suggested: 'suggestedClassIds',
  label: 'currentClassIds',
} as const satisfies Record<ClassField, keyof QueueFilter>;

const fields: readonly Field[] = ['given', 'suggested', 'label', 'state', 'by'];

const stateWords: Record<ReviewState, string> = {
  unreviewed: 'undecided',
  confirmed: 'kept',
  relabeled: 'relabeled',
  dropped: 'dropped',
  skipped: 'skipped',
};

const keywords: readonly Completion[] = [
  { label: 'given:', note: 'the label in the data set', text: 'given:' },
  { label: 'suggested:', note: 'the label that the model suggests', text: 'suggested:' },
  { label: 'label:', note: 'the label after all decisions', text: 'label:' },
  { label: 'state:', note: 'undecided, kept, relabeled, dropped, skipped', text: 'state:' },
  { label: 'by:', note: 'who decided', text: 'by:' },
  { label: 'doubt>', note: 'at least this doubt, 0 to 1', text: 'doubt>' },
  { label: 'doubt<', note: 'at most this doubt, 0 to 1', text: 'doubt<' },
  { label: 'flagged', note: 'only what the model flags', text: 'flagged' },
  { label: 'all', note: 'also what is not flagged', text: 'all' },
];

const doubtTerm = /^doubt(?:>=?|<=?)/i;

const mostOptions = 8;

function emptySearch(): SearchedFilter {
  return {
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
}

function readTerms(text: string): Term[] {
  const terms: Term[] = [];
  // A field with its colon, if any; then quotes, in which a backslash stands before a quote or itself; or all up to a space.
  const pattern = /(?:(given|suggested|label|state|by):)?(?:"((?:[^"\\]|\\.)*)"?|(\S*))/giu;
  let at = 0;
  while (at < text.length) {
    if (/\s/.test(text[at] ?? '')) {
      at += 1;
      continue;
    }
    pattern.lastIndex = at;
    const match = pattern.exec(text);
    if (match === null || match[0] === '') break;
    const [whole, field, inQuotes, bare] = match;
    const end = at + whole.length;
    terms.push({
      start: at,
      end,
      field: fields.find((name) => name === field?.toLowerCase()) ?? null,
      value: inQuotes === undefined ? (bare ?? '') : inQuotes.replace(/\\(.)/gu, '$1'),
      quoted: inQuotes !== undefined,
    });
    at = end;
  }
  return terms;
}

/** Adds what a term means; the problem with it, if there is one. */
function readTerm(term: Term, names: SearchNames, filter: SearchedFilter, words: string[]): string | null {
  const { field, value, quoted } = term;
  if (field === null) {
    if (!quoted && doubtTerm.test(value)) return readDoubt(value, filter);
    const keyword = quoted ? '' : value.toLowerCase();
    if (keyword === 'flagged') filter.flaggedOnly = true;
    else if (keyword === 'all') filter.flaggedOnly = false;
    else words.push(...splitWords(value));
    return null;
  }
  if (value === '' && !quoted) return `Say which after “${field}:”.`;
  switch (field) {
    case 'state': {
      const state = findState(value);
      if (state === null) return `“${value}” is no state. There are ${Object.values(stateWords).join(', ')}.`;
      addOnce(filter.states, state);
      return null;
    }
    case 'by': {
      const reviewer = findName(names.reviewers, value);
      if (reviewer === null && value !== '') return `Nobody called “${value}” has decided anything here.`;
      addOnce(filter.decidedBy, reviewer ?? '');
      return null;
    }
    default: {
      const classId = findClass(names.classes, value);
      if (classId === null) {
        const [nearest] = searchClasses(names.classes, value, 1);
        return `There is no class “${value}”.${nearest === undefined ? '' : ` Did you mean “${nearest.name}”?`}`;
      }
      addOnce(filter[classFields[field]], classId);
      return null;
    }
  }
}

function readDoubt(term: string, filter: SearchedFilter): string | null {
  const written = term.replace(doubtTerm, '');
  const doubt = written === '' ? Number.NaN : Number(written);
  if (!(doubt >= 0 && doubt <= 1)) return `Doubt goes from 0 to 1, as in “${term.slice(0, 6)}0.8”.`;
  if (term.includes('>')) filter.minScore = doubt;
  else filter.maxScore = doubt;
  return null;
}

function completeValue(field: Field, value: string, { classes, reviewers }: SearchNames): Completion[] {
  const wanted = value.toLowerCase();
  if (field === 'state') {
    return reviewStates
      .filter((state) => stateWords[state].startsWith(wanted) || stateNames[state].toLowerCase().startsWith(wanted))
      .map((state) => ({ label: stateNames[state], note: '', text: `state:${stateWords[state]}` }));
  }
  if (field === 'by') {
    return reviewers
      .filter((name) => name.toLowerCase().includes(wanted))
      .slice(0, mostOptions)
      .map((name) => ({ label: name, note: '', text: `by:${quoteName(name)}` }));
  }
  return searchClasses(classes, value, mostOptions).map(({ name, count }) => ({
    label: name,
    note: formatCount(count),
    text: `${field}:${quoteName(name)}`,
  }));
}

function isKnown(field: Field, value: string, { classes, reviewers }: SearchNames): boolean {
  if (field === 'state') return findState(value) !== null;
  if (field === 'by') return findName(reviewers, value) !== null;
  return findClass(classes, value) !== null;
}

function findState(value: string): ReviewState | null {
  const wanted = value.toLowerCase();
  return (
    reviewStates.find(
      (state) => state === wanted || stateWords[state] === wanted || stateNames[state].toLowerCase() === wanted,
    ) ?? null
  );
}

function findClass(classes: readonly ClassSummary[], value: string): ClassId | null {
  const name = findName(
    classes.map((item) => item.name),
    value,
  );
  return classes.find((item) => item.name === name)?.id ?? null;
}

/** The very name, else the one that differs only in capitals. */
function findName(names: readonly string[], value: string): string | null {
  const wanted = value.toLowerCase();
  return names.find((name) => name === value) ?? names.find((name) => name.toLowerCase() === wanted) ?? null;
}

function addOnce<T>(list: T[], item: T): void {
  if (!list.includes(item)) list.push(item);
}

function splitWords(text: string): string[] {
  return text.split(/\s+/u).filter(Boolean);
}

function quoteName(name: string): string {
  return name === '' || /[\s"]/u.test(name) ? quote(name) : name;
}

/** A plain word needs quotes where it would mean something else without them. */
function quoteWord(word: string): string {
  const [term] = readTerms(word);
  const isPlain =
    term?.field === null && !term.quoted && !doubtTerm.test(word) && !['flagged', 'all'].includes(word.toLowerCase());
  return isPlain ? word : quote(word);
}

function quote(text: string): string {
  return `"${text.replaceAll(/["\\]/g, String.raw`\$&`)}"`;
}
