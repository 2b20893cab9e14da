import process from 'node:process';
import type { Logger } from '../../shared/logger.ts';
import { createService, type Service } from '../../src-main/app/service.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { startServer } from '../../src-main/hosts/server/server.ts';
import { shellWithoutDialogs } from '../../src-main/hosts/server/shell.ts';

export interface ServedProject {
  /** With the token. */
  url: string;
  service: Service;
  close(): Promise<void>;
}

/** What `winnow serve` does, from the sources and in this process. */
export async function serveProject({
  project,
  home,
  port = 0,
  rendererFolder = programPaths().rendererFolder,
}: {
  project: string;
  home: string;
  /** 0 takes any free one. */
  port?: number;
  rendererFolder?: string;
}): Promise<ServedProject> {
  const { version, nodePath, trainerProgram, workerProgram } = programPaths();
  const service = createService({
    host: 'server',
    version,
    dataFolder: home,
    nodePath,
    trainerProgram,
    workerProgram,
    shell: shellWithoutDialogs,
    logger: errorsOnly,
  });
  await service.handlers.openProject({ path: project });
  const server = await startServer({ service, logger: errorsOnly, rendererFolder, port, firstPage: '/' });
  return {
    url: server.url,
    service,
    close: async () => {
      await server.close();
      await service.close();
    },
  };
}

const errorsOnly: Logger = {
  info: () => undefined,
  warn: () => undefined,
  error: (message, error) => void process.stderr.write(`${message} ${String(error)}\n`),
};
