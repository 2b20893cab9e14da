import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ImportProgress, ImportSummary, LabelsFile } from '../../shared/api.ts';
import type { Problem, ProblemKind } from '../../shared/domain.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { forEachOf } from '../dataset/concurrency.ts';
import { inspectAndThumbnail, maxFileBytes } from '../dataset/decode.ts';
import { extensionOf, formatName, formatOfName, type ImageFormat } from '../dataset/image-format.ts';
import { absolutePath, assertSeveralClasses, scanFolder } from '../dataset/scan.ts';
import { applyImport } from '../store/apply-import.ts';
import { inSmallMemory, inTransaction, type Database } from '../store/database.ts';
import { openStaging, type ImportStaging, type StagedFile, type StagedPicture } from '../store/import-staging.ts';
import { writeProjectInfo, type ProjectInfo } from '../store/project-info.ts';
import { countConflictingDuplicates } from '../store/samples.ts';
import type { ThumbnailCache } from '../store/thumbnails.ts';

export interface ImportContext {
  db: Database;
  thumbnails: ThumbnailCache;
  /** What the project is to say about itself from this import on. */
  info: ProjectInfo;
  /** Called at most ten times a second, and at the end of each phase. */
  onProgress?: (progress: ImportProgress) => void;
  signal?: AbortSignal;
  /** Files read and decoded at once. */
  concurrency?: number;
}

export type ImportOutcome = Omit<ImportSummary, 'project'>;

/**
 * Brings a project up to date with its image folder: scan, read what is new or changed, save. The project changes in one
 * transaction at the end or not at all; every decision stays. Nothing in the folder is written. What is found waits in the staging,
 * and never in memory as a whole. Throws `AppError`: what `scanFolder` throws, and 'cancelled'.
 */
export async function importImages(context: ImportContext): Promise<ImportOutcome> {
  const { db, info, signal } = context;
  const started = performance.now();
  const progress = createProgress(context.onProgress);
  const staging = openStaging(db);
  try {
    progress.begin('scanning', null, 0);
    await scanFolder(
      {
        folder: info.imageFolder,
        labels: info.labels,
        onProgress: (found) => progress.report(found, 0),
        ...(signal === undefined ? {} : { signal }),
      },
      staging,
    );
    await readFiles(context, staging, progress);
    warnOfExtensions(staging);
    assertUsable(info, staging);

    const { all: samples } = staging.countFiles();
    progress.begin('saving', samples, 0);
    const { changes, conflictingDuplicates } = inSmallMemory(db, () => ({
      changes: inTransaction(db, () => {
        writeProjectInfo(db, info);
        return applyImport(db);
      }),
      conflictingDuplicates: countConflictingDuplicates(db),
    }));
    const problems = staging.countProblems();
    progress.end(samples, problems);
    return {
      ...changes,
      problems,
      conflictingDuplicates,
      seconds: (performance.now() - started) / 1000,
    };
  } finally {
    staging.clear();
  }
}

type ReadFile =
  { kind: 'sample'; picture: StagedPicture; thumbnail: Uint8Array | null } | { kind: 'problem'; problem: Problem };

/** Pictures written in one transaction; with thumbnails about half a megabyte. */
const batchLength = 64;
/** Files that are opened, or wait for a thread, while every core decodes one: without them cores would wait for this thread. */
const waitingFiles = 2;
/** Milliseconds between two progress reports. */
const progressInterval = 100;

/** Reads the files of which nothing is known yet; those that cannot be used become problems. */
async function readFiles(context: ImportContext, staging: ImportStaging, progress: Progress): Promise<void> {
  const { thumbnails, info, signal, concurrency = availableParallelism() + waitingFiles } = context;
  const { all, read: known } = staging.countFiles();
  let done = known;
  let problems = staging.countProblems();
  progress.begin('reading', all, done);

  const pictures: StagedPicture[] = [];
  const newThumbnails: { contentHash: string; bytes: Uint8Array }[] = [];
  const flush = (): void => {
    staging.addPictures(pictures.splice(0));
    thumbnails.put(newThumbnails.splice(0));
  };
  await forEachOf(staging.unreadFiles(), concurrency, async (file) => {
    if (signal?.aborted) throw cancelled();
    const read = await readSample(info.imageFolder, file);
    if (read.kind === 'sample') {
      pictures.push(read.picture);
      if (read.thumbnail !== null) newThumbnails.push({ contentHash: read.picture.contentHash, bytes: read.thumbnail });
      if (pictures.length >= batchLength) flush();
    } else if (!isPassedOver(file.path, read.problem, info.labels)) {
      staging.addProblems([read.problem]);
      problems++;
    }
    progress.report(++done, problems);
  });
  flush();
  if (signal?.aborted) throw cancelled();
  staging.dropUnreadFiles();
}

