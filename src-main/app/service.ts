import { homedir } from 'node:os';
import path from 'node:path';
import type {
  ApiEventName,
  ApiEvents,
  ApiHandlers,
  Choice,
  ImportRequest,
  ImportSummary,
  ProjectSummary,
} from '../../shared/api.ts';
import type { RunSummary, SampleId } from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError } from '../../shared/result.ts';
import { toStorageError } from '../store/database.ts';
import { listProblems, countProblems } from '../store/problems.ts';
import { latestRun } from '../store/runs.ts';
import { takeTrainingLock, type TrainingLock } from '../store/training-lock.ts';
import { describeRun, resumableRun } from './checkpoints.ts';
import { createEvents } from './events.ts';
import { exportLabels } from './export.ts';
import { listFolder } from './folders.ts';
import { historyHandlers } from './history.ts';
import { readSampleImage } from './images.ts';
import { importImages } from './import.ts';
import {
  closeProject,
  importInfo,
  openImportTarget,
  openProject,
  projectInfo,
  relocateImages,
  suggestProjectPath,
  summarizeProject,
  type Project,
} from './projects.ts';
import { overviewHandlers } from './overview.ts';
import { createPreparedThings } from './prepared.ts';
import { listRecipes } from './recipes.ts';
import { createRecentProjects } from './recent.ts';
import { reviewHandlers } from './review.ts';
import { createSettings } from './settings.ts';
import { createTraining } from './training.ts';

/** What a host offers of the system's own dialogs; `unavailable` where it has none. */
export interface HostShell {
  chooseFolder(title: string): Promise<Choice>;
  chooseProjectFile(): Promise<Choice>;
  chooseSavePath(title: string, suggestedName: string): Promise<Choice>;
}

export interface ServiceOptions {
  host: 'electron' | 'server' | 'cli';
  version: string;
  /** Recent projects, caches and engines. */
  dataFolder: string;
  /** Node runtime that runs the trainer. */
  nodePath: string;
  /** Entry of the trainer's process. */
  trainerProgram: string;
  /** Entry of the thread that makes the map and the groups of similar images. */
  workerProgram: string;
  shell: HostShell;
  logger: Logger;
}

/** The use cases of Winnow, whatever host runs them. One project is open at a time. */
export interface Service {
  handlers: ApiHandlers;
  subscribe<E extends ApiEventName>(event: E, listener: (payload: ApiEvents[E]) => void): () => void;
  /** Bytes of a sample of the open project; null if there is none. Nothing else is ever served. */
  readImage(id: SampleId, size: 'thumbnail' | 'full'): Promise<{ bytes: Uint8Array; contentType: string } | null>;
  /** Ends an import and a running trainer, and closes the project. */
  close(): Promise<void>;
}

