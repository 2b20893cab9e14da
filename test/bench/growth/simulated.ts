import { hash, randomFillSync } from 'node:crypto';
import type { TrainingPlan } from '../../../shared/domain.ts';
import { requireRecipe } from '../../../src-main/app/recipes.ts';
import { planTraining } from '../../../src-main/domain/plan.ts';
import { createRandom } from '../../../src-main/domain/random.ts';
import { networks } from '../../../src-main/sat/models/networks.ts';
import type { ScannedSample } from '../../support/import-samples.ts';

/* What a scan, and a trainer, would say of so many samples. */

export const classes = 10;

/** As an import finds them: 500 files a folder, each with a content of its own. */
export function simulateScan(samples: number, folder = ''): ScannedSample[] {
  return Array.from({ length: samples }, (_, i) => {
    const givenClass = `class ${i % classes}`;
    return {
      path: `${folder}${givenClass}/${String(i).padStart(8, '0')}.jpg`,
      contentHash: hash('sha256', String(i)),
      byteSize: 10_000 + (i % 5000),
      modifiedMs: 1_700_000_000_000 + i,
      width: 320,
      height: 240,
      format: 'jpeg',
      givenClass,
    };
  }).sort((a, b) => (a.path < b.path ? -1 : 1));
}

/** Rows that sum to 1, most of each at one class. `[samples, classes]` */
export function simulateRows(samples: number, seed: number): Float32Array {
  const random = createRandom(seed);
  const rows = new Float32Array(samples * classes);
  for (let i = 0; i < samples; i++) {
    const top = random.next() < 0.1 ? random.integer(classes) : i % classes;
    const share = 0.4 + 0.6 * random.next();
    rows.fill((1 - share) / (classes - 1), i * classes, (i + 1) * classes);
    rows[i * classes + top] = share;
  }
  return rows;
}

/** What a trainer says of an epoch, besides what is believed. */
export const simulatedNumbers = {
  epoch: 0,
  loss: 1,
  accuracy: 0.9,
  spread: null,
  learningRate: 0.1,
  imagesPerSecond: 1000,
  seconds: 1,
  secondsLeft: 1,
};

/** Class index of each sample. */
export function simulateLabels(samples: number): Int32Array {
  return Int32Array.from({ length: samples }, (_, i) => i % classes);
}

/** As the service would plan it on a small machine. */
export function simulatePlan(samples: number, epochs = 10): TrainingPlan {
  return planTraining({
    engine: 'tensorflow',
    gflops: 60,
    budget: 'quick',
    seed: 1,
    samples,
    classes,
    medianSide: 240,
    recipe: requireRecipe('sat'),
    preset: null,
    overrides: { epochs, startEpoch: null, targetMomentum: null },
    startFrom: null,
    gflopPerImage: (network, width, resolution) => networks[network].gflop(width, resolution),
  });
}

/** Rows of length about 1. `[samples, dimension]` */
export function simulateEmbeddings(samples: number, dimension: number): Float32Array {
  const bytes = new Uint8Array(1 << 20);
  randomFillSync(bytes);
  // In a loop: `Float32Array.from` makes a list of them first, several times as large, which would count as the operation's memory.
  const rows = new Float32Array(samples * dimension);
  for (let i = 0; i < rows.length; i++) {
    rows[i] = (bytes[(i * 7919) % bytes.length]! - 127.5) / (74 * Math.sqrt(dimension));
  }
  return rows;
}
