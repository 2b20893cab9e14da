import { setTimeout } from 'node:timers/promises';
import { emptyFilter } from '../../../../shared/api.ts';
import type { Prepared as Made } from '../../../../shared/domain.ts';
import type { Service } from '../../../../src-main/app/service.ts';
import { openDatabase } from '../../../../src-main/store/database.ts';
import type { Operation, Place, Prepared } from '../operation.ts';
import { createBenchService, openSynthetic } from '../projects.ts';

const group = 'Likeness';

export const likenessOperations: Operation[] = [
  {
    group,
    name: 'groups of near duplicates, made',
    prepare: (place) => preparing(place, (service) => service.handlers.listClusters({ filter: emptyFilter })),
  },
  {
    group,
    name: 'groups of near duplicates, filtered',
    prepare: async (place) => {
      const api = await openSynthetic(place);
      await untilReady(() => api.listClusters({ filter: emptyFilter }));
      const filter = { ...emptyFilter, flaggedOnly: true };
      return { run: () => api.listClusters({ filter }) };
    },
  },
  {
    group,
    name: 'look-alikes of one sample',
    prepare: async (place) => {
      const api = await openSynthetic(place);
      return { run: () => api.listNeighbours({ id: 1, limit: 24 }) };
    },
  },
  {
    group,
    name: 'the map, laid out',
    prepare: (place) => {
      const prepared = preparing(place, (service) => service.handlers.getMap({}));
      return {
        ...prepared,
        before: async () => {
          forgetMap(place);
          await prepared.before?.();
        },
      };
    },
  },
  {
    group,
    name: 'the map, for the window',
    prepare: async (place) => {
      const api = await openSynthetic(place);
      await untilReady(() => api.getMap({}));
      return { run: () => api.getMap({}) };
    },
  },
];

/** Something that is made when it is first asked for, in a newly opened project each time. */
function preparing(place: Place, ask: (service: Service) => Made<unknown> | Promise<Made<unknown>>): Prepared {
  let service: Service;
  return {
    before: async () => {
      service = createBenchService(place);
      await service.handlers.openProject({ path: place.project });
    },
    run: () => untilReady(() => ask(service)),
    after: () => service.close(),
  };
}

function forgetMap({ project }: Place): void {
  const db = openDatabase(project, { create: false });
  db.exec('DELETE FROM map');
  db.close();
}

async function untilReady(ask: () => Made<unknown> | Promise<Made<unknown>>): Promise<void> {
  for (let answer = await ask(); answer.status !== 'ready'; answer = await ask()) {
    if (answer.status === 'unavailable') throw new Error(answer.reason);
    await setTimeout(20);
  }
}