export function createService(options: ServiceOptions): Service {
  const { host, version, dataFolder, shell, logger } = options;
  const events = createEvents(logger);
  const recent = createRecentProjects(dataFolder, logger);
  const settings = createSettings(dataFolder, logger);
  let project: Project | null = null;
  let currentImport: { abort: AbortController; finished: Promise<unknown> } | null = null;
  let trainingLock: TrainingLock | null = null;

  const training = createTraining({
    ...options,
    emit: (event) => {
      if (event.kind === 'ended') releaseTrainingLock();
      events.emit('training', event);
    },
  });

  const prepared = createPreparedThings(requireProject, { ...options, events });

  function releaseTrainingLock(): void {
    trainingLock?.release();
    trainingLock = null;
  }

  /** From before a run is planned to after it is stored. */
  function isTraining(): boolean {
    return trainingLock !== null || training.isRunning();
  }

  /** Begins a run that nobody else may train beside; its end releases the lock. */
  async function withTrainingLock(begin: (trained: Project) => Promise<RunSummary>): Promise<RunSummary> {
    const trained = requireProject();
    if (isTraining()) {
      throw new AppError('busy', 'A training run is going on already. Stop it first, or wait for its end.');
    }
    trainingLock = takeTrainingLock(trained.path);
    if (trainingLock === null) {
      throw new AppError(
        'busy',
        `${trained.path} is being trained by another Winnow on this project. Wait for its end, or stop it there.`,
      );
    }
    try {
      return await begin(trained);
    } catch (error) {
      releaseTrainingLock();
      throw error;
    }
  }

  function requireProject(): Project {
    if (project === null) throw new AppError('no-project', 'No project is open. Open one, or import a folder.');
    return project;
  }

  /** Another project may take the open one's place only when nothing works on it. */
  function requireIdle(): void {
    if (currentImport !== null)
      throw new AppError('busy', 'An import is going on. Wait for its end, or cancel it first.');
    if (isTraining())
      throw new AppError('busy', 'The open project is being trained. Wait for its end, or stop the training first.');
  }

  function announceProject(): ProjectSummary {
    const summary = summarizeProject(requireProject());
    events.emit('projectChanged', summary);
    return summary;
  }

  /** Leaves the open project as it is when the new one cannot be opened. */
  async function switchTo(projectPath: string): Promise<ProjectSummary> {
    const next = openProject(projectPath, dataFolder, logger);
    const previous = project;
    project = next;
    if (previous !== null) await leave(previous);
    const summary = announceProject();
    // Nobody waits for the list: it makes its changes one after the other.
    void recent.remember({
      path: summary.path,
      name: summary.name,
      openedAt: new Date().toISOString(),
      samples: summary.samples,
      reviewed: countReviewed(summary),
    });
    return summary;
  }

  async function leave(left: Project): Promise<void> {
    await prepared.close(left);
    const summary = summarizeProject(left);
    closeProject(left);
    await recent.update({ path: summary.path, samples: summary.samples, reviewed: countReviewed(summary) });
  }

  async function importInto(request: ImportRequest, signal: AbortSignal): Promise<ImportSummary> {
    const projectPath = path.resolve(request.projectPath);
    const onProgress = (progress: ApiEvents['importProgress']): void => events.emit('importProgress', progress);
    if (project?.path === projectPath) {
      const info = importInfo(project.db, request);
      const outcome = await importImages({ db: project.db, thumbnails: project.thumbnails, info, onProgress, signal });
      project.imageFolder = info.imageFolder;
      prepared.samplesChanged(project);
      return { ...outcome, project: announceProject() };
    }
    const target = await openImportTarget(projectPath, dataFolder);
    let filled = false;
    let outcome: Omit<ImportSummary, 'project'>;
    try {
      const info = importInfo(target.db, request);
      outcome = await importImages({ db: target.db, thumbnails: target.thumbnails, info, onProgress, signal });
      filled = true;
    } finally {
      target.close(filled);
    }
    return { ...outcome, project: await switchTo(projectPath) };
  }

  const handlers: ApiHandlers = {
    ...reviewHandlers(requireProject),
    ...historyHandlers(requireProject, events, () => settings.current().reviewer),
    ...overviewHandlers(requireProject),
    ...prepared.handlers,

    getAppInfo: () => ({ name: 'Winnow', version, host, homeFolder: homedir(), pathSeparator: path.sep }),
    listFolder: ({ path: folder, showFiles }) => listFolder(folder, showFiles),
    chooseFolder: ({ title }) => shell.chooseFolder(title),
    chooseProjectFile: () => shell.chooseProjectFile(),
    chooseSavePath: ({ title, suggestedName }) => shell.chooseSavePath(title, suggestedName),

    getSettings: () => settings.current(),
    saveSettings: async (change) => {
      const saved = await settings.save(change);
      events.emit('settingsChanged', saved);
      return saved;
    },

    listRecentProjects: () => recent.list(),
    forgetRecentProject: async ({ path: projectPath }) => {
      await recent.forget(projectPath);
      return null;
    },
    suggestProjectPath: ({ folder }) => suggestProjectPath(folder),
    importFolder: async (request) => {
      if (project?.path !== path.resolve(request.projectPath)) requireIdle();
      else if (currentImport !== null)
        throw new AppError('busy', 'An import is going on already. Wait for its end, or cancel it first.');
      const abort = new AbortController();
      const work = importInto(request, abort.signal);
      currentImport = { abort, finished: work.catch(() => undefined) };
      try {
        return await work;
      } finally {
        currentImport = null;
      }
    },
    cancelImport: async () => {
      currentImport?.abort.abort();
      await currentImport?.finished;
      return null;
    },
    openProject: ({ path: projectPath }) => {
      if (project?.path === path.resolve(projectPath)) return summarizeProject(project);
      requireIdle();
      return switchTo(projectPath);
    },
    closeProject: async () => {
      if (project === null) return null;
      requireIdle();
      const left = project;
      project = null;
      await leave(left);
      events.emit('projectChanged', null);
      return null;
    },
    getProject: () => (project === null ? null : summarizeProject(project)),
    relocateImages: ({ folder }) => {
      relocateImages(requireProject(), folder);
      return announceProject();
    },
    listProblems: (page) => {
      const { db } = requireProject();
      return { total: countProblems(db), problems: listProblems(db, page) };
    },

    listEngines: ({ measure }) => training.listEngines(measure),
    listRecipes: () => listRecipes(project?.db ?? null),
    planTraining: (request) => training.plan(requireProject(), request),
    startTraining: (request) => withTrainingLock((trained) => training.start(trained, request)),
    resumeTraining: ({ runId }) => withTrainingLock((trained) => training.resume(trained, runId)),
    pauseTraining: async () => {
      await training.pause();
      return null;
    },
    cancelTraining: async () => {
      await training.cancel();
      return null;
    },
    getRun: () => describeRun(requireProject(), latestRun(requireProject().db)),
    getResumableRun: () => resumableRun(requireProject()),

    exportLabels: (request) => {
      const exported = requireProject();
      return exportLabels(exported.db, projectInfo(exported), { ...request, out: path.resolve(request.out) });
    },
  };

  return {
    handlers: withStorageErrors(handlers, () => project?.path ?? 'The project'),
    subscribe: (event, listener) => events.subscribe(event, listener),
    readImage: async (id, size) => (project === null ? null : await readSampleImage(project, id, size)),
    close: async () => {
      currentImport?.abort.abort();
      await currentImport?.finished;
      await training.close();
      releaseTrainingLock();
      if (project === null) return;
      const left = project;
      project = null;
      await leave(left);
    },
  };
}

function countReviewed({ review }: ProjectSummary): number {
  return review.confirmed + review.relabeled + review.dropped;
}

/** A full disk or a locked file can meet every method, and is said in words for people by each. */
function withStorageErrors(handlers: ApiHandlers, projectFile: () => string): ApiHandlers {
  const guarded = Object.entries(handlers).map(([method, handler]) => [
    method,
    async (input: unknown) => {
      try {
        return await (handler as (input: unknown) => unknown)(input);
      } catch (error) {
        throw toStorageError(projectFile(), error) ?? error;
      }
    },
  ]);
  return Object.fromEntries(guarded) as ApiHandlers;
}
