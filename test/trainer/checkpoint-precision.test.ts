import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { TrainingSettings } from '../../shared/domain.ts';
import { precisionOf, writeCheckpoint, type Kept } from '../../src-main/trainer/checkpoint.ts';

let folder = '';
beforeAll(async () => (folder = await mkdtemp(path.join(tmpdir(), 'winnow-precision-'))));
afterAll(() => rm(folder, { recursive: true, force: true }));

it('tells the precision of the engine that a run began with', async () => {
  const file = path.join(folder, 'run.safetensors');
  for (const precision of ['f16', 'f32', null] as const) {
    await write(file, { precision });
    expect(precisionOf(file)).toBe(precision);
  }
  await write(file, {});
  expect(precisionOf(file)).toBe(null);
});

it('tells none of a file that is not there or is another one', async () => {
  expect(precisionOf(path.join(folder, 'missing'))).toBe(null);
  const file = path.join(folder, 'other');
  await writeFile(file, 'no tensors in here');
  expect(precisionOf(file)).toBe(null);
});

/** The checkpoint of a run that has kept nothing yet. */
function write(file: string, { precision }: Pick<Kept, 'precision'>): Promise<void> {
  const kept = {
    learner: { variables: new Map(), parameters: new Map(), streams: new Map() },
    optimizer: { steps: 0, slots: {} },
    streams: new Map(),
    ...(precision === undefined ? {} : { precision }),
  } as unknown as Kept;
  const progress = { epoch: 0, position: 0, sums: { loss: 0, spread: 0, agreeing: 0 }, seconds: 0, report: null };
  return writeCheckpoint(
    file,
    { settings: {} as TrainingSettings, pixels: 0, labels: new Int32Array() },
    kept,
    progress,
    new Map(),
  );
}
