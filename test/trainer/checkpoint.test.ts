import { mkdtemp, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { EngineName, TrainingSettings } from '../../shared/domain.ts';
import type { TrainerEvent } from '../../shared/trainer-protocol.ts';
import { createRandom } from '../../src-main/domain/random.ts';
import { enginesByPreference } from '../../src-main/engine/choice.ts';
import {
  classes,
  eventsOf,
  isAbsent,
  resolution,
  runTrainer,
  usualSettings,
  writeNoise,
  type EventOf,
  type RunControl,
  type TrainCommand,
} from './trainer-run.ts';

const samples = 60;
const labels = Int32Array.from({ length: samples }, (_, i) => i % classes);
let folder = '';
let pixelFile = '';
let runs = 0;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-checkpoint-'));
  pixelFile = path.join(folder, 'noise.pixels');
  await writeNoise(pixelFile, samples);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** Whatever keeps state of its own: every recipe, both kinds of optimizer, and the network that drops channels at random. */
const variants: { what: string; settings: Partial<TrainingSettings> }[] = [
  { what: 'sat', settings: {} },
  { what: 'sat-symmetric with Adam', settings: { recipe: 'sat-symmetric', optimizer: 'adam', learningRate: 0.003 } },
  { what: 'selective', settings: { recipe: 'selective', augmentation: 'crop-flip' } },
  { what: 'pretrain', settings: { recipe: 'pretrain', augmentation: 'views' } },
  { what: 'robust', settings: { recipe: 'robust', attack: { radius: 0.03, stepSize: 0.01, steps: 2 } } },
  { what: 'cross-entropy', settings: { recipe: 'cross-entropy' } },
  { what: 'a network with dropout', settings: { network: 'vgg16-bn', epochs: 2, startEpoch: 1 } },
];

describe.each(enginesByPreference)('a run on %s that goes on', (engine) => {
  // What is kept is the same on all engines; on the slowest, two kinds of state are enough to tell that it repeats itself.
  it.for(engine === 'wasm' ? variants.filter(({ what }) => what === 'sat' || what === 'pretrain') : variants)(
    'from wherever it was killed or stopped is the run that nothing happened to: $what',
    { timeout: 240_000 },
    async ({ settings }, context) => {
      const plan = { ...usualSettings(engine), ...settings };
      const whole = await complete(plan, () => undefined);
      if (isAbsent(engine, whole.events)) return context.skip();
      const random = createRandom(plan.recipe.length);
      let left = 4;
      let moment: TrainerEvent['kind'] = 'started';
      const broken = await complete(plan, (event, control) => {
        if (event.kind !== moment || left === 0) return;
        left -= 1;
        moment = random.next() < 0.3 ? 'started' : 'epoch';
        const interrupt = left % 2 === 0 ? control.stop : control.kill;
        void setTimeout(20 * random.next()).then(interrupt);
      });
      console.log(`${plan.recipe} on ${engine}: interrupted ${broken.interrupted} times`);
      expect(broken.interrupted).toBeGreaterThan(0);
      expect(broken.outcome).toEqual(whole.outcome);
    },
  );

  it('within an epoch, from the very batch, and says the same of the epoch', async (context) => {
    const plan = usualSettings(engine);
    const whole = await complete(plan, () => undefined);
    if (isAbsent(engine, whole.events)) return context.skip();
    // Otherwise there would be nothing to compare with.
    expect((await complete(plan, () => undefined)).outcome).toEqual(whole.outcome);
    let stops = 0;
    const broken = await complete(plan, (event, { stop }) => {
      // A first stop as soon as it has begun, and one behind the first epoch.
      if ((event.kind === 'started' || event.kind === 'epoch') && stops < 2) {
        stops += 1;
        stop();
      }
    });
    expect(broken.interrupted).toBe(2);
    expect(broken.outcome).toEqual(whole.outcome);
    // Every epoch was computed once, and none was said to be another.
    expect(eventsOf(broken.events, 'epoch').map((event) => event.epoch)).toEqual([0, 1, 2, 3]);
  }, 240_000);
});

describe('a checkpoint', () => {
  it('is refused in words when it is damaged, cut short, of another version, of something else, or of other images, labels or settings', async () => {
    const plan = usualSettings('wasm');
    const good = await stopped(plan);
    const bytes = await readFile(good);
    const refusal = async (content: Uint8Array | string, command: Partial<TrainCommand> = {}): Promise<string> => {
      const file = path.join(folder, `bad-${++runs}.safetensors`);
      await writeFile(file, content);
      const events = await runTrainer({ ...commandOf(plan), checkpoint: { file, resume: true }, ...command });
      expect(events.at(-1)).toMatchObject({ kind: 'failed', reason: 'checkpoint' });
      // It is left for whoever wants to look into it.
      expect((await readFile(file)).equals(Buffer.from(content as Uint8Array))).toBe(true);
      return (events.at(-1) as EventOf<'failed'>).message;
    };
    const flipped = Buffer.from(bytes);
    flipped[bytes.length - 100]! ^= 1;
    expect(await refusal(flipped)).toMatch(/is damaged. Start the training again/);
    expect(await refusal(bytes.subarray(0, bytes.length - 100))).toMatch(/is damaged/);
    expect(await refusal(bytes.subarray(0, 3))).toMatch(/is damaged/);
    expect(await refusal('')).toMatch(/is damaged/);
    const changed = bytes.toString('latin1').replace('\\"position\\":', '\\"positiom\\":');
    expect(await refusal(Buffer.from(changed, 'latin1'))).toMatch(/is damaged/);
    const later = bytes.toString('latin1').replace('"version":"2"', '"version":"3"');
    expect(await refusal(Buffer.from(later, 'latin1'))).toMatch(/written by another version of Winnow.*start the/);

    const weightsFile = path.join(folder, 'weights.safetensors');
    await runTrainer({ ...commandOf({ ...plan, epochs: 1, startEpoch: 0 }), weightsFile });
    expect(await refusal(await readFile(weightsFile))).toMatch(/is not the saved state of a training/);

    const settings = { ...plan, seed: 9 };
    expect(await refusal(bytes, { settings })).toMatch(/of another training: its seed differ/);
    const otherLabels = labels.map((label, i) => (i === 7 ? (label + 1) % classes : label));
    expect(await refusal(bytes, { labels: otherLabels })).toMatch(/its labels differ/);
    const otherPixels = path.join(folder, 'other.pixels');
    await writeNoise(otherPixels, samples, 4);
    const pixels = { path: otherPixels, samples, resolution };
    expect(await refusal(bytes, { pixels })).toMatch(/no longer those that this training began with.*start again/);

    const absent = await runTrainer({
      ...commandOf(plan),
      checkpoint: { file: path.join(folder, 'absent.safetensors'), resume: true },
    });
    expect((absent.at(-1) as EventOf<'failed'>).message).toMatch(/no saved state .*absent.safetensors/);
    // The good one is still good.
    const events = await runTrainer({ ...commandOf(plan), checkpoint: { file: good, resume: true } });
    expect(events.at(-1)!.kind).toBe('done');
  }, 240_000);

  it.each([
    ['another engine', { engine: 'tensorflow' as EngineName }],
    ['half the batch', { batchSize: 5 }],
    ['a batch that divides nothing', { batchSize: 7 }],
  ])('is good for %s as well, whose run takes every image once an epoch', async (_what, change) => {
    const plan = usualSettings('wasm');
    const file = await stopped(plan, 1);
    const events = await runTrainer({
      ...commandOf({ ...plan, ...change }),
      checkpoint: { file, resume: true },
    });
    if (isAbsent('tensorflow', events)) return;
    expect(events.at(-1)!.kind).toBe('done');
    expect(eventsOf(events, 'epoch').at(-1)!.epoch).toBe(3);
    const { targets } = eventsOf(events, 'epoch').at(-1)!.beliefs!;
    for (let i = 0; i < samples; i++) {
      const row = targets.subarray(i * classes, (i + 1) * classes);
      expect(row.reduce((sum, value) => sum + value)).toBeCloseTo(1, 4);
      expect(Math.max(...row)).toBeLessThan(1);
    }
  });

  it('cut short while it was written leaves the one before', async () => {
    const plan = usualSettings('wasm');
    const file = await stopped(plan);
    const unfinished = `${file}.123.partial`;
    await writeFile(unfinished, await readFile(file));
    await truncate(unfinished, 1000);
    const events = await runTrainer({ ...commandOf(plan), checkpoint: { file, resume: true } });
    expect(events.at(-1)!.kind).toBe('done');
  });
});

interface Completed {
  events: TrainerEvent[];
  /** What the run has come to, without what depends on the clock. */
  outcome: unknown;
  interrupted: number;
}

/** A run to its end, through as many trainers as that takes. */
async function complete(
  settings: TrainingSettings,
  onEvent: (event: TrainerEvent, control: RunControl) => void,
): Promise<Completed> {
  const number = ++runs;
  const home = await mkdtemp(path.join(folder, `run-${number}-`));
  const checkpoint = path.join(home, 'checkpoint.safetensors');
  const weightsFile = path.join(home, 'weights.safetensors');
  const events: TrainerEvent[] = [];
  let interrupted = 0;
  for (;;) {
    const resume = await readFile(checkpoint).then(
      () => true,
      () => false,
    );
    const part = await runTrainer(
      { ...commandOf(settings), weightsFile, checkpoint: { file: checkpoint, resume }, embed: true },
      onEvent,
    );
    events.push(...part);
    const last = part.at(-1)?.kind;
    if (last !== 'done' && last !== 'failed') {
      interrupted += 1;
      for (const file of (await readdir(home)).filter(isPartial)) await rm(path.join(home, file));
      continue;
    }
    const epochs = new Map(eventsOf(events, 'epoch').map((event) => [event.epoch, sayingOf(event)]));
    const outcome = {
      last: part.at(-1),
      epochs: [...epochs],
      embeddings: eventsOf(part, 'embeddings'),
      weights: last === 'done' ? await readFile(weightsFile, 'hex') : null,
    };
    return { events, outcome, interrupted };
  }
}

function sayingOf({ loss, accuracy, spread, learningRate, beliefs }: EventOf<'epoch'>): unknown {
  return { loss, accuracy, spread, learningRate, beliefs };
}

/** The checkpoint of a run that was stopped after so many epochs, within the next one. */
async function stopped(settings: TrainingSettings, epochs = 2): Promise<string> {
  const file = path.join(folder, `stopped-${++runs}.safetensors`);
  const events = await runTrainer(
    { ...commandOf(settings), checkpoint: { file, resume: false } },
    (event, { stop }) => event.kind === 'epoch' && event.epoch === epochs - 1 && stop(),
  );
  expect(events.at(-1)!.kind).toBe('cancelled');
  return file;
}

function commandOf(settings: TrainingSettings): Pick<TrainCommand, 'settings' | 'pixels' | 'labels'> {
  return { settings, pixels: { path: pixelFile, samples, resolution }, labels };
}

function isPartial(file: string): boolean {
  return file.endsWith('.partial');
}
