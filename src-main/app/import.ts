import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { ImportProgress, ImportSummary, LabelsFile } from '../../shared/api.ts';
import type { Problem, ProblemKind } from '../../shared/domain.ts';
import { AppError, errorMessage } from '../../shared/result.ts';
import { forEachConcurrently } from '../dataset/concurrency.ts';
import { inspectAndThumbnail, maxFileBytes } from '../dataset/decode.ts';
import { extensionOf, formatName, formatOfName, type ImageFormat } from '../dataset/image-format.ts';
import { absolutePath, assertSeveralClasses, scanFolder, type ScannedFile } from '../dataset/scan.ts';
import { inTransaction, type Database } from '../store/database.ts';
import { writeProjectInfo, type ProjectInfo } from '../store/project-info.ts';
import {
  applyImport,
  countConflictingDuplicates,
  knownSamplesByPath,
  type KnownSample,
  type ScannedSample,
} from '../store/samples.ts';
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
 * transaction at the end or not at all; every decision stays. Nothing in the folder is written.
 * Throws `AppError`: what `scanFolder` throws, and 'cancelled'.
 */
export async function importImages(context: ImportContext): Promise<ImportOutcome> {
  const { db, thumbnails, info, signal, concurrency = availableParallelism() } = context;
  const started = performance.now();
  const progress = createProgress(context.onProgress);

  progress.begin('scanning', null, 0);
  const scan = await scanFolder({
    folder: info.imageFolder,
    labels: info.labels,
    onProgress: (found) => progress.report(found, 0),
    ...(signal === undefined ? {} : { signal }),
  });

  const known = knownSamplesByPath(db);
  const problems = scan.problems;
  const samples: ScannedSample[] = [];
  const toRead: ScannedFile[] = [];
  for (const file of scan.files) {
    const before = known.get(file.path);
    if (before !== undefined && isUnchanged(before, file)) {
      samples.push({
        ...file,
        contentHash: before.contentHash,
        width: before.width,
        height: before.height,
        format: before.format,
      });
    } else {
      toRead.push(file);
    }
  }
  const unchanged = samples.length;

  progress.begin('reading', scan.files.length, unchanged);
  const pendingThumbnails: { contentHash: string; bytes: Uint8Array }[] = [];
  const flushThumbnails = (): void => thumbnails.put(pendingThumbnails.splice(0));
  let done = unchanged;
  await forEachConcurrently(toRead.length, concurrency, async (index) => {
    if (signal?.aborted) throw cancelled();
    const file = toRead[index]!;
    const read = await readSample(info.imageFolder, file);
    if (read.kind === 'sample') {
      samples.push(read.sample);
      if (read.thumbnail !== null)
        pendingThumbnails.push({ contentHash: read.sample.contentHash, bytes: read.thumbnail });
      if (pendingThumbnails.length >= thumbnailBatch) flushThumbnails();
    } else if (read.kind === 'problem' && !isPassedOver(file, read.problem, info.labels)) {
      problems.push(read.problem);
    }
    progress.report(++done, problems.length);
  });
  flushThumbnails();
  if (signal?.aborted) throw cancelled();

  samples.sort(byPath);
  for (const { path, format } of samples) {
    const warning = extensionWarning(path, format as ImageFormat);
    if (warning !== null) problems.push(warning);
  }
  problems.sort(byPath);
  assertUsable(info, samples, problems);

  progress.begin('saving', samples.length, 0);
  const changes = inTransaction(db, () => {
    writeProjectInfo(db, info);
    return applyImport(db, { scanned: samples, problems });
  });
  progress.end(samples.length, problems.length);
  return {
    ...changes,
    problems: problems.length,
    conflictingDuplicates: countConflictingDuplicates(db),
    seconds: (performance.now() - started) / 1000,
  };
}

type ReadFile =
  { kind: 'sample'; sample: ScannedSample; thumbnail: Uint8Array | null } | { kind: 'problem'; problem: Problem };

/** Thumbnails written in one transaction; about half a megabyte. */
const thumbnailBatch = 64;
/** Milliseconds between two progress reports. */
const progressInterval = 100;

/** As rsync and make do: the same size and time of change are taken for the same content. */
function isUnchanged(before: KnownSample, file: ScannedFile): boolean {
  return before.byteSize === file.byteSize && before.modifiedMs === file.modifiedMs;
}

async function readSample(folder: string, file: ScannedFile): Promise<ReadFile> {
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
  return { kind: 'sample', sample: { ...file, contentHash: hash('sha256', bytes), width, height, format }, thumbnail };
}

/** A file without an extension that turns out to be no picture was never meant, unless a CSV names it. */
function isPassedOver(file: ScannedFile, problem: Problem, labels: LabelsFile | null): boolean {
  return (
    labels === null && extensionOf(file.path) === '' && (problem.kind === 'unreadable' || problem.kind === 'empty')
  );
}

/** The picture is used all the same, but other programs may stumble over its name. */
function extensionWarning(path: string, format: ImageFormat): Problem | null {
  const extension = extensionOf(path);
  if (extension === '' || formatOfName(path) === format) return null;
  const reason = `The file is a ${formatName(format)} picture although its name ends in .${extension}; it was imported all the same. Rename it if other programs refuse it.`;
  return { path, kind: 'wrong-extension', reason, severity: 'warning' };
}

/** Enough was readable to go on with. */
function assertUsable(
  { imageFolder, labels }: ProjectInfo,
  samples: readonly ScannedSample[],
  problems: readonly Problem[],
): void {
  if (samples.length === 0) {
    const first = problems.find(({ severity }) => severity === 'error');
    const example = first === undefined ? '' : ` The first: ${first.path}: ${first.reason}`;
    throw new AppError('folder-empty', `None of the files in ${imageFolder} can be used as an image.${example}`);
  }
  assertSeveralClasses(imageFolder, labels, samples);
}

/** Files end in any order; what is saved does not depend on it. */
function byPath(a: { path: string }, b: { path: string }): number {
  return a.path < b.path ? -1 : a.path > b.path ? 1 : 0;
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
