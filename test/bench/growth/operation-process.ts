/*
 * One operation of growth.ts with one number of samples, alone in this process, so that the peak memory is its own:
 *
 *   node --expose-gc test/bench/growth/operation-process.ts NAME PLACE_AS_JSON
 *
 * Prints `OperationFigures` in its last line.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import process from 'node:process';
import type { OperationFigures, Place, Prepared, RunFigures } from './operation.ts';
import { operations } from './operations.ts';

/** Runs of an operation: at least three, but for one that takes so long that they would not be worth the wait. */
const mostRuns = 5;
const fewestRuns = 3;
const enoughMilliseconds = 1000;
const tooManyMilliseconds = 3000;

const [name, place] = process.argv.slice(2);
const operation = operations.find((each) => each.name === name);
if (operation === undefined || place === undefined) throw new Error(`There is no operation "${name}".`);
collectGarbage();
const restBytes = process.memoryUsage.rss();
const prepared = await operation.prepare(JSON.parse(place) as Place);
const runs: RunFigures[] = [];
let spent = 0;
while (
  runs.length < mostRuns &&
  (runs.length < fewestRuns ? spent < tooManyMilliseconds : spent < enoughMilliseconds)
) {
  const figures = await measureRun(prepared);
  runs.push(figures);
  spent += figures.milliseconds;
}
console.log(JSON.stringify({ runs, restBytes } satisfies OperationFigures));
// Whatever still waits for something, as an open project may, is of no interest.
process.exit(0);

async function measureRun({ before, run, after }: Prepared): Promise<RunFigures> {
  await before?.();
  collectGarbage();
  forgetPeak();
  const bytesBefore = process.memoryUsage.rss();
  const started = performance.now();
  const usage = process.cpuUsage();
  const own = await run();
  const milliseconds = performance.now() - started;
  const { user, system } = process.cpuUsage(usage);
  const peakBytes = peakOf('self');
  await after?.();
  return isFigures(own) ? own : { milliseconds, processor: (user + system) / 1000, peakBytes, bytesBefore };
}

function isFigures(value: unknown): value is RunFigures {
  return typeof value === 'object' && value !== null && 'peakBytes' in value;
}

function collectGarbage(): void {
  globalThis.gc?.();
}

/** Begins a new peak, where the system can (Linux); elsewhere it is that of the process since it began. */
function forgetPeak(): void {
  try {
    writeFileSync('/proc/self/clear_refs', '5');
  } catch {
    // What was prepared then counts as well.
  }
}

function peakOf(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8');
    return 1024 * Number(/^VmHWM:\s+(\d+)/m.exec(status)![1]);
  } catch {
    return 1024 * process.resourceUsage().maxRSS;
  }
}
