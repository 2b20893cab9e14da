import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName, TrainingPlan } from '../../shared/domain.ts';
import type { TrainerCommand, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { startTrainerProcess } from '../../src-main/app/trainer-process.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { engineFolderForTests } from '../support/engine-folder.ts';

type EpochEvent = Extract<TrainerEvent, { kind: 'epoch' }>;

const { nodePath, trainerProgram } = programPaths();
const samples = 30;
const classes = 3;
const resolution = 32;
let folder = '';
let pixelFile = '';
const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-trainer-'));
  pixelFile = path.join(folder, 'noise.pixels');
  const random = createRandom(3);
  await writeFile(
    pixelFile,
    Uint8Array.from({ length: samples * resolution ** 2 * 3 }, () => random.integer(256)),
  );
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(enginesByPreference)('the trainer process on %s', (engine) => {
  it('leaves targets alone before E_s, keeps them on the simplex after, and repeats itself for the same seed', async (context) => {
    const runs = [await run(engine, 1), await run(engine, 1), await run(engine, 2)];
    const failed = runs[0]!.find((event) => event.kind === 'failed');
    if (failed !== undefined && engine !== 'wasm') return context.skip(failed.message);
    const [first, again, other] = runs.map((events) => events.filter((event) => event.kind === 'epoch')) as [
      EpochEvent[],
      EpochEvent[],
      EpochEvent[],
    ];
    expect(first).toHaveLength(4);
    const oneHot = Array.from({ length: samples * classes }, (_, i) =>
      Number(i % classes === labels[Math.floor(i / classes)]),
    );
    expect([...first[0]!.targets]).toEqual(oneHot);
    expect([...first[1]!.targets]).toEqual(oneHot);
    const last = first[3]!.targets;
    expect([...last]).not.toEqual(oneHot);
    for (let i = 0; i < samples; i++) {
      const row = [...last.subarray(i * classes, (i + 1) * classes)];
      expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 5);
      expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
    }
    expect(again[3]!.targets).toEqual(last);
    expect(other[3]!.targets).not.toEqual(last);
    expect(runs[0]!.at(-1)!.kind).toBe('done');
  });
});

/** All events of one short run, to its end. */
async function run(engine: EngineName, seed: number): Promise<TrainerEvent[]> {
  const trainer = startTrainerProcess({ nodePath, program: trainerProgram });
  const events: TrainerEvent[] = [];
  try {
    const command: TrainerCommand = {
      kind: 'train',
      runId: 1,
      plan: plan(engine, seed),
      pixels: { path: pixelFile, samples, resolution },
      labels,
      engineFolder: engineFolderForTests(),
    };
    await new Promise<void>((resolve, reject) => {
      trainer.onMessage((event) => {
        events.push(event);
        if (event.kind === 'done' || event.kind === 'failed') resolve();
      });
      void trainer.ended.then((exit) => reject(new Error(exit.lastWords)));
      trainer.post(command);
    });
  } finally {
    trainer.kill();
    await trainer.ended;
  }
  return events;
}

function plan(engine: EngineName, seed: number): TrainingPlan {
  return {
    engine,
    budget: 'quick',
    seed,
    resolution,
    width: 4,
    epochs: 4,
    startEpoch: 2,
    targetMomentum: 0.7,
    batchSize: 10,
    learningRate: 0.05,
    weightDecay: 5e-4,
    samples,
    classes,
    gflopPerImage: 0.001,
    expectedSeconds: 1,
    reasons: [],
  };
}
