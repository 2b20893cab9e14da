import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName, TrainingSettings } from '../../shared/domain.ts';
import type { HeldOut, TrainerEvent } from '../../shared/trainer-protocol.ts';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import { recipes } from '../../src-main/sat/recipes/registry.ts';
import {
  classes,
  eventsOf,
  isAbsent,
  resolution,
  runTrainer,
  usualSettings,
  writeNoise,
  type EventOf,
  type TrainCommand,
} from './trainer-run.ts';

const samples = 30;
let folder = '';
let pixelFile = '';
const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-trainer-'));
  pixelFile = path.join(folder, 'noise.pixels');
  await writeNoise(pixelFile, samples);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe.each(enginesByPreference)('the trainer process on %s', (engine) => {
  it('leaves targets alone before E_s, keeps them on the simplex after, and repeats itself for the same seed', async (context) => {
    const runs = [await run(engine, { seed: 1 }), await run(engine, { seed: 1 }), await run(engine, { seed: 2 })];
    if (isAbsent(engine, runs[0]!)) return context.skip();
    const [first, again, other] = runs.map((events) =>
      eventsOf(events, 'epoch').map((event) => event.beliefs!.targets),
    ) as [Float32Array[], Float32Array[], Float32Array[]];
    expect(first).toHaveLength(4);
    const oneHot = Array.from({ length: samples * classes }, (_, i) =>
      Number(i % classes === labels[Math.floor(i / classes)]),
    );
    expect([...first[0]!]).toEqual(oneHot);
    expect([...first[1]!]).toEqual(oneHot);
    const last = first[3]!;
    expect([...last]).not.toEqual(oneHot);
    expectSimplex(last, classes);
    expect(again[3]!).toEqual(last);
    expect(other[3]!).not.toEqual(last);
    expect(runs[0]!.at(-1)!.kind).toBe('done');
  });

  it.for(recipes.map((recipe) => recipe.name))('runs the recipe %s to its end', async (name, context) => {
    const recipe = recipes.find((candidate) => candidate.name === name)!;
    const events = await run(
      engine,
      {
        recipe: name,
        epochs: 2,
        startEpoch: 1,
        augmentation: recipe.usesLabels ? 'crop-flip' : 'views',
        attack: name === 'robust' ? { radius: 0.03, stepSize: 0.01, steps: 2 } : null,
      },
      {
        heldOut: {
          pixels: { path: pixelFile, samples, resolution },
          labels,
          every: 1,
          attack: recipe.inputs === 'unit' ? { radius: 0.03, stepSize: 0.01, steps: 2 } : null,
          linearProbe: !recipe.usesLabels,
        },
        embed: true,
      },
    );
    if (isAbsent(engine, events)) return context.skip();
    expect(events.at(-1)).toEqual({ kind: 'done', runId: 1 });
    const epochs = eventsOf(events, 'epoch');
    expect(epochs).toHaveLength(2);
    for (const { loss, accuracy, spread, beliefs } of epochs) {
      expect(Number.isFinite(loss)).toBe(true);
      expect(accuracy === null).toBe(!recipe.usesLabels);
      expect(spread === null).toBe(recipe.usesLabels);
      expect(beliefs === null).toBe(!recipe.usesLabels);
      if (beliefs === null) continue;
      expectSimplex(beliefs.targets, classes);
      expectSimplex(beliefs.probabilities, classes);
      expect(beliefs.abstention === null).toBe(recipe.gives !== 'triage');
    }
    const moved = epochs[1]!.beliefs?.targets.some((value) => value > 0 && value < 1) ?? recipe.movesTargets;
    expect(moved).toBe(recipe.movesTargets);
    const [, last] = eventsOf(events, 'evaluated');
    expectSimplex(last!.probabilities, classes);
    expect(last!.adversarialAccuracy === null).toBe(recipe.inputs !== 'unit');
    expect(last!.linearProbeAccuracy === null).toBe(recipe.usesLabels);
    const [embedding] = eventsOf(events, 'embeddings');
    expect(embedding!.values).toHaveLength(samples * embedding!.dimension);
    expect(Math.hypot(...embedding!.values.subarray(0, embedding!.dimension))).toBeCloseTo(1, 4);
  });

  it.for([
    { what: 'two classes', given: 2 },
    { what: 'a class for every sample, and a batch smaller than the classes', given: samples },
    { what: 'a thousand classes, most without a sample', given: 1000 },
  ])('trains with $what', async ({ given }, context) => {
    const own = Int32Array.from({ length: samples }, (_, i) => i % given);
    const events = await run(engine, { classes: given, epochs: 2, startEpoch: 1 }, { labels: own });
    if (isAbsent(engine, events)) return context.skip();
    expect(events.at(-1)!.kind).toBe('done');
    expectSimplex(eventsOf(events, 'epoch')[1]!.beliefs!.targets, given);
  });
});

