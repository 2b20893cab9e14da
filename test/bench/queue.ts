/*
 * Milliseconds of the service's share in the review of large projects, call by call, in this process and without a window.
 *
 *   node test/bench/queue.ts [--samples 10000,100000,1000000] [--classes 10] [--epochs 10]
 *   node test/bench/queue.ts PROJECT.winnow…
 *
 * Without projects it makes synthetic ones, without pictures; of given ones it takes copies. For each call: the first time, the median
 * of the others, and the processor's time of the median, which is the better guide on a machine that does other things too. Under the
 * table: how much longer each call takes from one project to the next.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { emptyFilter, type QueueFilter, type QueueQuery } from '../../shared/api.ts';
import { createLogger } from '../../shared/logger.ts';
import { createService, type Service } from '../../src-main/app/service.ts';
import { programPaths } from '../../src-main/hosts/paths.ts';
import { shellWithoutDialogs } from '../../src-main/hosts/server/shell.ts';
import { createSyntheticProject } from '../support/synthetic-project.ts';

interface Timing {
  call: string;
  /** Milliseconds. */
  first: number;
  median: number;
  processor: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    samples: { type: 'string', default: '10000,100000,1000000' },
    classes: { type: 'string', default: '10' },
    epochs: { type: 'string', default: '10' },
  },
});

const folder = mkdtempSync(path.join(tmpdir(), 'winnow-queue-'));
try {
  const sizes = positionals.length > 0 ? positionals : values.samples.split(',').map(Number);
  let before: Timing[] | null = null;
  for (const [i, size] of sizes.entries()) {
    const place = path.join(folder, String(i));
    const project = typeof size === 'string' ? await copyOf(size, `${place}.winnow`) : await synthetic(place, size);
    const timings = await measure(project);
    if (before !== null) printGrowth(before, timings);
    before = timings;
    for (const ending of ['', '-wal', '-shm']) rmSync(project + ending, { force: true });
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function synthetic(place: string, samples: number): Promise<string> {
  const { project } = await createSyntheticProject({
    folder: place,
    samples,
    classes: Number(values.classes),
    epochs: Number(values.epochs),
    map: true,
    files: false,
  });
  return project;
}

async function copyOf(project: string, copy: string): Promise<string> {
  if (!existsSync(project)) throw new Error(`There is no ${project}.`);
  const original = new Database(project, { readonly: true });
  await original.backup(copy);
  original.close();
  return copy;
}

async function measure(project: string): Promise<Timing[]> {
  const timings: Timing[] = [];
  const time = async (call: string, times: number, work: () => unknown): Promise<void> => {
    const runs: { wall: number; processor: number }[] = [];
    for (let run = 0; run < times; run++) {
      const started = performance.now();
      const usage = process.cpuUsage();
      await work();
      const { user, system } = process.cpuUsage(usage);
      runs.push({ wall: performance.now() - started, processor: (user + system) / 1000 });
    }
    const [first, ...others] = runs;
    const rest = others.length > 0 ? others : runs;
    timings.push({
      call,
      first: first!.wall,
      median: median(rest.map(({ wall }) => wall)),
      processor: median(rest.map(({ processor }) => processor)),
    });
  };

  let service: Service = openService();
  await time('openProject', 5, async () => {
    await service.close();
    service = openService();
    return service.handlers.openProject({ path: project });
  });
  const api = service.handlers;
  await time('getProject', 5, () => api.getProject({}));
  await time('getFindings', 5, () => api.getFindings({}));

  const ask = (filter: Partial<QueueFilter>, sort: QueueQuery['sort'] = 'doubt') =>
    api.queryQueue({ filter: { ...emptyFilter, ...filter }, sort });
  for (const sort of ['doubt', 'confidence', 'path', 'decided'] as const) {
    await time(`queryQueue by ${sort}`, 15, () => ask({}, sort));
  }
  const ids = [...(await ask({})).ids];
  const { classes } = (await api.getProject({}))!;
  const oneClass = [classes[0]!.id];
  await time('queryQueue flagged', 15, () => ask({ flaggedOnly: true }));
  await time('queryQueue one class', 15, () => ask({ givenClassIds: oneClass, states: ['unreviewed'] }));
  await time('queryQueue search', 15, () => ask({ search: '17 jpg' }));
  await time('queryQueue region', 15, () => ask({ region: circle(500) }));
  await time('listPairs', 15, () => api.listPairs({ filter: emptyFilter }));
  await time('listExemplars', 15, () => api.listExemplars({ classId: oneClass[0]!, limit: 8 }));
  await time('getTriage', 5, () => api.getTriage({}));

  // Far apart in the file, as the order of doubt is.
  const next = wander(ids);
  await time('getSamples of 200', 50, () => api.getSamples({ ids: Array.from({ length: 200 }, next) }));
  await time('getSample', 50, () => api.getSample({ id: next() }));
  await time('decide', 100, () => api.decide({ sampleIds: [next()], decision: { kind: 'confirm' } }));
  await time('queryQueue after it', 15, async () => {
    await api.decide({ sampleIds: [next()], decision: { kind: 'drop' } });
    return ask({ states: ['unreviewed'] });
  });
  await time('undo', 50, () => api.undo({}));
  await time('redo', 50, () => api.redo({}));
  const many = ids.slice(0, 100_000);
  await time(`decide on ${many.length.toLocaleString('en')}`, 1, () =>
    api.decide({ sampleIds: many, decision: { kind: 'skip' } }),
  );
  await time('undo that', 1, () => api.undo({}));
  await service.close();
  printTimings(ids.length, timings);
  return timings;
}

function openService(): Service {
  const { version, nodePath, trainerProgram, workerProgram } = programPaths();
  return createService({
    host: 'cli',
    version,
    dataFolder: path.join(folder, 'home'),
    nodePath,
    trainerProgram,
    workerProgram,
    shell: shellWithoutDialogs,
    logger: createLogger(() => undefined),
  });
}

/** Ids in an order in which neighbours are far apart. */
function wander(ids: readonly number[]): () => number {
  let place = 0;
  return () => ids[(place = (place + 7919) % ids.length)]!;
}

function circle(corners: number): number[] {
  const at = (i: number): number => (2 * Math.PI * i) / corners;
  return Array.from({ length: corners }, (_, i) => [0.5 * Math.cos(at(i)), 0.5 * Math.sin(at(i))]).flat();
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

function printTimings(samples: number, timings: readonly Timing[]): void {
  console.log(`\n${samples.toLocaleString('en')} samples${' '.repeat(16)}first    median  processor`);
  for (const { call, first, median: usual, processor } of timings) {
    console.log(call.padEnd(24) + [first, usual, processor].map((time) => time.toFixed(1).padStart(10)).join(''));
  }
}

function printGrowth(before: readonly Timing[], after: readonly Timing[]): void {
  const factors = after.flatMap(({ call, processor }) => {
    const smaller = before.find((one) => one.call === call);
    return smaller === undefined ? [] : [`${call} ×${(processor / smaller.processor).toFixed(1)}`];
  });
  console.log(`\nLonger by: ${factors.join(', ')}`);
}
