import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, readdir, readFile, realpath, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import type { LabelsFile } from '../../shared/api.ts';
import type { Logger } from '../../shared/logger.ts';
import { AppError } from '../../shared/result.ts';
import type { PixelFile } from '../../shared/trainer-protocol.ts';
import { pixelFileName, writePixelFile } from '../dataset/pixels.ts';
import { absolutePath, scanFolder } from '../dataset/scan.ts';
import { createRandom } from '../domain/random.ts';
import type { LabTraining } from '../lab/experiment.ts';
import { asymmetricNoise, confusionIndices, corruptPixels, uniformNoise, type Noise } from '../lab/noise.ts';
import { balancedSubset } from '../lab/subset.ts';
import { withStaging } from '../store/import-staging.ts';
import { writeFileAtomically } from './write-file.ts';

/* The lab's pictures: read once into pixel files in a cache that may be deleted at any time between trainings. */

export interface LabDataRequest {
  images: string;
  /** Null when folders name the classes. */
  labels: LabelsFile | null;
  /** Held-out images of the same classes. */
  test: string;
  testLabels: LabelsFile | null;
}

export interface LabData {
  /** Names in ascending order; a label is an index into them. */
  classes: string[];
  training: LabImages;
  heldOut: LabImages;
}

export interface LabFile {
  /** Relative to the folder, `/` separated. */
  path: string;
  givenClass: string;
  byteSize: number;
  modifiedMs: number;
}

export interface LabImages {
  folder: string;
  files: LabFile[];
  labels: Int32Array;
}

/** What the trainer is given for one training. */
export interface TrainingData {
  pixels: PixelFile;
  /** With the noise. */
  given: Int32Array;
  truth: Int32Array;
  heldOutPixels: PixelFile;
  heldOut: Int32Array;
}

export interface PrepareOptions {
  cacheFolder: string;
  onProgress: (done: number, total: number) => void;
  signal: AbortSignal;
}

/** Lists both sets. Throws `AppError` when one cannot be used, when they share a folder, or when they have different classes. */
export async function scanLabData(request: LabDataRequest, logger: Logger): Promise<LabData> {
  await assertApart(request);
  const training = await scan(request.images, request.labels, logger);
  const heldOut = await scan(request.test, request.testLabels, logger);
  const classes = classNames(training);
  assertSameClasses(classes, classNames(heldOut), request);
  return {
    classes,
    training: { folder: request.images, files: training, labels: labelsOf(training, classes) },
    heldOut: { folder: request.test, files: heldOut, labels: labelsOf(heldOut, classes) },
  };
}

/** The same balanced part for every seed, so that seeds differ in noise and training alone. */
export function selectImages({ folder, files, labels }: LabImages, classes: number, count: number | null): LabImages {
  if (count === null) return { folder, files, labels };
  if (count > files.length) {
    throw new AppError(
      'invalid-input',
      `${count} images were asked for, but ${folder} holds ${files.length} with a label. Ask for fewer with --samples or --test-samples.`,
    );
  }
  if (count < classes) {
    throw new AppError(
      'invalid-input',
      `${count} images were asked for, fewer than the ${classes} classes. Ask for more with --samples or --test-samples.`,
    );
  }
  const chosen = balancedSubset(labels, classes, count, createRandom(subsetSeed));
  return {
    folder,
    files: Array.from(chosen, (index) => files[index]!),
    labels: Int32Array.from(chosen, (index) => labels[index]!),
  };
}

/** Hash of the pixels, decoded at this size, and of the true labels of all images, in their order. */
export async function fingerprintOf(
  classes: readonly string[],
  parts: readonly LabImages[],
  resolution: number,
  options: PrepareOptions,
): Promise<string> {
  const hash = createHash('sha256');
  for (const part of parts) {
    hash.update(`${part.files.length} × ${resolution}\n`);
    for (const label of part.labels) hash.update(`${classes[label]}\n`);
    const { path: file } = await pixelFileOf(part, resolution, options);
    for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  }
  return hash.digest('hex').slice(0, 16);
}

/** Pixels and labels of one training, with its noise. */
export async function prepareTrainingData(
  data: LabData,
  { samples, testSamples, seed, noise, settings }: LabTraining,
  options: PrepareOptions,
): Promise<TrainingData> {
  const training = selectImages(data.training, data.classes.length, samples);
  const heldOut = selectImages(data.heldOut, data.classes.length, testSamples);
  const { resolution } = settings;
  const clean = await pixelFileOf(training, resolution, options);
  return {
    pixels: await spoil(clean, noise, seed, options.cacheFolder),
    given: noisyLabels(training.labels, data.classes, noise, seed),
    truth: training.labels,
    heldOutPixels: await pixelFileOf(heldOut, resolution, options),
    heldOut: heldOut.labels,
  };
}

const subsetSeed = 0;
/** Noise has a stream of its own: the trainer's start at the seed. */
const noiseStream = 0x6e6f6973;

