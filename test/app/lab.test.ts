import { mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import sharp from 'sharp';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Logger } from '../../shared/logger.ts';
import { runLab, type LabOptions, type LabProgress, type LabRequest } from '../../src-main/app/lab.ts';
import { dataFolder, programPaths } from '../../src-main/hosts/paths.ts';
import type { LabPreset } from '../../src-main/lab/experiment.ts';
import { noise } from '../../src-main/lab/experiments/noise.ts';
import type { LabReport } from '../../src-main/lab/report.ts';
import { drawPictures } from '../support/pictures.ts';

/* A real experiment with real trainer processes, on drawn pictures and small enough for seconds. */

const { nodePath, trainerProgram } = programPaths();
const small = noise.presets[0]!;
const preset: LabPreset = {
  ...small,
  settings: { ...small.settings, width: 4, epochs: 3, startEpoch: 1, batchSize: 15 },
  samples: 45,
  testSamples: 15,
  seeds: [1, 2],
  evaluateEvery: 2,
};
let folder = '';
let images = '';
let test = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'winnow-lab-'));
  images = path.join(folder, 'images');
  test = path.join(folder, 'test');
  await drawPictures(images, 60, Infinity);
  await drawPictures(test, 18, Infinity);
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('stops where it is asked to, goes on from there, and writes the report', async () => {
  const out = path.join(folder, 'out');
  const abort = new AbortController();
  const stopped = await runLab(request(out, preset), {
    ...options(),
    signal: abort.signal,
    onProgress: (progress) => {
      // In the middle of the third training, whose start is told by its first batches.
      if (progress.kind === 'finished' && progress.position === 2) setTimeout(() => abort.abort(), 50);
    },
  });
  expect(stopped.trainings).toHaveLength(2);
  expect(stopped.missing).toHaveLength(2);
  expect(await readFile(path.join(out, 'report.md'), 'utf8')).toContain('2 of 4 trainings are done');

  const progress: LabProgress[] = [];
  const report = await runLab(request(out, preset), { ...options(), onProgress: (state) => void progress.push(state) });
  const finished = progress.filter((state) => state.kind === 'finished');
  expect(finished.map(({ isReused }) => isReused)).toEqual([true, true, false, false]);
  expect(report.missing).toEqual([]);
  expect(report.trainings.map(({ training }) => training.name)).toEqual([
    'cross-entropy-uniform-0.4-seed-1',
    'sat-uniform-0.4-seed-1',
    'cross-entropy-uniform-0.4-seed-2',
    'sat-uniform-0.4-seed-2',
  ]);
  for (const { error, epochs, evaluations, labels, engine } of report.trainings) {
    expect([error, epochs.length, evaluations.map(({ epoch }) => epoch)]).toEqual([null, 3, [1, 2]]);
    expect(labels).toMatchObject({ samples: 45 });
    expect(engine.name).toBe('wasm');
  }
  // Every method of a seed was given the same wrong labels.
  const wrong = report.trainings.map(({ labels }) => labels!.wrong);
  expect([wrong[0], wrong[2]]).toEqual([wrong[1], wrong[3]]);

  expect(JSON.parse(await readFile(path.join(out, 'report.json'), 'utf8')) as LabReport).toEqual(
    JSON.parse(JSON.stringify(report)),
  );
  expect((await readFile(path.join(out, 'noise.csv'), 'utf8')).split('\n')).toHaveLength(4);
  const markdown = await readFile(path.join(out, 'report.md'), 'utf8');
  for (const part of ['winnow lab noise --seeds 1,2', '![', '92.64', 'Seeds: 1, 2', report.data.fingerprint])
    expect(markdown).toContain(part);
  const { width, format } = await sharp(path.join(out, 'accuracy-over-epochs.png')).metadata();
  expect([format, width]).toEqual([
    'png',
    2 * svgWidth(await readFile(path.join(out, 'accuracy-over-epochs.svg'), 'utf8')),
  ]);
}, 120_000);

it.each([
  ['fails', 'sat', /During sat-.*failed\. No memory is left\. .*same command tries this one again/],
  ['dies', 'sat-symmetric', /During sat-symmetric-.*ended \(SIGABRT\)/],
])(
  'stores nothing of a trainer that %s, reports what is finished, and tries again',
  async (how, recipe, message) => {
    const out = path.join(folder, how);
    const failing: LabOptions = {
      ...options(),
      dataFolder: path.join(folder, 'home'),
      trainerProgram: path.join(import.meta.dirname, 'failing-trainer.ts'),
    };
    const twice = { ...preset, seeds: [1], recipes: ['cross-entropy', recipe] };
    for (const reused of [false, true]) {
      const finished: boolean[] = [];
      const onProgress = (state: LabProgress): void => {
        if (state.kind === 'finished') finished.push(state.isReused);
      };
      await expect(runLab(request(out, twice), { ...failing, onProgress })).rejects.toThrow(message);
      expect(finished).toEqual([reused]);
      expect(await readdir(path.join(out, 'trainings'))).toHaveLength(1);
      const markdown = await readFile(path.join(out, 'report.md'), 'utf8');
      for (const part of ['1 of 2 trainings are done', 'wasm 1, fake']) expect(markdown).toContain(part);
    }
    // Another Winnow, or another engine under the same name, would mix what cannot be compared.
    const done = { ...twice, recipes: ['cross-entropy'] };
    const anew: boolean[] = [];
    const onProgress = (state: LabProgress): void => {
      if (state.kind === 'finished') anew.push(state.isReused);
    };
    await runLab(request(out, done), { ...failing, onProgress });
    await runLab(request(out, done), { ...failing, version: '1', onProgress });
    const { engines } = await runLab(request(out, done), { ...options(), onProgress });
    expect(anew).toEqual([true, false, false]);
    expect(engines).toEqual([
      { name: 'wasm', device: expect.stringMatching(/^CPU, \d+ threads?$/), version: expect.any(String) },
    ]);
  },
  60_000,
);

