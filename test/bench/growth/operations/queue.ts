import { emptyFilter, type ApiHandlers, type QueueFilter, type QueueQuery } from '../../../../shared/api.ts';
import type { SampleId } from '../../../../shared/domain.ts';
import type { Service } from '../../../../src-main/app/service.ts';
import { openDatabase, type Database } from '../../../../src-main/store/database.ts';
import { sampleIndex, type SampleIndex } from '../../../../src-main/store/sample-index.ts';
import type { Operation, Prepared } from '../operation.ts';
import { createBenchService, openSynthetic } from '../projects.ts';

const group = 'Opening and the queue';

export const queueOperations: Operation[] = [
  {
    group,
    name: 'open the project, with counts',
    prepare: (place) => {
      let service: Service;
      return {
        before: () => void (service = createBenchService(place)),
        run: () => service.handlers.openProject({ path: place.project }),
        after: () => service.close(),
      };
    },
  },
  onNewIndex(
    'read the index',
    () => undefined,
    (db) => sampleIndex(db),
  ),
  ...(['doubt', 'abstention', 'confidence', 'path', 'decided'] as const).map((sort) =>
    onNewIndex(`order by ${sort}, the first time`, sampleIndex, (db) => sampleIndex(db).order(sort)),
  ),
  asking('the queue', {}),
  asking('the queue of a class and state', { givenClassIds: [1], states: ['unreviewed'] }),
  asking('the queue by path, searched', { search: '17 jpg' }, 'path'),
  asking('the queue inside a lasso', { region: circle(500) }),
  onOpenProject('the last 200 of the queue', async (api) => {
    const ids = await idsOf(api);
    return { run: () => api.getSamples({ ids: ids.slice(-200) }) };
  }),
  onOpenProject('one sample', async (api) => {
    const ids = await idsOf(api);
    return { run: () => api.getSample({ id: ids.at(-1)! }) };
  }),
  onOpenProject('confused pairs', (api) => ({ run: () => api.listPairs({ filter: emptyFilter }) })),
  onOpenProject('examples of a class', (api) => ({ run: () => api.listExemplars({ classId: 1, limit: 8 }) })),
  onOpenProject('overview', (api) => ({ run: () => api.getOverview({}) })),
  onOpenProject('triage', (api) => ({ run: () => api.getTriage({}) })),
];

export function idsOf(api: ApiHandlers): Promise<SampleId[]> {
  return Promise.resolve(api.queryQueue({ filter: emptyFilter, sort: 'doubt' })).then(({ ids }) => [...ids]);
}

function onOpenProject(name: string, prepare: (api: ApiHandlers) => Prepared | Promise<Prepared>): Operation {
  return { group, name, prepare: async (place) => prepare(await openSynthetic(place)) };
}

function asking(name: string, filter: Partial<QueueFilter>, sort: QueueQuery['sort'] = 'doubt'): Operation {
  return onOpenProject(name, async (api) => {
    const query = { filter: { ...emptyFilter, ...filter }, sort };
    await api.queryQueue(query);
    return { run: () => api.queryQueue(query) };
  });
}

/** On a connection that has read nothing yet but what `before` reads. */
function onNewIndex(
  name: string,
  before: (db: Database) => SampleIndex | undefined,
  run: (db: Database) => unknown,
): Operation {
  return {
    group,
    name,
    prepare: ({ project }) => {
      let db: Database;
      return {
        before: () => {
          db = openDatabase(project, { create: false });
          before(db);
        },
        run: () => run(db),
        after: () => void db.close(),
      };
    },
  };
}

function circle(corners: number): number[] {
  const at = (i: number): number => (2 * Math.PI * i) / corners;
  return Array.from({ length: corners }, (_, i) => [0.5 * Math.cos(at(i)), 0.5 * Math.sin(at(i))]).flat();
}