async function scan(folder: string, labels: LabelsFile | null, logger: Logger): Promise<LabFile[]> {
  return await withStaging(async (staging) => {
    await scanFolder({ folder, labels }, staging);
    const first = staging.firstError();
    if (first !== null)
      logger.warn(
        `${staging.countProblems()} files or rows of ${folder} are left out, the first because: ${first.path}: ${first.reason}`,
      );
    return [...staging.files()];
  });
}

function classNames(files: readonly LabFile[]): string[] {
  return [...new Set(files.map(({ givenClass }) => givenClass))].sort();
}

function labelsOf(files: readonly LabFile[], classes: readonly string[]): Int32Array {
  const indices = new Map(classes.map((name, index) => [name, index]));
  return Int32Array.from(files, ({ givenClass }) => indices.get(givenClass)!);
}

/** A picture that was learned says nothing about those that were not. */
async function assertApart({ images, test }: LabDataRequest): Promise<void> {
  // One that is not there is told by the scan.
  const [training, heldOut] = await Promise.all([
    realpath(images).catch(() => images),
    realpath(test).catch(() => test),
  ]);
  if (!isWithin(training, heldOut) && !isWithin(heldOut, training)) return;
  const how = training === heldOut ? 'are the same folder' : 'lie one inside the other';
  throw new AppError(
    'invalid-input',
    `--images ${images} and --test ${test} ${how}, so images would be measured that were trained on. Name two folders that share no image.`,
  );
}

function isWithin(folder: string, parent: string): boolean {
  const relative = path.relative(parent, folder);
  return relative === '' || !(relative === '..' || relative.startsWith(`..${path.sep}`) || path.isAbsolute(relative));
}

function assertSameClasses(
  training: readonly string[],
  heldOut: readonly string[],
  { images, test }: LabDataRequest,
): void {
  const missing = training.filter((name) => !heldOut.includes(name));
  const unknown = heldOut.filter((name) => !training.includes(name));
  const parts = [
    ...(missing.length === 0 ? [] : [`${test} lacks ${namesOf(missing)}`]),
    ...(unknown.length === 0 ? [] : [`${images} lacks ${namesOf(unknown)}`]),
  ];
  if (parts.length > 0) {
    throw new AppError(
      'invalid-input',
      `The training and the held-out images must have the same classes: ${parts.join('; ')}. ` +
        'Name folders of the same classes, or say with --labels or --test-labels where the labels stand.',
    );
  }
}

function namesOf(classes: readonly string[]): string {
  const shown = classes.slice(0, 5).join(', ');
  return classes.length > 5 ? `${shown} and ${classes.length - 5} more` : shown;
}

async function pixelFileOf(
  { folder, files }: LabImages,
  resolution: number,
  { cacheFolder, onProgress, signal }: PrepareOptions,
): Promise<PixelFile> {
  const keys = files.map((file) => `${file.path}\t${file.byteSize}\t${file.modifiedMs}`);
  const file = path.join(cacheFolder, pixelFileName(keys, resolution));
  if ((await stat(file).catch(() => null))?.size !== files.length * resolution * resolution * 3) {
    await mkdir(cacheFolder, { recursive: true });
    const paths = files.map((each) => absolutePath(folder, each.path));
    const { unreadable } = await writePixelFile({
      files: paths,
      count: paths.length,
      resolution,
      path: file,
      onProgress,
      signal,
    });
    const [first] = unreadable;
    if (first !== undefined) {
      await rm(file, { force: true });
      throw new AppError(
        'images-missing',
        `${unreadable.length} images cannot be read, the first of them ${paths[first]}. Remove them or restore them, and start again.`,
      );
    }
  }
  return { path: file, samples: files.length, resolution };
}

function noisyLabels(labels: Int32Array, classes: readonly string[], noise: Noise, seed: number): Int32Array {
  const random = createRandom(seed + noiseStream);
  switch (noise.kind) {
    case 'uniform':
      return uniformNoise(labels, classes.length, noise.rate, random);
    case 'asymmetric':
      return asymmetricNoise(labels, confusionIndices(noise.confusion, classes), noise.rate, random);
    case 'none':
    case 'gaussian':
    case 'random-pixels':
    case 'shuffled-pixels':
      return labels;
  }
}

/** The pixel file with the noise of the training; only the newest spoiled one is kept. */
async function spoil(clean: PixelFile, noise: Noise, seed: number, cacheFolder: string): Promise<PixelFile> {
  if (noise.kind !== 'gaussian' && noise.kind !== 'random-pixels' && noise.kind !== 'shuffled-pixels') return clean;
  const suffix = '.spoiled';
  const name = `${path.basename(clean.path)}-${noise.kind}-${noise.rate}-${seed}${suffix}`;
  const file = path.join(cacheFolder, name);
  for (const other of await readdir(cacheFolder))
    if (other.endsWith(suffix) && other !== name) await rm(path.join(cacheFolder, other), { force: true });
  const pixels = await readFile(clean.path);
  if ((await stat(file).catch(() => null))?.size !== pixels.length) {
    const random = createRandom(seed + noiseStream);
    await writeFileAtomically(
      file,
      corruptPixels(pixels, { samples: clean.samples, kind: noise.kind, rate: noise.rate }, random),
    );
  }
  return { ...clean, path: file };
}
