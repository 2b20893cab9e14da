/*
 * Images per second of an import beside a bare sharp loop that decodes and resizes the same files, one at a time per core, in
 * alternating pairs: whatever else the machine does meets both.
 *
 *   node test/bench/import.ts FOLDER… [--pairs 5]
 *
 * With --memory, the peak memory of an import of each folder instead, each in a process of its own, to see whether it grows with the
 * number of images:
 *
 *   node test/bench/import.ts --memory FOLDER… [--repeats 3] [--labels FOLDER.csv]
 *
 * Folders hold a folder per class, or --labels names a CSV with the columns file and label. Each import goes into a new project and an
 * empty thumbnail cache. The bare loop keeps nothing and checks nothing.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs, promisify } from 'node:util';
import sharp from 'sharp';
import { importImages } from '../../src-main/app/import.ts';
import { forEachConcurrently } from '../../src-main/dataset/concurrency.ts';
import { thumbnailSide } from '../../src-main/dataset/decode.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';

interface Measure {
  /** Images per second. */
  rate: number;
  /** Milliseconds of CPU time an image; steadier than the rate on a machine that others use. */
  cpu: number;
}

/** Of one import in a process of its own, megabytes. */
interface Memory {
  seconds: number;
  /** The most that lay in memory at once, as the system counts it. */
  peak: number;
  /** Of the garbage-collected heap, in use at any of the times when it was looked at. */
  peakHeap: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: 'string', default: '5' },
    memory: { type: 'boolean', default: false },
    repeats: { type: 'string', default: '1' },
    labels: { type: 'string' },
    // How --memory calls itself.
    once: { type: 'boolean', default: false },
  },
});
const folders = positionals.map((each) => path.resolve(each));
/** As many as the import has under way: two more than there are cores, so that no core waits. */
const concurrency = availableParallelism() + 2;

if (values.once) console.log(JSON.stringify(await measureMemory(folders[0]!)));
else if (values.memory) await compareMemory(folders);
else for (const folder of folders) await compareSpeed(folder);

async function compareMemory(folders: readonly string[]): Promise<void> {
  for (const folder of folders) {
    const { length } = await listFiles(folder);
    for (let repeat = 0; repeat < Number(values.repeats); repeat++) {
      const labels = values.labels === undefined ? [] : ['--labels', values.labels];
      const { stdout } = await promisify(execFile)(process.execPath, [
        import.meta.filename,
        '--once',
        folder,
        ...labels,
      ]);
      const { seconds, peak, peakHeap } = JSON.parse(stdout) as Memory;
      console.log(
        `${folder}: ${length} images, ${seconds.toFixed(1)} s, peak memory ${peak.toFixed(0)} MB (JavaScript's heap ${peakHeap.toFixed(0)} MB)`,
      );
    }
  }
}

async function measureMemory(folder: string): Promise<Memory> {
  const started = performance.now();
  let peakHeap = 0;
  const looking = setInterval(() => (peakHeap = Math.max(peakHeap, process.memoryUsage().heapUsed)), 100);
  await importAll(folder);
  clearInterval(looking);
  return {
    seconds: (performance.now() - started) / 1000,
    peak: process.resourceUsage().maxRSS / 1024,
    peakHeap: peakHeap / 2 ** 20,
  };
}

async function listFiles(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

async function compareSpeed(folder: string): Promise<void> {
  const paths = await listFiles(folder);
  // Once unmeasured, so that neither is the one to fill the file cache.
  await bareLoop(paths);
  const bare: Measure[] = [];
  const imported: Measure[] = [];
  for (let pair = 0; pair < Number(values.pairs); pair++) {
    const measures = [
      async () => bare.push(await measure(paths.length, () => bareLoop(paths))),
      async () => imported.push(await measure(paths.length, () => importAll(folder))),
    ];
    if (pair % 2 === 1) measures.reverse();
    for (const run of measures) await run();
  }
  const show = (measures: readonly Measure[]): string => {
    const rates = measures.map(({ rate }) => rate);
    return `${Math.round(median(rates))} (${rates.map((rate) => Math.round(rate)).join(', ')}), ${median(measures.map(({ cpu }) => cpu)).toFixed(2)} ms of CPU an image`;
  };
  console.log(`${folder}: ${paths.length} images, ${concurrency} at once, ${values.pairs} pairs`);
  console.log(`  bare sharp loop, images/s: ${show(bare)}`);
  console.log(`  import, images/s:          ${show(imported)}`);
  console.log(
    `  ratio of images/s, median of the pairs: ${median(imported.map(({ rate }, pair) => rate / (bare[pair]?.rate ?? NaN))).toFixed(2)}`,
  );
  console.log(
    `  ratio of CPU time, bare to import:      ${median(imported.map(({ cpu }, pair) => (bare[pair]?.cpu ?? NaN) / cpu)).toFixed(2)}`,
  );
  console.log(`  peak memory so far: ${Math.round(process.resourceUsage().maxRSS / 1024)} MB`);
}

async function bareLoop(paths: readonly string[]): Promise<void> {
  await forEachConcurrently(paths.length, concurrency, async (index) => {
    await sharp(paths[index])
      .resize(thumbnailSide, thumbnailSide, { fit: 'inside', withoutEnlargement: true })
      .raw()
      .toBuffer();
  });
}

async function importAll(folder: string): Promise<void> {
  const scratch = await mkdtemp(path.join(tmpdir(), 'winnow-bench-'));
  const db = openDatabase(path.join(scratch, 'bench.winnow'), { create: true });
  const thumbnails = openThumbnailCache(path.join(scratch, 'cache'));
  const labels =
    values.labels === undefined
      ? null
      : { file: path.resolve(values.labels), fileColumn: 'file', labelColumn: 'label' };
  const info = { name: 'bench', imageFolder: folder, labels, createdAt: new Date().toISOString() };
  await importImages({ db, thumbnails, info });
  thumbnails.close();
  db.close();
  await rm(scratch, { recursive: true });
}

async function measure(images: number, work: () => Promise<void>): Promise<Measure> {
  const started = performance.now();
  const startedCpu = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(startedCpu);
  return { rate: (images / (performance.now() - started)) * 1000, cpu: (user + system) / 1000 / images };
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
