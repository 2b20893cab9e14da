import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EngineChoice } from '../../shared/domain.ts';
import { createEngines, type Engines, type MeasuredEngine } from '../../src-main/app/engines.ts';
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
  const known = { 'wasm on all cores': { ...wasm, trainingGflops: 9 } };
  await writeFile(path.join(dataFolder, 'engine-speeds.json'), JSON.stringify(known));
  const reports = await engines.list(true);
  expect(reports.find((report) => report.name === 'wasm')?.trainingGflops).toBe(5);
  expect((await engines.choose('wasm')).gflops).toBe(9);
});

it('measures again when what it knew is damaged', async () => {
  await writeFile(path.join(dataFolder, 'engine-speeds.json'), '{"wasm on all cores": {"trainingGflops": "fast"}}');
  expect((await engines.choose('wasm')).gflops).toBe(5);
});

describe('the choice between several engines', () => {
  const nvidia = { device: 'nvidia-h100 (nvidia, driver)', gflops: 900 };
  const software = { device: 'software: swiftshader', gflops: 900 };
  const cpu = { device: 'CPU, 2 threads', gflops: 70 };
  const cuda = { device: 'GPU (CUDA)', gflops: 800 };
  const wasm = { device: 'CPU, 1 thread', gflops: 5 };
  const choose = async (choice: EngineChoice, there: object): Promise<MeasuredEngine> => {
    vi.stubEnv('WINNOW_TEST_ENGINES', JSON.stringify(there));
    const program = path.join(import.meta.dirname, 'several-engines-trainer.ts');
    engines = createEngines({ dataFolder, nodePath: programPaths().nodePath, trainerProgram: program });
    return await engines.choose(choice);
  };
  afterEach(() => vi.unstubAllEnvs());

  it.for([
    ['a card that is measured faster than the CPU', { tensorflow: cpu, webgpu: nvidia, wasm }, 'webgpu', []],
    ['the CPU where the card is slower', { tensorflow: cpu, webgpu: { ...nvidia, gflops: 60 } }, 'tensorflow', []],
    ['TensorFlow on a card, unasked', { tensorflow: cuda, webgpu: nvidia }, 'tensorflow', []],
    ['no software adapter beside TensorFlow', { tensorflow: cpu, webgpu: software }, 'tensorflow', []],
    [
      'no software adapter beside WebAssembly',
      { webgpu: software, wasm },
      'wasm',
      [
        'tensorflow cannot be used: no tensorflow here',
        'webgpu is used only when it is asked for: software: swiftshader.',
      ],
    ],
    [
      'WebAssembly where nothing else is',
      { wasm },
      'wasm',
      ['tensorflow cannot be used: no tensorflow here', 'webgpu cannot be used: no webgpu here'],
    ],
  ] as const)('takes %s', async ([, there, name, passedOver]) => {
    expect(await choose('auto', there)).toMatchObject({ name, passedOver });
  });

  it('takes a software adapter that is asked for, where the environment allows it', async () => {
    expect(await choose('webgpu', { webgpu: software, wasm })).toMatchObject({ name: 'webgpu' });
  });

  it('sees a card that was not there before once the engines are listed', async () => {
    expect((await choose('auto', { tensorflow: cpu })).name).toBe('tensorflow');
    const both = { tensorflow: cpu, webgpu: nvidia };
    expect((await choose('auto', both)).name).toBe('tensorflow');
    await engines.list(false);
    expect((await choose('auto', both)).name).toBe('webgpu');
  });
});
