/*
 * The WebGPU engine on this machine's card: parity with WebAssembly, images per second beside PyTorch on the same card (alternating, medians),
 * a profile of one step, and our convolutions beside tfjs's own. Prints Markdown; the raw figures go to results.json.
 * usage: run.sh [--rounds N] [--steps N] [--python PYTHON] [--peak TFLOPS] [--networks 'compact 32 256, …'] [--torch-device cuda|cpu]
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';

const { values: options } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '20' },
    python: { type: 'string', default: 'python3' },
    /** Single-precision peak of the card, TFLOP/s. */
    peak: { type: 'string' },
    networks: { type: 'string', default: 'compact 32 256, compact 96 256, resnet18 32 256' },
    'torch-device': { type: 'string', default: 'cuda' },
  },
});
/** Single precision without tensor cores, TFLOP/s, from the makers' data sheets; by a part of the name. */
const peaks = [
  ['h100 pcie', 51.2],
  ['h100', 66.9],
  ['h200', 66.9],
  ['a100', 19.5],
  ['l40s', 91.6],
  ['l4', 30.3],
  ['t4', 8.1],
  ['rtx 4090', 82.6],
  ['rtx 3090', 35.6],
];
const results = { parity: null, speed: [], profile: [], kernels: [] };
const card = run('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'])?.trim() ?? '';
say(`Card: ${card === '' ? 'unknown to nvidia-smi' : card}\n`);
const peak = Number(
  options.peak ?? peaks.find(([name]) => card.toLowerCase().replaceAll('-', ' ').includes(name))?.[1] ?? NaN,
);

results.parity = measure('parity');
say('| Parity with WebAssembly | largest difference | of |\n| --- | --- | --- |');
for (const { network, width, resolution, difference, tensor, passed } of results.parity ?? []) {
  say(
    `| ${network} ${width}, ${resolution} px | ${difference.toExponential(1)}${passed ? '' : ' **too large**'} | ${tensor} |`,
  );
}
save();

say(
  '\n| Network | WebGPU images/s | PyTorch fp32 | ratio | PyTorch tf32 | share of peak |\n| --- | --- | --- | --- | --- | --- |',
);
for (const text of options.networks.split(', ')) {
  const [network, resolution, batch] = text.split(' ');
  const width = process.env.WINNOW_BENCH_WIDTH ?? { compact: '24', resnet18: '64' }[network];
  const rounds = [];
  let gflop = NaN;
  for (let round = 0; round < Number(options.rounds); round++) {
    const ours = measure('speed', network, resolution, batch, options.steps);
    gflop = ours?.forwardGflop ?? gflop;
    const torch = (precision) =>
      parse(
        run(options.python, [
          'torch_step.py',
          network,
          width,
          resolution,
          batch,
          options.steps,
          precision,
          options['torch-device'],
        ]),
      );
    rounds.push({ ours, fp32: torch('fp32'), tf32: options['torch-device'] === 'cuda' ? torch('tf32') : null });
  }
  results.speed.push({ network, resolution, batch, rounds });
  save();
  const speeds = (kind) => rounds.map((round) => median(round[kind]?.imagesPerSecond ?? []));
  const ours = median(speeds('ours'));
  const ratio = median(rounds.map((_, i) => speeds('ours')[i] / speeds('fp32')[i]));
  const share = (3 * gflop * ours) / 1000 / peak;
  say(
    `| ${network}, ${resolution} px, batch ${batch} | ${show(ours)} | ${show(median(speeds('fp32')))} | ${show(ratio, 2)} | ${show(median(speeds('tf32')))} | ${show(100 * share, 1)} % |`,
  );
}

for (const text of options.networks.split(', ')) {
  const [network, resolution, batch] = text.split(' ');
  const profile = measure('profile', network, resolution, batch);
  if (profile === null) continue;
  results.profile.push({ network, resolution, batch, ...profile });
  say(
    `\n${network}, ${resolution} px, batch ${batch}: ${profile.programs} programs in a step, ${show(profile.milliseconds, 2)} ms on the card\n`,
  );
  say('| Program | times | ms |\n| --- | --- | --- |');
  for (const [name, { count, milliseconds }] of Object.entries(profile.byName).slice(0, 20)) {
    say(`| ${name} | ${count} | ${show(milliseconds, 3)} |`);
  }
  const kernels = measure('kernels', network, resolution, batch);
  results.kernels.push({ network, resolution, batch, kernels });
  say(
    '\n| Convolution | kernel | ours, ms | tfjs, ms | GFLOP/s of ours | difference |\n| --- | --- | --- | --- | --- | --- |',
  );
  for (const row of kernels ?? []) {
    say(
      `| ${row.shape} | ${row.kernel} | ${show(row.milliseconds, 3)} | ${show(row.tfjsMilliseconds, 3)} | ${show(row.gflops)} | ${row.difference.toExponential(1)} |`,
    );
  }
  save();
}
const failed = results.parity === null || results.parity.some(({ passed }) => !passed);
process.exitCode = failed ? 1 : 0;

function measure(...task) {
  return parse(run(process.execPath, ['measure.js', ...task]));
}

/** What a program writes; null, and its last words, where it fails. */
function run(program, args) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: import.meta.dirname,
    maxBuffer: 1e8,
  });
  if (status === 0) return stdout;
  process.stderr.write(
    `${program} ${args.join(' ')}: ${error?.message ?? stderr.trim().split('\n').slice(-3).join(' ')}\n`,
  );
  return null;
}

/** The last line is the answer. */
function parse(text) {
  return text === null ? null : JSON.parse(text.trim().split('\n').at(-1));
}

function save() {
  const folder = process.env.OUT ?? import.meta.dirname;
  writeFileSync(path.join(folder, 'results.json'), JSON.stringify({ card, options, ...results }, null, 1));
}

function median(figures) {
  const sorted = figures.filter((figure) => !Number.isNaN(figure)).sort((a, b) => a - b);
  return sorted[sorted.length >> 1] ?? NaN;
}

function show(figure, digits = 0) {
  return Number.isFinite(figure) ? figure.toFixed(digits) : '–';
}

function say(line) {
  process.stdout.write(`${line}\n`);
}
