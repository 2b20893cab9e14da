import type { ApiHandlers } from '../../../../shared/api.ts';
import type { Operation, Prepared } from '../operation.ts';
import { openSynthetic } from '../projects.ts';
import { idsOf } from './queue.ts';

const group = 'Review';

export const reviewOperations: Operation[] = [
  onOpenProject('decide one', (api, ids) => {
    let next = 0;
    return {
      run: () => api.decide({ sampleIds: [ids[next++]!], decision: { kind: 'skip' } }),
      after: () => api.undo({}),
    };
  }),
  onOpenProject('decide a tenth, as one action', (api, ids) => ({
    run: () => decideTenth(api, ids),
    after: () => api.undo({}),
  })),
  onOpenProject('undo that', (api, ids) => ({ before: () => decideTenth(api, ids), run: () => api.undo({}) })),
  onOpenProject('the queue after it', (api, ids) => ({
    before: () => decideTenth(api, ids),
    run: () => idsOf(api),
    after: () => api.undo({}),
  })),
  onOpenProject('a page of the history', async (api, ids) => {
    for (let action = 0; action < 5; action++) await decideTenth(api, ids.slice(action * 10));
    return { run: () => api.listHistory({ before: null, limit: 50, author: null }) };
  }),
  onOpenProject('merge two classes', (api) => ({
    run: () => api.editClass({ kind: 'merge', classIds: [1], into: 2 }),
    after: () => api.undo({}),
  })),
];

function onOpenProject(
  name: string,
  prepare: (api: ApiHandlers, ids: readonly number[]) => Prepared | Promise<Prepared>,
): Operation {
  return {
    group,
    name,
    prepare: async (place) => {
      const api = await openSynthetic(place);
      return prepare(api, await idsOf(api));
    },
  };
}

function decideTenth(api: ApiHandlers, ids: readonly number[]): unknown {
  return api.decide({ sampleIds: ids.slice(0, ids.length / 10), decision: { kind: 'drop' } });
}