describe('the trainer process', () => {
  it('stops at a loss that is no number, after the epochs that were sound, and says what to do', async () => {
    const weightsFile = path.join(folder, 'diverging.safetensors');
    // Harmless in the first epoch, absurd from the second on.
    const schedule = { kind: 'steps' as const, factor: 1e35, epochs: [1] };
    const events = await run('wasm', { learningRate: 1e-3, schedule }, { weightsFile });
    expect(eventsOf(events, 'epoch').map((event) => event.epoch)).toEqual([0]);
    const last = events.at(-1) as EventOf<'failed'>;
    expect(last.kind).toBe('failed');
    expect(last.message).toMatch(
      /The loss became (NaN|Infinity) in epoch \d of 4\. What was learned until epoch 1 is kept/,
    );
    expect(last.message).toMatch(/another seed/);
    expect(last.reason).toBe('diverged');
    const { metadata } = await readHeader(weightsFile);
    expect(metadata['epoch']).toBe('0');
  });

  it('starts the encoder from the weights of a run, whatever the classes, and refuses those of another network', async () => {
    const weightsFile = path.join(folder, 'pretrained.safetensors');
    const first = await run('wasm', { recipe: 'pretrain', epochs: 1, augmentation: 'views' }, { weightsFile });
    expect(first.at(-1)!.kind).toBe('done');
    const { metadata, names } = await readHeader(weightsFile);
    expect(metadata).toMatchObject({ program: 'winnow', recipe: 'pretrain', network: 'compact', width: '4' });
    expect(names).toContain('stem');
    const heldOut: HeldOut = {
      pixels: { path: pixelFile, samples, resolution },
      labels,
      every: 1,
      attack: null,
      linearProbe: false,
    };
    const embeddings = async (settings: Partial<TrainingSettings>, startWeights: string | null): Promise<number[]> => {
      const events = await run('wasm', { epochs: 0, ...settings }, { startWeights, heldOut, embed: true });
      return [...eventsOf(events, 'embeddings')[0]!.values];
    };
    const random = await embeddings({ classes: 5 }, null);
    const started = await embeddings({ classes: 5 }, weightsFile);
    expect(started).not.toEqual(random);
    expect(await embeddings({ classes: 5, seed: 9 }, weightsFile)).toEqual(started);
    const refused = await run('wasm', { width: 8 }, { startWeights: weightsFile });
    expect(refused.at(-1)).toMatchObject({ reason: 'error' });
    expect((refused.at(-1) as EventOf<'failed'>).message).toMatch(/are of another network: "stem"/);
    await writeFile(weightsFile, 'no weights');
    const damaged = await run('wasm', {}, { startWeights: weightsFile });
    expect((damaged.at(-1) as EventOf<'failed'>).message).toMatch(/are damaged/);
  });
});

/** All events of one short run on noise, to its end. */
function run(
  engine: EngineName,
  settings: Partial<TrainingSettings>,
  command: Partial<TrainCommand> = {},
): Promise<TrainerEvent[]> {
  return runTrainer({
    settings: { ...usualSettings(engine), ...settings },
    pixels: { path: pixelFile, samples, resolution },
    labels,
    ...command,
  });
}

function expectSimplex(rows: Float32Array, width: number): void {
  for (let start = 0; start < rows.length; start += width) {
    const row = rows.subarray(start, start + width);
    expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 4);
    expect(Math.min(...row)).toBeGreaterThanOrEqual(0);
  }
}

async function readHeader(file: string): Promise<{ metadata: Record<string, string>; names: string[] }> {
  const bytes = await readFile(file);
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + Number(bytes.readBigUInt64LE(0)))) as Record<string, object>;
  const { __metadata__, ...tensors } = header;
  return { metadata: __metadata__ as Record<string, string>, names: Object.keys(tensors) };
}
