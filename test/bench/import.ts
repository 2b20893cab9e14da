/*
 * Images per second of an import beside a bare sharp loop that decodes and resizes the same files with the same concurrency, in
 * alternating pairs: whatever else the machine does meets both.
 *
 *   node test/bench/import.ts FOLDER… [--pairs 5]
 *
 * Each import goes into a new project and an empty thumbnail cache. The bare loop keeps nothing and checks nothing.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { availableParallelism, tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import sharp from 'sharp';
import { importImages } from '../../src-main/app/import.ts';
import { forEachConcurrently } from '../../src-main/dataset/concurrency.ts';
import { thumbnailSide } from '../../src-main/dataset/decode.ts';
import { scanFolder } from '../../src-main/dataset/scan.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { openThumbnailCache } from '../../src-main/store/thumbnails.ts';

interface Measure {
  /** Images per second. */
  rate: number;
  /** Milliseconds of CPU time an image; steadier than the rate on a machine that others use. */
  cpu: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { pairs: { type: 'string', default: '5' } },
});
const concurrency = availableParallelism();

for (const folder of positionals.map((each) => path.resolve(each))) {
  const { files } = await scanFolder({ folder, labels: null });
  const paths = files.map((file) => path.join(folder, file.path));
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
  const info = { name: 'bench', imageFolder: folder, labels: null, createdAt: new Date().toISOString() };
  await importImages({ db, thumbnails, info, concurrency });
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
