import type { ApiHandlers } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { createClusters, type Clusters } from './clusters.ts';
import type { Events } from './events.ts';
import { getMap } from './map.ts';
import { createPreparations, type Preparations } from './preparation.ts';
import type { Project } from './projects.ts';

/** What of a project takes a while to be made and is then kept. */
export interface PreparedThings {
  handlers: Pick<ApiHandlers, 'getMap' | 'listClusters'>;
  /** An import has changed the samples of an open project. */
  samplesChanged(project: Project): void;
  /** Ends what is being made, before its project is closed. */
  close(project: Project): Promise<void>;
}

export function createPreparedThings(
  openProject: () => Project,
  { events, workerProgram, logger }: { events: Events; workerProgram: string; logger: Logger },
): PreparedThings {
  const things = new Map<Project, { preparations: Preparations; clusters: Clusters }>();
  const thingsOf = (project: Project): { preparations: Preparations; clusters: Clusters } => {
    let known = things.get(project);
    if (known === undefined) {
      const preparations = createPreparations((preparation) => events.emit('preparation', preparation), logger);
      known = { preparations, clusters: createClusters(project, preparations, { workerProgram, logger }) };
      things.set(project, known);
    }
    return known;
  };
  return {
    handlers: {
      getMap: () => {
        const project = openProject();
        return getMap(project.db, thingsOf(project).preparations, workerProgram);
      },
      listClusters: ({ filter }) => thingsOf(openProject()).clusters.list(filter),
    },
    samplesChanged: (project) => things.get(project)?.clusters.samplesChanged(),
    close: async (project) => {
      const known = things.get(project);
      things.delete(project);
      await known?.preparations.close();
    },
  };
}
