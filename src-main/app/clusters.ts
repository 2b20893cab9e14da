import { mkdir } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { QueueFilter } from '../../shared/api.ts';
import type { Cluster, Prepared, SampleId } from '../../shared/domain.ts';
import type { Logger } from '../../shared/logger.ts';
import { forEachConcurrently } from '../dataset/concurrency.ts';
import { readFingerprint } from '../dataset/fingerprints.ts';
import { fingerprintBytes } from '../domain/fingerprint.ts';
import type { Database } from '../store/database.ts';
import {
  currentLabels,
  presentSamplesSignature,
  printedSamples,
  writeFingerprints,
  writesOfOthers,
} from '../store/fingerprints.ts';
import { queryQueue } from '../store/queue.ts';
import { rowOf, type SampleColumns } from '../store/sample-columns.ts';
import { sampleIndex } from '../store/sample-index.ts';
import { sampleFile } from '../store/samples.ts';
import { insideFolder } from './images.ts';
import { nextTurn } from './next-turn.ts';
import { groupInThread } from './preparation-work.ts';
import type { Preparations, Work } from './preparation.ts';
import { openPrintFile, type PrintFile } from './print-file.ts';
import type { Project } from './projects.ts';

/** Samples of one group, by id. */
interface Group {
  sampleIds: SampleId[];
  kind: Cluster['kind'];
}

/** The groups of nearly identical samples of one open project. */
export interface Clusters {
  list(filter: QueueFilter): Prepared<Cluster[]>;
  /** Samples may have come, gone or changed. */
  samplesChanged(): void;
}

export function createClusters(
  project: Project,
  preparations: Preparations,
  { workerProgram, logger }: { workerProgram: string; logger: Logger },
): Clusters {
  const { db } = project;
  let known: { key: string; groups: Group[] } | null = null;
  let signature: { text: string; writes: number } | null = null;

  /** What the groups depend on. Only an import changes it, here or in another process; looking is quick when neither can have been. */
  function currentKey(): string {
    const writes = writesOfOthers(db);
    if (signature?.writes !== writes) signature = { text: presentSamplesSignature(db), writes };
    return `${project.imageFolder}\n${signature.text}`;
  }

  return {
    list(filter) {
      const key = currentKey();
      if (known?.key === key) return { status: 'ready', value: listedClusters(db, known.groups, filter) };
      const work = groupSamples(project, workerProgram, logger, (groups) => (known = { key, groups }));
      return preparations.ask('clusters', key, work);
    },
    samplesChanged() {
      signature = null;
    },
  };
}

/** Fingerprints that are stored at once. */
const batchLength = 200;

/** All present samples, by rising id. */
interface Pictures {
  ids: Uint32Array;
  /** For each sample the row of the first with the same content: the two are one picture. */
  originals: Uint32Array;
  count: number;
  /** Rows of pictures without a fingerprint. */
  missing: number[];
}

function groupSamples(project: Project, program: string, logger: Logger, keep: (groups: Group[]) => void): Work {
  return async ({ signal, report }) => {
    const { columns } = sampleIndex(project.db);
    report(0, columns.count);
    await mkdir(project.cacheFolder, { recursive: true });
    const prints = openPrintFile(project.cacheFolder, columns.count);
    try {
      const pictures = await readPictures(project.db, columns, prints, signal);
      const { count } = pictures;
      const taken = count - pictures.missing.length;
      await takeFingerprints(project, pictures, prints, logger, signal, (done) => report(taken + done, count));
      const stored = prints.finish();
      const firsts = await groupInThread(stored, {
        program,
        transfer: [stored.hashes.buffer, stored.compared.buffer, stored.places.buffer],
        onProgress: () => report(count, count),
        signal,
      });
      signal.throwIfAborted();
      keep(toGroups(firsts, pictures));
    } finally {
      prints.close();
    }
  };
}

