import type { QueueFilter } from '../../shared/api.ts';
import type { ClassId } from '../../shared/domain.ts';
import { formatScore } from '../ui/format.ts';
import { stateNames } from './state-names.ts';

/** One restriction of a filter, in words, and how the filter is without it. */
export interface FilterChip {
  text: string;
  without: Partial<QueueFilter>;
}

export function listFilterChips(filter: QueueFilter, className: (id: ClassId) => string): FilterChip[] {
  const chips: FilterChip[] = [];
  const add = (text: string, without: Partial<QueueFilter>): void => void chips.push({ text, without });
  const names = (ids: readonly ClassId[]): string => ids.map(className).join(' or ');
  const { minScore, maxScore, triage } = filter;
  if (filter.flaggedOnly) add('Flagged', { flaggedOnly: false });
  if (triage !== null) add(triage.part === 'look' ? 'Left to look at' : 'Accepted unseen', { triage: null });
  if (filter.actionId !== null) add('From the history', { actionId: null });
  if (filter.region !== null) add('Part of the map', { region: null });
  if (filter.givenClassIds.length > 0) add(`Given ${names(filter.givenClassIds)}`, { givenClassIds: [] });
  if (filter.suggestedClassIds.length > 0) {
    add(`Suggested ${names(filter.suggestedClassIds)}`, { suggestedClassIds: [] });
  }
  if (filter.currentClassIds.length > 0) add(`Now ${names(filter.currentClassIds)}`, { currentClassIds: [] });
  if (filter.states.length > 0) add(filter.states.map((state) => stateNames[state]).join(' or '), { states: [] });
  if (filter.decidedBy.length > 0) {
    add(`By ${filter.decidedBy.map((name) => (name === '' ? 'nobody named' : name)).join(' or ')}`, { decidedBy: [] });
  }
  if (minScore !== null || maxScore !== null) {
    add(`Doubt ${formatScore(minScore ?? 0)} to ${formatScore(maxScore ?? 1)}`, { minScore: null, maxScore: null });
  }
  if (filter.search !== '') add(`“${filter.search}”`, { search: '' });
  return chips;
}
