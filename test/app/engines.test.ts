import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createEngines, type Engines } from '../../src-main/app/engines.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';

// The fake trainer answers that WebAssembly makes 5 GFLOP/s.
const trainerProgram = path.join(import.meta.dirname, 'dying-trainer.ts');
let dataFolder = '';
let engines: Engines;

beforeEach(async () => {
  dataFolder = await mkdtemp(path.join(tmpdir(), 'winnow-engines-'));
  engines = createEngines({ dataFolder, nodePath: programPaths().nodePath, trainerProgram });
});
afterEach(() => rm(dataFolder, { recursive: true, force: true }));

it('plans by the best measurement, so that a busy moment does not make later runs smaller', async () => {
  const wasm = { name: 'wasm', available: true, device: '', version: '', source: null, absentBecause: null };
  const known = { wasm: { ...wasm, trainingGflops: 9 } };
  await writeFile(path.join(dataFolder, 'engine-speeds.json'), JSON.stringify(known));
  const reports = await engines.list(true);
  expect(reports.find((report) => report.name === 'wasm')?.trainingGflops).toBe(5);
  expect((await engines.choose('wasm')).gflops).toBe(9);
});

it('measures again when what it knew is damaged', async () => {
  await writeFile(path.join(dataFolder, 'engine-speeds.json'), '{"wasm": {"trainingGflops": "fast"}}');
  expect((await engines.choose('wasm')).gflops).toBe(5);
});
