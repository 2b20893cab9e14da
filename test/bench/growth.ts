/*
 * How time and memory grow with the number of samples: everything that the app does, at 1,000 to 1,000,000 samples. What a training
 * would have left is simulated and goes through the app's own code, in real SQLite files; only what needs image files, or trains, is
 * measured at fewer.
 *
 *   node test/bench/growth.ts [--sizes 1000,10000,100000,1000000] [--only PART_OF_A_NAME,…] [--files 10000] [--pictures FOLDER]
 *     [--folder FOLDER] [--results FILE] [--no-measuring] [--write]
 *
 * Every operation with every size is a process of its own (growth/operation-process.ts), so that its peak memory is its own. `--files`:
 * the most image files that are made, as many names of a few hundred pictures, which are drawn or those of FOLDER's class folders.
 * `--folder` keeps the synthetic projects, and `--results` the figures; what is there is not made or measured again. With `--no-measuring`
 * the results alone are shown. `--write` puts the table and the drawings into docs.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { median } from '../../src-main/domain/median.ts';
import { createSyntheticProject } from '../support/synthetic-project.ts';
import { drawGrowth } from './growth/drawing.ts';
import { growthOf, type Growth } from './growth/fit.ts';
import type { Operation, OperationFigures, Place } from './growth/operation.ts';
import { operations } from './growth/operations.ts';
import { describeMachine, writeIntoPerformancePage } from './performance-page.ts';

/** Of one operation with one number of samples. */
interface Measured {
  samples: number;
  /** Milliseconds, medians. */
  wall: number;
  processor: number;
  peakBytes: number;
  /** The most that a run added to what lay in memory when it began. */
  ownBytes: number;
  /** Of a process that does nothing. */
  restBytes: number;
}

const { values } = parseArgs({
  options: {
    sizes: { type: 'string', default: '1000,10000,100000,1000000' },
    only: { type: 'string', default: '' },
    files: { type: 'string', default: '10000' },
    pictures: { type: 'string' },
    folder: { type: 'string' },
    results: { type: 'string' },
    'no-measuring': { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
  },
});

/** Below these, what does not depend on samples makes up too much of a figure. */
const floors = { milliseconds: 5, bytes: 16 * 2 ** 20 };
/** Worse than linear: n log n has 1.07 between a thousand and a million, and measuring adds its noise. */
const largestExponent = 1.1;
/** Milliseconds after which an operation is given up. */
const patience = 15 * 60_000;

const sizes = values.sizes.split(',').map(Number);
const parts = values.only.split(',');
const chosen = operations.filter(({ name }) => parts.some((part) => name.includes(part)));
const results = readResults();
const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'winnow-growth-'));
try {
  for (const samples of values['no-measuring'] ? [] : sizes) await measureSize(samples);
} finally {
  if (values.folder === undefined) rmSync(folder, { recursive: true, force: true });
}
report();

async function measureSize(samples: number): Promise<void> {
  const open = chosen.filter(
    (operation) => isMeasuredAt(operation, samples) && measuredAt(operation, samples) === undefined,
  );
  if (open.length === 0) return;
  const own = path.join(folder, String(samples));
  const place = await makePlace(own, samples, open);
  for (const operation of open) {
    mkdirSync(place.scratch, { recursive: true });
    const measured = measure(operation, place);
    rmSync(place.scratch, { recursive: true, force: true });
    if (measured === null) continue;
    results[operation.name] = [...(results[operation.name] ?? []), measured].sort((a, b) => a.samples - b.samples);
    if (values.results !== undefined) writeFileSync(values.results, JSON.stringify(results, null, 1));
  }
  if (values.folder === undefined) rmSync(own, { recursive: true, force: true });
}

function isMeasuredAt({ largest = Infinity, needsImages = false }: Operation, samples: number): boolean {
  return samples <= largest && !(needsImages && samples > Number(values.files));
}

function measuredAt({ name }: Operation, samples: number): Measured | undefined {
  return results[name]?.find((each) => each.samples === samples);
}

async function makePlace(own: string, samples: number, wanted: readonly Operation[]): Promise<Place> {
  const trained = path.join(own, 'trained');
  const pictured = path.join(own, 'pictured');
  const place = {
    samples,
    project: path.join(trained, 'synthetic.winnow'),
    images: path.join(pictured, 'images'),
    scratch: path.join(own, 'scratch'),
  };
  if (!existsSync(place.project)) {
    await createSyntheticProject({
      folder: trained,
      samples,
      recipe: 'selective',
      epochs: 4,
      decided: Math.min(2000, samples / 50),
      map: true,
      files: false,
    });
  }
  if (!existsSync(place.images) && wanted.some(({ needsImages }) => needsImages === true)) {
    const pictures = values.pictures === undefined ? {} : { pictures: values.pictures };
    await createSyntheticProject({ folder: pictured, samples, recipe: null, ...pictures });
  }
  return place;
}

