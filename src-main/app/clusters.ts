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
  readPrintedSamples,
  writeFingerprints,
  writesOfOthers,
} from '../store/fingerprints.ts';
import { queryQueue } from '../store/queue.ts';
import { countSamples } from '../store/samples.ts';
import { insideFolder } from './images.ts';
import { nextTurn } from './next-turn.ts';
import { groupInThread } from './preparation-work.ts';
import type { Preparations, Work } from './preparation.ts';
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

/** Samples that are read at once, between two other calls. */
const pageLength = 2000;
/** Fingerprints that are stored at once. */
const batchLength = 200;

/** Every present picture by its content, with the samples that hold it. */
interface Pictures {
  hashes: string[];
  sampleIds: SampleId[][];
  /** `[pictures, fingerprintBytes]`; zeros, which are a blank picture's, where none could be taken. */
  fingerprints: Uint8Array<ArrayBuffer>;
  /** Pictures without a fingerprint, and where a file of each lies. */
  missing: { picture: number; path: string }[];
}

function groupSamples(project: Project, program: string, logger: Logger, keep: (groups: Group[]) => void): Work {
  return async ({ signal, report }) => {
    const total = countSamples(project.db).present;
    report(0, total);
    const pictures = await readPictures(project.db, total, signal);
    const count = pictures.hashes.length;
    const taken = count - pictures.missing.length;
    await takeFingerprints(project, pictures, logger, signal, (done) => report(taken + done, count));
    const firsts = await groupInThread(pictures.fingerprints, count, {
      program,
      transfer: [pictures.fingerprints.buffer],
      onProgress: () => report(count, count),
      signal,
    });
    signal.throwIfAborted();
    keep(toGroups(firsts, pictures.sampleIds));
  };
}

async function readPictures(db: Database, total: number, signal: AbortSignal): Promise<Pictures> {
  const hashes: string[] = [];
  const sampleIds: SampleId[][] = [];
  const missing: Pictures['missing'] = [];
  const indexes = new Map<string, number>();
  let fingerprints = new Uint8Array(total * fingerprintBytes);
  for (let after = 0; ;) {
    const page = readPrintedSamples(db, after, pageLength);
    for (const { id, contentHash, path, bits } of page) {
      const known = indexes.get(contentHash);
      if (known !== undefined) {
        sampleIds[known]!.push(id);
        continue;
      }
      const picture = hashes.push(contentHash) - 1;
      sampleIds.push([id]);
      indexes.set(contentHash, picture);
      if (bits?.length === fingerprintBytes && picture < total) fingerprints.set(bits, picture * fingerprintBytes);
      else missing.push({ picture, path });
    }
    const last = page.at(-1);
    if (last === undefined) break;
    after = last.id;
    await nextTurn(signal);
  }
  // Shorter where pictures are there twice; an import meanwhile may also have added some.
  if (hashes.length !== total) {
    const exact = new Uint8Array(hashes.length * fingerprintBytes);
    exact.set(fingerprints.subarray(0, exact.length));
    fingerprints = exact;
  }
  return { hashes, sampleIds, fingerprints, missing };
}

/** Takes the missing fingerprints from the pictures' thumbnails, and stores them. Pictures that cannot be read any more are left out. */
async function takeFingerprints(
  { db, imageFolder, thumbnails }: Project,
  { hashes, fingerprints, missing }: Pictures,
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
    const { picture, path } = missing[index]!;
    const contentHash = hashes[picture]!;
    const file = insideFolder(imageFolder, path);
    const bits = file === null ? null : await readFingerprint(thumbnails, file, contentHash);
    signal.throwIfAborted();
    onProgress(++done);
    if (bits === null) {
      unreadable++;
      return;
    }
    fingerprints.set(bits, picture * fingerprintBytes);
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
function toGroups(firsts: Int32Array, sampleIds: readonly SampleId[][]): Group[] {
  const members = new Map<number, Group>();
  firsts.forEach((first, picture) => {
    const group = members.get(first);
    if (group === undefined) members.set(first, { sampleIds: [...sampleIds[picture]!], kind: 'identical' });
    else {
      // One by one: of a picture that is there two hundred thousand times, they are too many for arguments.
      for (const id of sampleIds[picture]!) group.sampleIds.push(id);
      group.kind = 'near';
    }
  });
  return [...members.values()]
    .filter((group) => group.sampleIds.length > 1)
    .map(({ sampleIds: ids, kind }) => ({ sampleIds: ids.sort((a, b) => a - b), kind }));
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
