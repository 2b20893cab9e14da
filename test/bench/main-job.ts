/*
 * The main job on real images through the command line, as a user runs it: import, train, evaluate; with the seconds of each and the
 * peak memory of all processes together.
 * usage: node test/bench/main-job.ts FOLDER LABELS.csv LABEL_COLUMN TRUTH_COLUMN [--file-column file] [--budget balanced]
 *        [--engine auto] [--seed 1]
 */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    'file-column': { type: 'string', default: 'file' },
    budget: { type: 'string', default: 'balanced' },
    engine: { type: 'string', default: 'auto' },
    seed: { type: 'string', default: '1' },
  },
});
const [folder = '', labels = '', labelColumn = '', truthColumn = ''] = positionals;
const program = path.join(import.meta.dirname, '../../src-main/hosts/cli/main.ts');
const work = await mkdtemp(path.join(tmpdir(), 'winnow-bench-'));
const project = path.join(work, 'bench.winnow');
const fileColumn = ['--file-column', values['file-column']];
try {
  const imported = await run(
    'import',
    folder,
    '--project',
    project,
    '--labels',
    labels,
    '--label-column',
    labelColumn,
    ...fileColumn,
  );
  const { budget, engine, seed } = values;
  const trained = await run('train', project, '--budget', budget, '--engine', engine, '--seed', seed, '--json');
  const evaluated = await run(
    'evaluate',
    project,
    '--truth',
    labels,
    '--truth-column',
    truthColumn,
    ...fileColumn,
    '--json',
  );
  const { plan } = JSON.parse(trained.output.slice(0, trained.output.indexOf('\n'))) as {
    plan: Record<string, unknown>;
  };
  console.log(
    JSON.stringify(
      {
        plan: { ...plan, reasons: undefined },
        importSeconds: imported.seconds,
        trainSeconds: trained.seconds,
        peakMegabytes: Math.max(imported.peakMegabytes, trained.peakMegabytes),
        ...(JSON.parse(evaluated.output) as object),
      },
      null,
      1,
    ),
  );
} finally {
  await rm(work, { recursive: true, force: true });
}

async function run(...args: string[]): Promise<{ output: string; seconds: number; peakMegabytes: number }> {
  const started = performance.now();
  const child = spawn(process.execPath, [program, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (output += text));
  let peak = 0;
  const timer = setInterval(() => {
    if (child.pid !== undefined) void treeMegabytes(child.pid).then((sum) => (peak = Math.max(peak, sum)));
  }, 500);
  const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
  clearInterval(timer);
  if (code !== 0) throw new Error(`winnow ${args[0] ?? ''} ended with ${code ?? 'a signal'}.`);
  return { output, seconds: (performance.now() - started) / 1000, peakMegabytes: peak };
}

/** Resident memory of a process and all its descendants (Linux). Shared pages count in each, so the sum is an upper bound. */
async function treeMegabytes(root: number): Promise<number> {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of await readdir('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const status = await readFile(`/proc/${name}/status`, 'utf8').catch(() => '');
    parents.set(Number(name), Number(/^PPid:\s+(\d+)/m.exec(status)?.[1] ?? 0));
    resident.set(Number(name), Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024);
  }
  let sum = 0;
  for (const pid of parents.keys()) {
    for (let up: number | undefined = pid; up !== undefined && up !== 0; up = parents.get(up)) {
      if (up !== root) continue;
      sum += resident.get(pid) ?? 0;
      break;
    }
  }
  return sum;
}
