/*
 * How good the estimate of wrong labels that remain is, where the true labels are known: a review is simulated, which goes down the list by
 * doubt, and at several lengths the estimate is compared with what is really left; once more with a fifth of it taken at random. Then the
 * noise of classes and pairs, against the true one.
 *
 *   node test/bench/remaining-errors.ts PROJECT.winnow TRUTH.csv TRUTH_COLUMN [--file-column file]
 *
 * Works on a copy of the project. Prints Markdown.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import Database from 'better-sqlite3';
import { reviewStates, type ClassId } from '../../shared/domain.ts';
import { noiseOverview } from '../../src-main/app/overview.ts';
import { createRandom, permutation } from '../../src-main/domain/random.ts';
import { worstFirst } from '../../src-main/domain/metrics.ts';
import { readTruth } from '../../src-main/hosts/cli/truth.ts';
import { classNames, readClassIds } from '../../src-main/store/classes.ts';
import { openDatabase } from '../../src-main/store/database.ts';
import { readLabelTable, type LabelTable } from '../../src-main/store/overview.ts';
import { readProjectInfo } from '../../src-main/store/project-info.ts';

const shares = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5];
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { 'file-column': { type: 'string', default: 'file' } },
});
const [project, truth, truthColumn] = positionals;
if (project === undefined || truth === undefined || truthColumn === undefined) {
  throw new Error('Usage: node test/bench/remaining-errors.ts PROJECT.winnow TRUTH.csv TRUTH_COLUMN');
}

const folder = mkdtempSync(path.join(tmpdir(), 'winnow-remaining-'));
try {
  const copy = path.join(folder, 'copy.winnow');
  const original = new Database(project, { readonly: true, fileMustExist: true });
  await original.backup(copy);
  original.close();
  await measure(copy, { truth, fileColumn: values['file-column'], truthColumn });
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function measure(file: string, options: Parameters<typeof readTruth>[0]): Promise<void> {
  const db = openDatabase(file, { create: false });
  const table = readLabelTable(db);
  const samples = db.prepare('SELECT path FROM sample WHERE present = 1 ORDER BY id').all() as { path: string }[];
  const trueNames = await readTruth(options, samples, readProjectInfo(db)?.imageFolder ?? '');
  const ids = new Map([...classNames(db)].map(([id, name]) => [name, id]));
  const truths = Uint32Array.from(samples, (sample) => ids.get(trueNames.get(sample.path) ?? '') ?? 0);
  if (truths.includes(0)) throw new Error(`${options.truth} does not give the true class of every sample.`);
  const classIds = readClassIds(db);
  db.close();

  const samplesCount = truths.length;
  const isWrong = Array.from(truths, (id, i) => id !== table.given[i]);
  const wrong = count(isWrong);
  const { remaining } = noiseOverview(decide(table, truths, new Set()), classIds);
  console.log(`${project}: ${samplesCount} samples, ${wrong} wrong, ${remaining.expected.toFixed(0)} by the run\n`);
  console.log(
    '| review | reviewed | left | expected | 90 % interval | holds | class correlation | of the top 10 pairs |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const random of [0, 0.2]) {
    const order = reviewOrder(table.score, random);
    for (const share of shares) {
      const reviewed = order(Math.round(share * samplesCount));
      const result = noiseOverview(decide(table, truths, reviewed), classIds);
      const left = wrong - count([...reviewed].map((i) => isWrong[i]!));
      const { expected, low, high } = result.remaining;
      const cells = [
        random === 0 ? 'by doubt' : 'a fifth at random',
        `${100 * share} %`,
        left,
        expected.toFixed(0),
        `${low.toFixed(0)}–${high.toFixed(0)}`,
        low <= left && left <= high ? 'yes' : 'NO',
        correlation(
          result.classes.map((one) => one.expectedWrong / one.given),
          result.classes.map((one) => shareWrong(one.classId)),
        ).toFixed(2),
        commonPairs(result.pairs.slice(0, 10)),
      ];
      console.log(`| ${cells.join(' | ')} |`);
    }
  }

  function shareWrong(classId: ClassId): number {
    const own = [...truths.keys()].filter((i) => table.given[i] === classId);
    return count(own.map((i) => isWrong[i]!)) / own.length;
  }

  function commonPairs(pairs: { givenClassId: ClassId; otherClassId: ClassId }[]): number {
    const counts = new Map<string, number>();
    for (const [i, id] of truths.entries()) {
      const key = `${table.given[i]} ${id}`;
      if (isWrong[i]!) counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const top = [...counts].sort((a, b) => b[1] - a[1]).slice(0, 10);
    const names = new Set(top.map(([key]) => key));
    return count(pairs.map((pair) => names.has(`${pair.givenClassId} ${pair.otherClassId}`)));
  }
}

/** Which samples have been reviewed after so many: some at random, the others from the most doubted down. */
function reviewOrder(scores: Float64Array, random: number): (reviewed: number) => Set<number> {
  const byDoubt = worstFirst(scores);
  const shuffled = permutation(scores.length, createRandom(1));
  return (reviewed) => {
    const chosen = new Set(shuffled.subarray(0, Math.round(random * reviewed)));
    for (let rank = 0; chosen.size < reviewed; rank++) chosen.add(byDoubt[rank]!);
    return chosen;
  };
}

/** The table as if nothing but these samples had been decided, since the run and rightly. */
function decide(table: LabelTable, truths: Uint32Array, reviewed: Set<number>): LabelTable {
  const { length } = truths;
  const decided = {
    ...table,
    current: table.given.slice(),
    state: new Uint8Array(length),
    tested: new Uint8Array(length),
  };
  for (const i of reviewed) {
    decided.current[i] = truths[i]!;
    decided.state[i] = reviewStates.indexOf(truths[i] === table.given[i] ? 'confirmed' : 'relabeled');
    decided.tested[i] = 1;
  }
  return decided;
}

function count(values: readonly boolean[]): number {
  return values.filter(Boolean).length;
}

function correlation(left: readonly number[], right: readonly number[]): number {
  const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
  const [meanLeft, meanRight] = [mean(left), mean(right)];
  const products = (a: readonly number[], ma: number, b: readonly number[], mb: number): number =>
    a.reduce((sum, value, i) => sum + (value - ma) * (b[i]! - mb), 0);
  return (
    products(left, meanLeft, right, meanRight) /
    Math.sqrt(products(left, meanLeft, left, meanLeft) * products(right, meanRight, right, meanRight))
  );
}