function measure({ name }: Operation, place: Place): Measured | null {
  const program = path.join(import.meta.dirname, 'growth', 'operation-process.ts');
  const { status, signal, stdout, stderr } = spawnSync(
    process.execPath,
    ['--expose-gc', '--max-old-space-size=12288', program, name, JSON.stringify(place)],
    { encoding: 'utf8', timeout: patience },
  );
  const what = `${place.samples.toLocaleString('en')} samples, ${name}`;
  if (status !== 0) {
    console.error(`not measured: ${what}: ${stderr.trim().slice(-1000) || `ended by ${signal ?? 'itself'}`}`);
    return null;
  }
  const { runs, restBytes } = JSON.parse(stdout.trim().split('\n').at(-1)!) as OperationFigures;
  const measured: Measured = {
    samples: place.samples,
    wall: median(runs.map(({ milliseconds }) => milliseconds)),
    processor: median(runs.map(({ processor }) => processor)),
    peakBytes: Math.max(...runs.map(({ peakBytes }) => peakBytes)),
    ownBytes: Math.max(...runs.map(({ peakBytes, bytesBefore }) => peakBytes - bytesBefore)),
    restBytes,
  };
  console.log(
    `${what}: ${inTime(measured.wall)} (processor ${inTime(measured.processor)}, ${runs.length} runs), ${inMemory(measured.peakBytes)}, ${inMemory(measured.ownBytes)} of them its own`,
  );
  return measured;
}

function report(): void {
  const measured = chosen.filter(({ name }) => results[name] !== undefined);
  const table = [
    `| | ${sizes.map((size) => size.toLocaleString('en')).join(' | ')} | time ~ n^b | steepest | peak memory at most | memory ~ n^b | of it the run's own |`,
    `| --- |${' ---: |'.repeat(sizes.length + 5)}`,
    ...measured.map((operation, i) => {
      const isFirst = measured[i - 1]?.group !== operation.group;
      return `${isFirst ? `| **${operation.group}** |${' |'.repeat(sizes.length + 5)}\n` : ''}${tableRow(operation)}`;
    }),
  ].join('\n');
  const worse = measured.filter((operation) => isWorseThanLinear(operation)).map(({ name }) => name);
  const verdict =
    worse.length === 0
      ? `Of ${measured.length} operations none grows faster than n^${largestExponent}.`
      : `Faster than n^${largestExponent}: ${worse.join('; ')}.`;
  const machine = describeMachine();
  console.log(`\n${table}\n\n${verdict}\n\n${machine}`);
  if (!values.write) return;
  const draw = (
    file: string,
    title: string,
    valueOf: (one: Measured) => number,
    extent: { least: number; most: number },
  ) => {
    const curves = measured.map(({ group, name }) => ({
      group,
      name,
      points: results[name]!.map((one) => ({ samples: one.samples, value: valueOf(one) })),
    }));
    const images = path.join(import.meta.dirname, '..', '..', 'docs', 'images');
    writeFileSync(path.join(images, file), drawGrowth(curves, { title, ...extent }));
  };
  draw('growth-time.svg', 'Seconds of processor time, by number of samples', ({ processor }) => processor / 1000, {
    least: 0.001,
    most: 1000,
  });
  draw('growth-memory.svg', 'Peak memory in MB, by number of samples', ({ peakBytes }) => peakBytes / 1e6, {
    least: 100,
    most: 10_000,
  });
  writeIntoPerformancePage('node test/bench/growth.ts', `${table}\n\n${verdict}\n\n${machine}.`);
}

function tableRow({ name }: Operation): string {
  const all = results[name]!;
  const { time, memory } = growths(all);
  const cells = [
    name,
    ...sizes.map((size) => {
      const one = all.find(({ samples }) => samples === size);
      return one === undefined ? '–' : inTime(one.processor);
    }),
    exponent(time),
    time.steepest === null ? '–' : `× ${time.steepest.toFixed(1)}`,
    inMemory(Math.max(...all.map(({ peakBytes }) => peakBytes))),
    exponent(memory),
    inMemory(Math.max(...all.map(({ ownBytes }) => ownBytes))),
  ];
  return `| ${cells.join(' | ')} |`;
}

/** Of the processor's time, which other programs do not lengthen, and of what a process takes beyond one that does nothing. */
function growths(all: readonly Measured[]): { time: Growth; memory: Growth } {
  return {
    time: growthOf(
      all.map(({ samples, processor }) => ({ samples, value: processor })),
      floors.milliseconds,
    ),
    memory: growthOf(
      all.map(({ samples, peakBytes, restBytes }) => ({ samples, value: peakBytes - restBytes })),
      floors.bytes,
    ),
  };
}

function isWorseThanLinear({ name }: Operation): boolean {
  const { time, memory } = growths(results[name]!);
  return (time.exponent ?? 0) > largestExponent || (memory.exponent ?? 0) > largestExponent;
}

function exponent({ exponent: b }: Growth): string {
  if (b === null) return '–';
  return b > largestExponent ? `**${b.toFixed(2)}**` : b.toFixed(2);
}

function inTime(milliseconds: number): string {
  if (milliseconds < 9.95) return `${milliseconds.toFixed(1)} ms`;
  return milliseconds < 995
    ? `${milliseconds.toFixed(0)} ms`
    : `${(milliseconds / 1000).toPrecision(milliseconds < 99_950 ? 2 : 3)} s`;
}

function inMemory(bytes: number): string {
  return bytes < 995e6 ? `${(bytes / 1e6).toFixed(0)} MB` : `${(bytes / 1e9).toFixed(1)} GB`;
}

function readResults(): Record<string, Measured[]> {
  const file = values.results;
  return file === undefined || !existsSync(file)
    ? {}
    : (JSON.parse(readFileSync(file, 'utf8')) as Record<string, Measured[]>);
}
