import { setImmediate } from 'node:timers/promises';
import type { ApiHandlers } from '../../shared/api.ts';
import { triage } from '../domain/triage.ts';
import { readSampleCards, readSampleDetail } from '../store/cards.ts';
import { nearestSamples } from '../store/embeddings.ts';
import { findExemplars } from '../store/exemplars.ts';
import { findingsRunId, readFindingsSummary, readJudgedLabels } from '../store/findings.ts';
import { listPairs, queryQueue } from '../store/queue.ts';
import type { Project } from './projects.ts';

type ReviewMethods = Pick<
  ApiHandlers,
  | 'getFindings'
  | 'getTriage'
  | 'listNeighbours'
  | 'listExemplars'
  | 'listPairs'
  | 'queryQueue'
  | 'getSamples'
  | 'getSample'
>;

/** Looking at what the newest run doubts. */
export function reviewHandlers(openProject: () => Project): ReviewMethods {
  return {
    getFindings: () => readFindingsSummary(openProject().db),
    getTriage: () => {
      const { db } = openProject();
      const runId = findingsRunId(db);
      return runId === null ? null : triage(runId, readJudgedLabels(db, runId));
    },
    listNeighbours: ({ id, limit }) => nearestSamples(openProject().db, id, limit, setImmediate),
    listExemplars: ({ classId, limit }) => {
      const { db } = openProject();
      return readSampleCards(db, findExemplars(db, classId, limit));
    },
    listPairs: ({ filter }) => listPairs(openProject().db, filter),
    queryQueue: (query) => queryQueue(openProject().db, query),
    getSamples: ({ ids }) => readSampleCards(openProject().db, ids),
    getSample: ({ id }) => readSampleDetail(openProject().db, id),
  };
}
