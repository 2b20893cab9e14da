/*
 * Training speed of the compact network beside eager PyTorch: the same network, batch and threads, alternating in one run.
 * usage: node test/bench/training-speed.ts [--python PYTHON] [--engine tensorflow|wasm] [--rounds N]
 * Prints the median images per second of each and the median of the rounds' ratios.
 */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    engine: { type: 'string', default: 'tensorflow' },
    rounds: { type: 'string', default: '5' },
  },
});
const shapes = [
  { width: 24, resolution: 32, batch: 128 },
  { width: 24, resolution: 96, batch: 128 },
];
const steps = 10;
const threads = availableParallelism();

for (const { width, resolution, batch } of shapes) {
  const ours: number[] = [];
  const theirs: number[] = [];
  const ratios: number[] = [];
  for (let round = 0; round < Number(values.rounds); round++) {
    const shape = [width, resolution, batch];
    const own = measure(process.execPath, ['training-step.ts', values.engine, ...shape, steps]);
    const torch = measure(values.python, ['compact_torch.py', ...shape, threads, steps]);
    if (own === null) throw new Error(`The engine "${values.engine}" could not be measured.`);
    ours.push(own);
    if (torch === null) continue;
    theirs.push(torch);
    ratios.push(own / torch);
  }
  const torchText =
    theirs.length === 0
      ? 'PyTorch is not installed'
      : `PyTorch ${median(theirs).toFixed(0)} images/s, ratio ${median(ratios).toFixed(2)}`;
  console.log(
    `compact width ${width}, ${resolution} px, batch ${batch}, ${threads} threads: ` +
      `${values.engine} ${median(ours).toFixed(0)} images/s, ${torchText}`,
  );
}

/** Median of the figures that a script prints, one a line; null if it fails. */
function measure(program: string, args: (string | number)[]): number | null {
  const [script = '', ...rest] = args.map(String);
  const result = spawnSync(program, [path.join(import.meta.dirname, script), ...rest], { encoding: 'utf8' });
  if (result.status !== 0) {
    console.error(result.stderr.trim().split('\n').at(-1));
    return null;
  }
  return median(result.stdout.trim().split('\n').map(Number));
}

function median(figures: number[]): number {
  const sorted = [...figures].sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}
