/*
 * How good the map of a project is, and how long it takes on one core.
 *
 *   node test/bench/map.ts PROJECT.winnow [--truth labels.csv --truth-column clean] [--queries 1500]
 *   node test/bench/map.ts --synthetic 100000
 *
 * Of the 10 nearest in the plane: the share with the same suggested (and true) label, the share that are among the 10 nearest by
 * embedding, and trustworthiness (Venna & Kaski 2001). Beside it the same for the first two principal axes, and the labels for the
 * embeddings themselves, which no map can beat by much. Works on a copy of the project.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import SQLite from 'better-sqlite3';
import { parse } from 'csv-parse/sync';
import { layOutMap, type LayoutInput } from '../../src-main/app/map-layout.ts';
import { alongAxes, principalAxes } from '../../src-main/domain/map-layout.ts';
import { createRandom, permutation } from '../../src-main/domain/random.ts';
import { allRows, openDatabase } from '../../src-main/store/database.ts';
import { embeddedRunId, embeddingStarts, readEmbeddings } from '../../src-main/store/embeddings.ts';
import { readRunLabels } from '../../src-main/store/map.ts';
import { toHalf } from '../../src-main/store/half.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    truth: { type: 'string' },
    'truth-column': { type: 'string', default: 'clean' },
    queries: { type: 'string', default: '1500' },
    synthetic: { type: 'string' },
  },
});
const neighbours = 10;

if (values.synthetic !== undefined) timedLayout(synthetic(Number(values.synthetic)));
else await measureProject(positionals[0] ?? '');

async function measureProject(project: string): Promise<void> {
  const folder = mkdtempSync(path.join(tmpdir(), 'winnow-map-'));
  const copy = path.join(folder, 'copy.winnow');
  const original = new SQLite(project, { readonly: true, fileMustExist: true });
  await original.backup(copy);
  original.close();
  const db = openDatabase(copy, { create: false });
  const runId = embeddedRunId(db);
  if (runId === null) throw new Error(`${project} has no embeddings.`);
  const read = embeddingStarts(db, runId).flatMap((start) => readEmbeddings(db, runId, start) ?? []);
  const dimension = read[0]!.dimension;
  const parts = read.map(({ vectors }) => vectors);
  const samples = allRows<{ path: string; suggested: number }>(
    db,
    `SELECT path, suggested_class_id AS suggested FROM run_sample JOIN sample ON sample.id = run_sample.sample_id
       JOIN finding ON finding.run_id = run_sample.run_id AND finding.sample_id = run_sample.sample_id
      WHERE run_sample.run_id = ? ORDER BY position`,
    runId,
  );
  const input: LayoutInput = { parts, dimension, classes: readRunLabels(db, runId) };
  db.close();
  rmSync(folder, { recursive: true });

  const labels: Record<string, readonly unknown[]> = { suggested: samples.map(({ suggested }) => suggested) };
  if (values.truth !== undefined) {
    const rows: Record<string, string>[] = parse(readFileSync(values.truth), { columns: true });
    const truth = new Map(rows.map((row) => [row['file'], row[values['truth-column']]]));
    labels['true'] = samples.map((sample) => truth.get(sample.path));
  }
  const rows = Float32Array.from(parts.flatMap((part) => [...new Float16Array(part.buffer)]));
  const axes = alongAxes(rows, principalAxes(rows, dimension, 2, createRandom(1)));
  describe(rows, dimension, labels, { map: timedLayout(input), 'two axes': axes });
}

function timedLayout(input: LayoutInput): Float32Array {
  const before = process.cpuUsage();
  const positions = layOutMap(input, () => undefined);
  const { user } = process.cpuUsage(before);
  console.log(
    `${input.classes.length} samples of dimension ${input.dimension}: ${(user / 1e6).toFixed(1)} s of one core`,
  );
  return positions;
}

function describe(
  rows: Float32Array,
  dimension: number,
  labels: Record<string, readonly unknown[]>,
  layouts: Record<string, Float32Array>,
): void {
  const count = rows.length / dimension;
  const queries = permutation(count, createRandom(5)).subarray(0, Number(values.queries));
  const names = ['embeddings', ...Object.keys(layouts)];
  const sums = new Map(names.map((name) => [name, { kept: 0, misplaced: 0, same: new Map<string, number>() }]));
  for (const query of queries) {
    const byEmbedding = nearest(count, query, (other) => {
      let dot = 0;
      for (let j = 0; j < dimension; j++) dot -= rows[query * dimension + j]! * rows[other * dimension + j]!;
      return dot;
    });
    const rank = new Int32Array(count);
    byEmbedding.forEach((other, place) => (rank[other] = place));
    for (const [name, sum] of sums) {
      const places = layouts[name];
      const near =
        places === undefined
          ? byEmbedding
          : nearest(count, query, (other) =>
              Math.hypot(places[2 * query]! - places[2 * other]!, places[2 * query + 1]! - places[2 * other + 1]!),
            );
      for (const other of near.subarray(0, neighbours)) {
        if (rank[other]! < neighbours) sum.kept++;
        else sum.misplaced += rank[other]! + 1 - neighbours;
        for (const [label, of] of Object.entries(labels))
          sum.same.set(label, (sum.same.get(label) ?? 0) + Number(of[query] === of[other]));
      }
    }
  }
  const pairs = queries.length * neighbours;
  for (const [name, { kept, misplaced, same }] of sums) {
    const trust = 1 - (2 * misplaced) / (pairs * (2 * count - 3 * neighbours - 1));
    const shares = [...same].map(([label, sum]) => `same ${label} ${(sum / pairs).toFixed(3)}`).join(', ');
    console.log(
      `${name}: ${shares}, neighbours kept ${(kept / pairs).toFixed(3)}, trustworthiness ${trust.toFixed(3)}`,
    );
  }
}

/** The others, nearest first. */
function nearest(count: number, query: number, distance: (other: number) => number): Int32Array {
  const distances = Float64Array.from({ length: count }, (_, other) => (other === query ? Infinity : distance(other)));
  return Int32Array.from(distances.keys()).sort((a, b) => distances[a]! - distances[b]!);
}

/** Ten noisy directions in 192 dimensions. */
function synthetic(count: number): LayoutInput {
  const dimension = 192;
  const random = createRandom(3);
  const centres = Float32Array.from({ length: 10 * dimension }, () => random.normal());
  const classes = Uint16Array.from({ length: count }, () => random.integer(10));
  const parts: Uint16Array[] = [];
  for (let first = 0; first < count; first += 256) {
    const part = new Float32Array(Math.min(256, count - first) * dimension);
    for (let i = 0; i < part.length; i++) {
      const own = classes[first + Math.floor(i / dimension)]! * dimension + (i % dimension);
      part[i] = (centres[own]! + random.next() - 0.5) / Math.sqrt(dimension);
    }
    parts.push(new Uint16Array(new Uint8Array(toHalf(part)).buffer));
  }
  return { parts, dimension, classes };
}
