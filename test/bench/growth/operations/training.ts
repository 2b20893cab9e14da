import * as tf from '@tensorflow/tfjs';
import { readFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { Finding } from '../../../../shared/domain.ts';
import type { TrainerEvent } from '../../../../shared/trainer-protocol.ts';
import { startTrainerProcess, type TrainerProcess } from '../../../../src-main/app/trainer-process.ts';
import { writePixelFile } from '../../../../src-main/dataset/pixels.ts';
import { scan } from '../../../support/scan.ts';
import { listFindings } from '../../../../src-main/domain/findings.ts';
import { explainFlags, flagSamples } from '../../../../src-main/domain/flags.ts';
import { createRandom, permutation } from '../../../../src-main/domain/random.ts';
import { averagePredictions, createRunView } from '../../../../src-main/domain/run-view.ts';
import { dataFolder, programPaths } from '../../../../src-main/hosts/paths.ts';
import { networks } from '../../../../src-main/sat/models/networks.ts';
import { createOptimizer } from '../../../../src-main/sat/optimizer.ts';
import { recipeByName } from '../../../../src-main/sat/recipes/registry.ts';
import { readClassIds } from '../../../../src-main/store/classes.ts';
import { openDatabase, type Database } from '../../../../src-main/store/database.ts';
import { appendEmbeddings } from '../../../../src-main/store/embeddings.ts';
import { readFlipEpochs } from '../../../../src-main/store/findings.ts';
import { createRun, latestRun, samplesOfRun, trainingSamples } from '../../../../src-main/store/runs.ts';
import { appendEpoch, type EpochResult } from '../../../../src-main/store/targets.ts';
import {
  restoreCheckpoint,
  writeCheckpoint,
  type Kept,
  type Progress,
} from '../../../../src-main/trainer/checkpoint.ts';
import { openPixelFeed } from '../../../../src-main/trainer/feed.ts';
import type { Operation, Place, Prepared, RunFigures } from '../operation.ts';
import { newProject, openSynthetic, saveImport } from '../projects.ts';
import {
  classes,
  simulatedNumbers,
  simulateEmbeddings,
  simulateLabels,
  simulatePlan,
  simulateRows,
  simulateScan,
} from '../simulated.ts';

const group = 'Training, around the engine';

export const trainingOperations: Operation[] = [
  {
    group,
    name: 'plan a run and store it',
    prepare: (place) => {
      const db = importedProject(place);
      return {
        run: () => startRun(db, place),
        after: () => db.exec('DELETE FROM run'),
      };
    },
  },
  {
    group,
    name: 'recipes, with what suits the project',
    prepare: async (place) => {
      const api = await openSynthetic(place);
      return { run: () => api.listRecipes({}) };
    },
  },
  {
    group,
    name: 'order and averages of an epoch, in the trainer',
    prepare: ({ samples }) => {
      const [average, latest] = [simulateRows(samples, 1), simulateRows(samples, 2)];
      const random = createRandom(1);
      return {
        run: () => {
          permutation(samples, random);
          return averagePredictions(average, latest, simulatePlan(1000));
        },
      };
    },
  },
  { group, name: 'decoded pictures of 32 pixels, read in random order', prepare: preparePixels },
  { group, name: 'report of an epoch, from the trainer to the service', prepare: prepareReport },
  {
    group,
    name: 'doubts, flags and findings of an epoch',
    prepare: (place) => {
      const simulated = simulateBeliefs(place);
      return {
        run: () => {
          for (const _ of judge(simulated, place).list()) continue;
        },
      };
    },
  },
  {
    group,
    name: 'an epoch, stored',
    prepare: (place) => {
      const db = importedProject(place);
      const runId = startRun(db, place);
      const simulated = simulateBeliefs(place);
      const { list, summary, weights } = judge(simulated, place);
      const { targets } = simulated;
      return {
        run: () =>
          appendEpoch(db, { runId, report, beliefs: { targets, weights, findings: { list: list(), summary } } }),
      };
    },
  },
  {
    group,
    name: 'what a resumed run reads of the stored one',
    prepare: ({ project }) => {
      const db = openDatabase(project, { create: false });
      const runId = latestRun(db)!.id;
      return { run: () => [samplesOfRun(db, runId), readFlipEpochs(db, runId)] };
    },
  },
  {
    group,
    name: 'checkpoint, written',
    prepare: async (place) => {
      const { write } = await prepareCheckpoint(place);
      return { run: write };
    },
  },
  {
    group,
    name: 'checkpoint, restored',
    prepare: async (place) => {
      const { write, restore } = await prepareCheckpoint(place);
      await write();
      return { run: restore };
    },
  },
  { group, name: 'embeddings, stored', prepare: prepareEmbeddings },
  {
    group,
    name: 'an epoch of training (compact network, 32 pixels)',
    needsImages: true,
    largest: 10_000,
    prepare: prepareTraining,
  },
];

const report: EpochResult['report'] = { ...simulatedNumbers, doubts: 0 };

/** A project of the operation's own, imported and not trained on. */
function importedProject(place: Place): Database {
  const db = newProject(place);
  saveImport(db, simulateScan(place.samples));
  return db;
}

function startRun(db: Database, { samples }: Place): number {
  const plan = simulatePlan(samples);
  return createRun(db, { plan, classIds: readClassIds(db), samples: trainingSamples(db), startedAt: '2026-01-01' });
}

interface Simulated {
  targets: Float32Array;
  labels: Int32Array;
}

function simulateBeliefs({ samples }: Place): Simulated {
  return { targets: simulateRows(samples, 3), labels: simulateLabels(samples) };
}

/** As the service does after every epoch (app/follow-run.ts). */
function judge({ targets, labels }: Simulated, { samples }: Place) {
  const view = createRunView({ plan: simulatePlan(samples), labels });
  const judged = view.update(0, targets, targets);
  const flags = flagSamples(judged.scores, judged.labels);
  const sampleIds = Uint32Array.from(labels, (_, i) => i + 1);
  const classIds = Array.from({ length: classes }, (_, i) => i + 1);
  const list = (): Iterable<Finding> => listFindings({ sampleIds, classIds, judged, flags, abstention: null });
  return { list, summary: explainFlags(flags, { runId: 1, epoch: 0, samples }), weights: judged.weights };
}

const pixelSide = 32;

/** The file is all zeros: a hole that takes up no disk. */
async function preparePixels({ samples, scratch }: Place): Promise<Prepared> {
  const file = path.join(scratch, 'zeros.pixels');
  await using handle = await open(file, 'w');
  await handle.truncate(samples * pixelSide * pixelSide * 3);
  const order = permutation(samples, createRandom(1));
  const batch = 128;
  return {
    run: () => {
      const feed = openPixelFeed({ path: file, samples, resolution: pixelSide }, 'standardised');
      const into = new Float32Array(batch * feed.size);
      for (let start = 0; start < samples; start += batch) feed.read(order.subarray(start, start + batch), into);
      feed.close();
    },
  };
}

async function prepareReport({ samples }: Place): Promise<Prepared> {
  const { nodePath } = programPaths();
  const trainer = startTrainerProcess({
    nodePath,
    program: path.join(import.meta.dirname, '..', 'reporting-trainer.ts'),
  });
  const ask = (): Promise<TrainerEvent> =>
    new Promise((resolve, reject) => {
      trainer.onMessage(resolve);
      void trainer.ended.then(({ lastWords }) => reject(new Error(lastWords)));
      trainer.post({ kind: 'stored', runId: 1, epoch: samples });
    });
  // The first time it makes up what it reports.
  await ask();
  return { run: ask };
}

async function prepareCheckpoint({ samples, scratch }: Place) {
  const settings = simulatePlan(samples);
  const learner = recipeByName('sat')!.create({
    settings,
    createNetwork: (shape) =>
      networks[settings.network].create({ width: settings.width, resolution: pixelSide, ...shape }),
  });
  const parameters = new Map([...learner.parameters.values()].map((parameter) => [parameter.name, parameter]));
  const optimizer = createOptimizer(settings.optimizer, parameters, settings.weightDecay);
  await tf.ready();
  const kept: Kept = { learner, optimizer, streams: new Map([['order', createRandom(1)]]) };
  const identity = { settings, pixels: 0, labels: simulateLabels(samples) };
  const file = path.join(scratch, 'checkpoint.safetensors');
  const progress: Progress = {
    epoch: 1,
    position: 0,
    sums: { loss: 0, spread: 0, agreeing: 0 },
    seconds: 1,
    report: null,
  };
  const arrays = new Map<string, Float32Array | Int32Array>([
    ['targets', simulateRows(samples, 1)],
    ['probabilities', simulateRows(samples, 2)],
    ['average', simulateRows(samples, 3)],
    ['sequence', permutation(samples, createRandom(1))],
  ]);
  return {
    write: () => writeCheckpoint(file, identity, kept, progress, arrays),
    restore: () => restoreCheckpoint(file, identity, kept),
  };
}

/** As many at once as the trainer reports (trainer/evaluate.ts). */
const embeddingsPerReport = 256;
const dimension = 64;

function prepareEmbeddings(place: Place): Prepared {
  const db = importedProject(place);
  let runId = 0;
  const rows = simulateEmbeddings(place.samples, dimension);
  return {
    before: () => {
      db.exec('DELETE FROM run');
      runId = startRun(db, place);
    },
    run: () => {
      for (let start = 0; start < place.samples; start += embeddingsPerReport) {
        const values = rows.subarray(start * dimension, (start + embeddingsPerReport) * dimension);
        appendEmbeddings(db, { runId, start, dimension, values });
      }
    },
  };
}

/** Time, and the memory of the trainer's process, of the second of two epochs. */
async function prepareTraining(place: Place): Promise<Prepared> {
  const images = place.images;
  const { files } = await scan({ folder: images, labels: null });
  const pixels = { path: path.join(place.scratch, 'images.pixels'), samples: files.length, resolution: pixelSide };
  const paths = files.map((file) => path.join(images, file.path));
  await writePixelFile({ files: paths, count: paths.length, ...pixels });
  const names = [...new Set(files.map(({ givenClass }) => givenClass))];
  const labels = Int32Array.from(files, ({ givenClass }) => names.indexOf(givenClass));
  const settings = {
    ...simulatePlan(files.length, 2),
    classes: names.length,
    network: 'compact' as const,
    width: 24,
    resolution: pixelSide,
    batchSize: 128,
  };
  const { nodePath, trainerProgram } = programPaths();
  return {
    run: async () => {
      const trainer = startTrainerProcess({ nodePath, program: trainerProgram });
      const epochs: { at: number; processor: number }[] = [];
      try {
        return await new Promise<RunFigures>((resolve, reject) => {
          trainer.onMessage((event) => {
            if (event.kind === 'failed') reject(new Error(event.message));
            if (event.kind !== 'epoch') return;
            epochs.push({ at: 1000 * event.seconds, processor: processorTime(trainer) });
            const [first, second] = epochs;
            if (first === undefined || second === undefined) return;
            resolve({
              milliseconds: second.at - first.at,
              processor: second.processor - first.processor,
              peakBytes: peakBytesOf(trainer),
              // All of it is the trainer's.
              bytesBefore: 0,
            });
          });
          void trainer.ended.then(({ lastWords }) => reject(new Error(lastWords)));
          trainer.post({
            kind: 'train',
            runId: 1,
            settings,
            pixels,
            labels,
            heldOut: null,
            startWeights: null,
            weightsFile: null,
            checkpoint: null,
            embed: false,
            engineFolder: path.join(dataFolder(), 'engines'),
          });
        });
      } finally {
        trainer.kill();
      }
    },
  };
}

/** Milliseconds; the system counts in hundredths of a second (Linux). */
function processorTime({ pid }: TrainerProcess): number {
  const [user, system] = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ').slice(11, 13);
  return 10 * (Number(user) + Number(system));
}

function peakBytesOf({ pid }: TrainerProcess): number {
  return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1]);
}