async function readPictures(
  db: Database,
  columns: Readonly<SampleColumns>,
  prints: PrintFile,
  signal: AbortSignal,
): Promise<Pictures> {
  const originals = Uint32Array.from({ length: columns.count }, (_, row) => row);
  const missing: number[] = [];
  let count = 0;
  let latestHash = '';
  let latestRow = -1;
  for (const page of printedSamples(db)) {
    for (const { id, contentHash, bits } of page) {
      const row = rowOf(columns, id);
      if (row === -1) continue;
      if (contentHash === latestHash) {
        originals[row] = latestRow;
        continue;
      }
      latestHash = contentHash;
      latestRow = row;
      count++;
      if (bits?.length === fingerprintBytes) prints.add(row, bits);
      else missing.push(row);
    }
    await nextTurn(signal);
  }
  // As the files lie in their folders.
  return { ids: columns.id, originals, count, missing: missing.sort((a, b) => a - b) };
}

/** Takes the missing fingerprints from the pictures' thumbnails, and stores them. Pictures that cannot be read any more are left out. */
async function takeFingerprints(
  { db, imageFolder, thumbnails }: Project,
  { ids, missing }: Pictures,
  prints: PrintFile,
  logger: Logger,
  signal: AbortSignal,
  onProgress: (done: number) => void,
): Promise<void> {
  let batch: { contentHash: string; bits: Uint8Array }[] = [];
  let done = 0;
  let unreadable = 0;
  const store = (): void => {
    writeFingerprints(db, batch);
    batch = [];
  };
  await forEachConcurrently(missing.length, availableParallelism(), async (index) => {
    const row = missing[index]!;
    const { path, contentHash } = sampleFile(db, ids[row]!)!;
    const file = insideFolder(imageFolder, path);
    const bits = file === null ? null : await readFingerprint(thumbnails, file, contentHash);
    signal.throwIfAborted();
    onProgress(++done);
    if (bits === null) {
      unreadable++;
      return;
    }
    prints.add(row, bits);
    batch.push({ contentHash, bits });
    if (batch.length >= batchLength) store();
  });
  store();
  if (unreadable > 0) {
    logger.warn(
      `${unreadable} images can no longer be read and are compared by their bytes alone; import the folder again to list them.`,
    );
  }
}

/** Groups of at least two samples, whose pictures have the same first. */
function toGroups(firsts: Int32Array, { ids, originals }: Pictures): Group[] {
  const sizes = new Uint32Array(ids.length);
  for (const original of originals) sizes[firsts[original]!]!++;
  const groups = new Map<number, Group>();
  // Most are alone: a group for each of a million would be most of the memory.
  for (const [row, original] of originals.entries()) {
    const first = firsts[original]!;
    if (sizes[first] === 1) continue;
    let group = groups.get(first);
    if (group === undefined) groups.set(first, (group = { sampleIds: [], kind: 'identical' }));
    group.sampleIds.push(ids[row]!);
    if (original !== first) group.kind = 'near';
  }
  return [...groups.values()];
}

/** The groups of which at least one sample matches, whole: those whose labels differ first, then the largest. */
function listedClusters(db: Database, groups: readonly Group[], filter: QueueFilter): Cluster[] {
  const matching = isEmpty(filter) ? null : new Set(queryQueue(db, { filter, sort: 'doubt' }).ids);
  const chosen =
    matching === null ? groups : groups.filter(({ sampleIds }) => sampleIds.some((id) => matching.has(id)));
  const labels = currentLabels(
    db,
    chosen.flatMap(({ sampleIds }) => sampleIds),
  );
  return chosen
    .map(({ sampleIds, kind }): Cluster => {
      // Dropped samples have no label that could differ.
      const different = new Set(sampleIds.map((id) => labels.get(id) ?? null).filter((label) => label !== null));
      return { sampleIds, kind, conflict: different.size > 1 };
    })
    .sort(
      (a, b) =>
        Number(b.conflict) - Number(a.conflict) ||
        b.sampleIds.length - a.sampleIds.length ||
        a.sampleIds[0]! - b.sampleIds[0]!,
    );
}

function isEmpty(filter: QueueFilter): boolean {
  return Object.values(filter).every(
    (value) => value === null || value === false || value === '' || (Array.isArray(value) && value.length === 0),
  );
}
