import type { ApiHandlers } from '../../shared/api.ts';
import { readSampleCards, readSampleDetail } from '../store/cards.ts';
import { decide, redo, undo } from '../store/decisions.ts';
import { readFindingsSummary } from '../store/findings.ts';
import { queryQueue } from '../store/queue.ts';
import type { Events } from './events.ts';
import type { Project } from './projects.ts';

type ReviewMethods = Pick<
  ApiHandlers,
  'getFindings' | 'queryQueue' | 'getSamples' | 'getSample' | 'decide' | 'undo' | 'redo'
>;

/** Looking at what the newest run doubts, and deciding. Every decision is on disk before it is answered and announced. */
export function reviewHandlers(openProject: () => Project, events: Events): ReviewMethods {
  return {
    getFindings: () => readFindingsSummary(openProject().db),
    queryQueue: (query) => queryQueue(openProject().db, query),
    getSamples: ({ ids }) => readSampleCards(openProject().db, ids),
    getSample: ({ id }) => readSampleDetail(openProject().db, id),
    decide: ({ sampleIds, decision }) => {
      const change = decide(openProject().db, { sampleIds, decision, decidedAt: new Date().toISOString() });
      events.emit('reviewChanged', change);
      return change;
    },
    undo: () => {
      const change = undo(openProject().db);
      if (change !== null) events.emit('reviewChanged', change);
      return change;
    },
    redo: () => {
      const change = redo(openProject().db);
      if (change !== null) events.emit('reviewChanged', change);
      return change;
    },
  };
}
