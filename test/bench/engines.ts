/*
 * `npm run bench`: images per second in a training step, peak memory and energy, of every engine that is here beside eager PyTorch
 * where that is installed. Each round measures all of them one after the other, so that whatever else the machine does meets all.
 *
 *   npm run bench -- [--python PYTHON] [--engines tensorflow,webgpu,wasm] [--networks compact-32,…] [--rounds 5] [--steps 10] [--write]
 *
 * `--write` puts the table into docs/performance.md.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { engineNames } from '../../shared/domain.ts';
import { networks } from '../../src-main/sat/models/networks.ts';
import { median } from '../../src-main/domain/median.ts';
import { describeMachine, writeIntoPerformancePage } from './performance-page.ts';

interface Shape {
  network: 'compact' | 'resnet18';
  width: number;
  resolution: number;
  batch: number;
  /** Of a ResNet-18 one step takes as long as twenty of the compact network. */
  stepShare: number;
}

/** What a measuring process prints. */
interface Figures {
  device: string;
  imagesPerSecond: number[];
  peakBytes: number;
}

interface Measured extends Figures {
  /** Joules of the whole package or card per second, where the machine tells; 0 where it does not. */
  watts: number;
}

const shapes: Record<string, Shape> = {
  'compact-32': { network: 'compact', width: 24, resolution: 32, batch: 128, stepShare: 1 },
  'compact-96': { network: 'compact', width: 24, resolution: 96, batch: 128, stepShare: 1 },
  'resnet18-32': { network: 'resnet18', width: 64, resolution: 32, batch: 128, stepShare: 0.2 },
};

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    engines: { type: 'string', default: engineNames.join(',') },
    networks: { type: 'string', default: Object.keys(shapes).join(',') },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '10' },
    write: { type: 'boolean', default: false },
  },
});
const engines = values.engines.split(',');
const lines: string[] = [];
const said = new Set<string>();

for (const name of values.networks.split(',')) {
  const shape = shapes[name];
  if (shape === undefined) throw new Error(`There is no "${name}"; there are ${Object.keys(shapes).join(', ')}.`);
  await measureShape(shape);
}

const table = [
  '| network | engine | images/s | GFLOP/s | beside PyTorch | peak memory | energy per 1,000 images |',
  '| --- | --- | ---: | ---: | ---: | ---: | ---: |',
  ...lines,
].join('\n');
const machine = describeMachine();
console.log(`\n${table}\n\n${machine}`);
if (values.write) writeIntoPerformancePage('npm run bench', `${table}\n\n${machine}.`);

/** Rounds of all engines and PyTorch, then a line for each. */
async function measureShape(shape: Shape): Promise<void> {
  const steps = Math.max(2, Math.round(Number(values.steps) * shape.stepShare));
  const rounds = new Map<string, Measured[]>();
  const ratios = new Map<string, number[]>();
  const given = [shape.network, shape.width, shape.resolution, shape.batch, steps].map(String);
  for (let round = 0; round < Number(values.rounds); round++) {
    const torch = measure(values.python, ['torch_step.py', ...given, 'fp32', 'cpu']);
    if (torch !== null) add(rounds, 'PyTorch', torch);
    for (const engine of engines) {
      const own = measure(process.execPath, ['training-step.ts', engine, ...given]);
      if (own === null) continue;
      add(rounds, engine, own);
      if (torch !== null) add(ratios, engine, speedOf(own) / speedOf(torch));
    }
  }
  const { gflop } = networks[shape.network];
  for (const [engine, measured] of rounds) {
    const speed = median(measured.map(speedOf));
    // The backward pass costs twice the forward one.
    const gflops = 3 * gflop(shape.width, shape.resolution) * speed;
    const ratio = ratios.get(engine);
    const peak = Math.max(...measured.map(({ peakBytes }) => peakBytes));
    const watts = median(measured.map((each) => each.watts));
    const cells = [
      `${shape.network}, ${shape.resolution} px, batch ${shape.batch}`,
      `${engine} (${measured[0]?.device ?? ''})`,
      speed.toFixed(0),
      gflops.toFixed(0),
      ratio === undefined ? '' : `${median(ratio).toFixed(2)} (${ratio.map((each) => each.toFixed(2)).join(', ')})`,
      `${(peak / 1e6).toFixed(0)} MB`,
      watts === 0 ? 'not readable' : `${((1000 * watts) / speed).toFixed(0)} J`,
    ];
    lines.push(`| ${cells.join(' | ')} |`);
    console.log(lines.at(-1));
  }
}

/** The figures that a script beside this one prints; null if it cannot run here. */
function measure(program: string, [script = '', ...rest]: string[]): Measured | null {
  const began = performance.now();
  const joules = energyNow();
  const result = spawnSync(program, [path.join(import.meta.dirname, script), ...rest], { encoding: 'utf8' });
  if (result.status !== 0) {
    sayOnce(`${script} ${rest[0]}: ${(result.stderr || String(result.error)).trim().split('\n').at(-1)}`);
    return null;
  }
  const seconds = (performance.now() - began) / 1000;
  const watts = joules === null ? 0 : ((energyNow() ?? joules) - joules) / seconds;
  return { ...(JSON.parse(result.stdout.trim().split('\n').at(-1)!) as Figures), watts: Math.max(0, watts) };
}

/** Energy that the processor package has used since some time, in joules; null where that is not readable. */
function energyNow(): number | null {
  const counter = '/sys/class/powercap/intel-rapl:0/energy_uj';
  try {
    return existsSync(counter) ? Number(readFileSync(counter, 'utf8')) / 1e6 : null;
  } catch {
    // Only the administrator may read it on most machines.
    return null;
  }
}

function speedOf({ imagesPerSecond }: Figures): number {
  return median(imagesPerSecond);
}

function add<T>(to: Map<string, T[]>, name: string, value: T): void {
  to.set(name, [...(to.get(name) ?? []), value]);
}

function sayOnce(message: string): void {
  if (said.has(message)) return;
  said.add(message);
  console.error(`not measured: ${message}`);
}
