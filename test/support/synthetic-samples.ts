import { hash } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { fingerprintBytes, hashBytes } from '../../src-main/domain/fingerprint.ts';
import { createRandom, type Random } from '../../src-main/domain/random.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';
import {
  drawnClassNames,
  drawPictures,
  readClassFolders,
  undrawnPictures,
  type Picture,
} from './synthetic-pictures.ts';
import { lookAlikeOf } from './synthetic-run.ts';

/* The samples of a synthetic project, and their files. */

export interface SyntheticSample {
  /** `<given label>/<number>.jpg` */
  path: string;
  picture: Picture;
  contentHash: string;
  /** Class indexes. */
  truth: number;
  label: number;
  difficulty: number;
  /** Samples of the same kin are takes of one picture. */
  kin: number;
}

export interface SampleOptions {
  /** Where drawn pictures go. */
  folder: string;
  samples: number;
  classes: number;
  /** A folder with one subfolder of pictures per class; null to draw them. */
  pictures: string | null;
  /** Whether there are to be files at all. */
  files: boolean;
  seed: number;
}

/** Classes, and samples in the order in which an import would find them. */
export async function planSamples(options: SampleOptions): Promise<{ names: string[]; samples: SyntheticSample[] }> {
  const { seed } = options;
  const found = options.pictures === null ? null : await readClassFolders(options.pictures);
  const names = found?.names ?? drawnClassNames(options.classes);
  if (names.length < 2) throw new Error('A project needs at least two classes.');
  const random = createRandom(seed);
  // Some classes are rarer than others, down to half of the most frequent.
  const shares = names.map((_, index) => 1 - (0.5 * index) / (names.length - 1));
  const truths = Array.from({ length: options.samples }, (_, i) => (i < names.length ? i : pick(shares, random)));
  const pictureCounts = names.map(() => 0);
  for (const truth of truths) pictureCounts[truth] = Math.min(picturesPerClass, pictureCounts[truth]! + 1);
  const pictures =
    found?.pictures ??
    (options.files
      ? await drawPictures(path.join(options.folder, 'pictures'), pictureCounts, seed)
      : undrawnPictures(pictureCounts));
  const used = names.map(() => 0);
  const samples: SyntheticSample[] = [];
  for (const [i, ownTruth] of truths.entries()) {
    const before = samples[i - 1];
    const repeats = before === undefined ? 1 : random.next();
    const original = repeats < identicalShare + nearShare ? before : undefined;
    const truth = original?.truth ?? ownTruth;
    const label = random.next() < wrongShare ? wrongLabel(truth, names.length, random) : truth;
    const turn = used[truth]!++;
    const available = pictures[truth]!;
    const picture = original?.picture ?? available[turn % available.length]!;
    samples.push({
      path: `${names[label]!}/${String(i + 1).padStart(7, '0')}${path.extname(picture.file)}`,
      picture,
      contentHash:
        original !== undefined && repeats < identicalShare
          ? original.contentHash
          : hashOfCopy(picture, Math.floor(turn / available.length), original === undefined ? '' : String(i)),
      truth,
      label,
      difficulty: original?.difficulty ?? random.next() ** 4,
      kin: original?.kin ?? i,
    });
  }
  samples.sort((a, b) => (a.path < b.path ? -1 : 1));
  return { names, samples };
}

/** Puts a file under the name of every sample. */
export function linkPictures(imageFolder: string, samples: readonly SyntheticSample[]): void {
  const folders = new Set(samples.map((sample) => path.dirname(sample.path)));
  for (const folder of folders) mkdirSync(path.join(imageFolder, folder), { recursive: true });
  for (const { path: file, picture } of samples) {
    const target = path.join(imageFolder, file);
    try {
      linkSync(picture.file, target);
    } catch {
      // Another disk, or no more links to that file.
      copyFileSync(picture.file, target);
    }
  }
}

/**
 * Fingerprints for the samples that share a file without being takes of one picture, so that they do not all look nearly the same.
 * Those of the others are left to be taken from their files.
 */
export function drawFingerprints(
  samples: readonly SyntheticSample[],
  seed: number,
): { contentHash: string; bits: Uint8Array }[] {
  const random = createRandom(seed);
  const isCopy = ({ contentHash, picture }: SyntheticSample): boolean => contentHash !== picture.contentHash;
  const filed = new Set(samples.flatMap((sample) => (isCopy(sample) ? [] : [sample.kin])));
  const byKin = new Map<number, Uint8Array>();
  const drawn = samples.flatMap((sample) => {
    if (filed.has(sample.kin)) return [];
    const first = byKin.get(sample.kin);
    const bits = first === undefined ? randomBytes(fingerprintBytes, random) : nearly(first, random);
    if (first === undefined) byKin.set(sample.kin, bits);
    return [{ contentHash: sample.contentHash, bits }];
  });
  // In the order of their table, which grows several times as quickly so.
  return drawn.sort((a, b) => (a.contentHash < b.contentHash ? -1 : 1));
}

/** Fills the cache as the import would have done. */
export function fillThumbnails(cacheFolder: string, samples: readonly SyntheticSample[]): void {
  const cache = openThumbnailCache(cacheFolder);
  const thumbnails = samples.flatMap(({ contentHash, picture: { thumbnail } }) =>
    thumbnail === null ? [] : [{ contentHash, bytes: thumbnail }],
  );
  for (let from = 0; from < thumbnails.length; from += thumbnailBatch) {
    cache.put(thumbnails.slice(from, from + thumbnailBatch));
  }
  cache.close();
}

const wrongShare = 0.08;
/** Share of the wrong labels that name the look-alike; the rest name any other class. */
const lookAlikeShare = 0.7;
/** Share of the samples that repeat the one before them, as it is or nearly so. */
const identicalShare = 0.01;
const nearShare = 0.02;
const picturesPerClass = 40;

/** Thumbnails written in one transaction. */
const thumbnailBatch = 1000;

/**
 * The same bytes serve many samples, but each has a hash of its own, as files of their own would: it has its own thumbnail in the cache and its
 * own image address, and counts as nobody's duplicate. The first use of a picture has the file's true hash.
 */
function hashOfCopy({ contentHash }: Picture, copy: number, take: string): string {
  return copy === 0 && take === '' ? contentHash : hash('sha256', `${contentHash} ${copy} ${take}`);
}

function wrongLabel(truth: number, classes: number, random: Random): number {
  if (random.next() < lookAlikeShare) return lookAlikeOf(truth, classes);
  return (truth + 1 + random.integer(classes - 1)) % classes;
}

function pick(shares: readonly number[], random: Random): number {
  let rest = random.next() * shares.reduce((sum, share) => sum + share, 0);
  return Math.max(
    0,
    shares.findIndex((share) => (rest -= share) < 0),
  );
}

function randomBytes(length: number, random: Random): Uint8Array {
  const words = Uint32Array.from({ length: Math.ceil(length / 4) }, () => random.integer(2 ** 32));
  return new Uint8Array(words.buffer, 0, length);
}

/** The same with a few bits of its hash changed: another take. */
function nearly(bits: Uint8Array, random: Random): Uint8Array {
  const other = bits.slice();
  for (let change = 0; change < 4; change++) other[random.integer(hashBytes)]! ^= 1 << random.integer(8);
  return other;
}
