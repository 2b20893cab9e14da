import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import type { RecentProject } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { errorMessage } from '../../shared/result.ts';
import { writeFileAtomically } from './write-file.ts';

/** The projects that were opened last, newest first, in a small file of the data folder. */
export interface RecentProjects {
  list(): Promise<RecentProject[]>;
  /** Puts the project at the head of the list. */
  remember(project: Omit<RecentProject, 'missing'>): Promise<void>;
  /** Brings the counts of a project that is listed up to date. */
  update(project: Pick<RecentProject, 'path' | 'samples' | 'reviewed'>): Promise<void>;
  forget(projectPath: string): Promise<void>;
}

/** The list is a convenience: a file that is damaged or cannot be written is logged and never stands in the way. */
export function createRecentProjects(dataFolder: string, logger: Logger): RecentProjects {
  const file = path.join(dataFolder, 'recent-projects.json');
  // Changes wait for each other, so that none is lost between reading and writing.
  let lastChange: Promise<void> = Promise.resolve();

  const change = (edit: (entries: Entry[]) => Entry[]): Promise<void> => {
    lastChange = lastChange.then(async () => {
      try {
        const before = await read(file, logger);
        await writeFileAtomically(file, `${JSON.stringify(edit(before).slice(0, mostEntries), null, 2)}\n`);
      } catch (error) {
        logger.warn(`The list of recent projects could not be written to ${file}: ${errorMessage(error)}`);
      }
    });
    return lastChange;
  };

  return {
    list: async () => {
      await lastChange;
      return (await read(file, logger)).map((entry) => ({ ...entry, missing: !existsSync(entry.path) }));
    },
    remember: (project) => change((entries) => [project, ...entries.filter((entry) => entry.path !== project.path)]),
    update: ({ path: projectPath, samples, reviewed }) =>
      change((entries) =>
        entries.map((entry) => (entry.path === projectPath ? { ...entry, samples, reviewed } : entry)),
      ),
    forget: (projectPath) => change((entries) => entries.filter((entry) => entry.path !== projectPath)),
  };
}

const entrySchema = v.object({
  path: v.string(),
  name: v.string(),
  openedAt: v.string(),
  samples: v.number(),
  reviewed: v.number(),
});

type Entry = v.InferOutput<typeof entrySchema>;

const mostEntries = 20;

async function read(file: string, logger: Logger): Promise<Entry[]> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
      logger.warn(`${file} cannot be read: ${errorMessage(error)}`);
    return [];
  }
  try {
    return v.parse(v.array(entrySchema), JSON.parse(text));
  } catch (error) {
    logger.warn(`${file} is damaged and starts anew: ${errorMessage(error)}`);
    return [];
  }
}