it('runs anew where files of the same name and size show other pictures', async () => {
  const [mine, out] = [path.join(folder, 'mine'), path.join(folder, 'pictures')];
  await drawPictures(mine, 9, Infinity);
  const files = ['0003.png', '0006.png'].map((name) => path.join(mine, 'cross', name));
  const pictures = await Promise.all(files.map((file) => readFile(file)));
  const size = Math.max(...pictures.map(({ length }) => length));
  const isReused: boolean[] = [];
  for (const [first, second] of [
    [0, 1],
    [0, 1],
    [1, 0],
  ] as const) {
    // What follows the end of a PNG is not looked at.
    for (const [place, shown] of [first, second].entries())
      await writeFile(files[place]!, Buffer.concat([pictures[shown]!, Buffer.alloc(size - pictures[shown]!.length)]));
    const tiny = { ...preset, samples: null, seeds: [1], recipes: ['cross-entropy'] };
    await runLab(
      { ...request(out, tiny), images: mine },
      {
        ...options(),
        dataFolder: path.join(folder, 'home'),
        trainerProgram: path.join(import.meta.dirname, 'failing-trainer.ts'),
        onProgress: (state) => {
          if (state.kind === 'finished') isReused.push(state.isReused);
        },
      },
    );
  }
  expect(isReused).toEqual([false, true, false]);
});

it('runs anew what has other numbers, keeps a training that diverges, and spoils pixels', async () => {
  const out = path.join(folder, 'other');
  const tiny = { ...preset, seeds: [1], recipes: ['cross-entropy'] };
  const first = await runLab(request(out, tiny), options());
  const diverging = { ...tiny, settings: { ...tiny.settings, learningRate: 1e30 } };
  const second = await runLab(request(out, diverging), options());
  expect(first.trainings[0]!.error).toBeNull();
  expect(second.trainings[0]!.error).toMatch(/loss became/);
  expect(second.findings.join()).toContain('did not run to its end');
  expect(await readdir(path.join(out, 'trainings'))).toHaveLength(2);

  const spoiled = { ...tiny, noise: { ...small.noise!, kind: 'shuffled-pixels' as const, rates: [1] } };
  const third = await runLab(request(out, spoiled), options());
  expect(third.trainings[0]).toMatchObject({ error: null, labels: null });
  const pixels = (await readdir(path.join(out, 'cache'))).filter((name) => name.includes('.pixels'));
  const [clean, changed] = await Promise.all(
    ['.pixels', '.spoiled'].map(async (end) => {
      const sizes = await Promise.all(
        pixels.filter((name) => name.endsWith(end)).map((name) => readFile(path.join(out, 'cache', name))),
      );
      return sizes.find(({ length }) => length === 45 * 32 * 32 * 3)!;
    }),
  );
  expect(Buffer.compare(changed!, clean!)).not.toBe(0);
  // The very same pixels in another order.
  expect(histogram(changed!)).toEqual(histogram(clean!));
}, 120_000);

it('refuses other classes, too many images and a folder that is not its own', async () => {
  const strange = path.join(folder, 'strange');
  await drawPictures(path.join(strange, 'deeper'), 6, Infinity);
  await expect(runLab({ ...request(path.join(folder, 'a'), preset), test: strange }, options())).rejects.toThrow(
    /same classes: .*strange lacks cross, disc, stripes; .*images lacks deeper\/cross/,
  );
  const linked = path.join(folder, 'linked');
  await symlink(images, linked, 'junction');
  for (const [held, how] of [
    [linked, /the same folder/],
    [path.join(images, 'disc'), /one inside the other/],
    [folder, /one inside the other/],
  ] as const)
    await expect(runLab({ ...request(path.join(folder, 'a'), preset), test: held }, options())).rejects.toThrow(how);
  const many = { ...preset, samples: 61 };
  await expect(runLab(request(path.join(folder, 'b'), many), options())).rejects.toThrow(/holds 60.*--samples/);
  await writeFile(path.join(strange, 'mine.txt'), 'x');
  await expect(runLab(request(strange, preset), options())).rejects.toThrow(/not empty.*--out/);
});

function request(out: string, changed: LabPreset): LabRequest {
  return {
    experiment: noise,
    preset: changed,
    images,
    labels: null,
    test,
    testLabels: null,
    engine: 'wasm',
    out,
    command: 'winnow lab noise --seeds 1,2',
  };
}

function options(): LabOptions {
  const logger: Logger = { info: () => undefined, warn: () => undefined, error: () => undefined };
  return {
    version: '0',
    dataFolder: dataFolder(),
    nodePath,
    trainerProgram,
    logger,
    onProgress: () => undefined,
    signal: new AbortController().signal,
  };
}

function histogram(bytes: Uint8Array): number[] {
  const counts = new Array<number>(256).fill(0);
  for (const byte of bytes) counts[byte]!++;
  return counts;
}

function svgWidth(svg: string): number {
  return Number(/width="(\d+)"/.exec(svg)?.[1]);
}