async function readSample(folder: string, file: Pick<StagedFile, 'path' | 'byteSize'>): Promise<ReadFile> {
  const problem = (kind: ProblemKind, reason: string): ReadFile => ({
    kind: 'problem',
    problem: { path: file.path, kind, reason, severity: 'error' },
  });
  if (file.byteSize > maxFileBytes) {
    return problem(
      'too-large',
      `The file has ${Math.round(file.byteSize / 1e6)} MB (at most ${maxFileBytes / 1e6} are read); make it smaller and import again.`,
    );
  }
  let bytes: Buffer;
  try {
    bytes = await readFile(absolutePath(folder, file.path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      return problem('file-missing', 'The file vanished during the import; import again.');
    return problem(
      'unreadable',
      `The file cannot be read (${errorMessage(error)}); check its permissions and import again.`,
    );
  }
  const inspected = await inspectAndThumbnail(bytes);
  if (!inspected.ok) return problem(inspected.error.kind, inspected.error.reason);
  const { format, width, height, thumbnail } = inspected.value;
  return {
    kind: 'sample',
    picture: { path: file.path, contentHash: hash('sha256', bytes), width, height, format },
    thumbnail,
  };
}

/** A file without an extension that turns out to be no picture was never meant, unless a CSV names it. */
function isPassedOver(path: string, problem: Problem, labels: LabelsFile | null): boolean {
  return labels === null && extensionOf(path) === '' && (problem.kind === 'unreadable' || problem.kind === 'empty');
}

function warnOfExtensions(staging: ImportStaging): void {
  for (const { path, format } of staging.files()) {
    const warning = extensionWarning(path, format as ImageFormat);
    if (warning !== null) staging.addProblems([warning]);
  }
}

/** The picture is used all the same, but other programs may stumble over its name. */
function extensionWarning(path: string, format: ImageFormat): Problem | null {
  const extension = extensionOf(path);
  if (extension === '' || formatOfName(path) === format) return null;
  const reason = `The file is a ${formatName(format)} picture although its name ends in .${extension}; it was imported all the same. Rename it if other programs refuse it.`;
  return { path, kind: 'wrong-extension', reason, severity: 'warning' };
}

/** Enough was readable to go on with. */
function assertUsable({ imageFolder, labels }: ProjectInfo, staging: ImportStaging): void {
  const someLabels = staging.someLabels();
  if (someLabels.length === 0) {
    const first = staging.firstError();
    const example = first === null ? '' : ` The first: ${first.path}: ${first.reason}`;
    throw new AppError('folder-empty', `None of the files in ${imageFolder} can be used as an image.${example}`);
  }
  assertSeveralClasses(imageFolder, labels, someLabels);
}

function cancelled(): AppError {
  return new AppError('cancelled', 'The import was cancelled; the project was not changed.');
}

interface Progress {
  begin(phase: ImportProgress['phase'], total: number | null, done: number): void;
  report(done: number, problems: number): void;
  end(done: number, problems: number): void;
}

function createProgress(onProgress: (progress: ImportProgress) => void = () => undefined): Progress {
  let phase: ImportProgress['phase'] = 'scanning';
  let total: number | null = null;
  let doneAtStart = 0;
  let phaseStarted = 0;
  let lastReport = 0;
  let lastProblems = 0;
  const send = (done: number, problems: number, now: number): void => {
    lastReport = now;
    lastProblems = problems;
    const seconds = (now - phaseStarted) / 1000;
    const imagesPerSecond = seconds > 0 ? (done - doneAtStart) / seconds : 0;
    const secondsLeft = total !== null && imagesPerSecond > 0 ? (total - done) / imagesPerSecond : null;
    onProgress({ phase, done, total, imagesPerSecond, secondsLeft, problems });
  };
  return {
    begin: (nextPhase, nextTotal, done) => {
      [phase, total, doneAtStart, phaseStarted] = [nextPhase, nextTotal, done, performance.now()];
      send(done, lastProblems, phaseStarted);
    },
    report: (done, problems) => {
      const now = performance.now();
      if (now - lastReport >= progressInterval) send(done, problems, now);
    },
    end: (done, problems) => send(done, problems, performance.now()),
  };
}
