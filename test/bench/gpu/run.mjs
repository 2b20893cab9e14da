/*
 * The WebGPU engine on this machine's card, in single and half precision, with and without subgroups: parity with WebAssembly, images per second
 * beside PyTorch on the same card (alternating, medians), a profile of one step, and our convolutions beside tfjs's own. Prints Markdown; the
 * raw figures go to results.json.
 * usage: run.sh [--rounds N] [--steps N] [--python PYTHON] [--peak TFLOPS] [--networks 'compact 32 256, …'] [--variants 'f32, f16 8, …']
 *   [--torch-device cuda|cpu]
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
    /** See measure.ts; the first is the one that is compared with PyTorch and with the peak. */
    variants: { type: 'string', default: 'f32, f32 plain, f16 8, f16 8 plain, f16 4, f16 16' },
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
const variants = options.variants.split(', ');
const results = { choice: null, parity: null, speed: [], profile: [], kernels: [] };
const card = run('nvidia-smi', ['--query-gpu=name,driver_version', '--format=csv,noheader'])?.trim() ?? '';
say(`Card: ${card === '' ? 'unknown to nvidia-smi' : card}\n`);
const peak = Number(
  options.peak ?? peaks.find(([name]) => card.toLowerCase().replaceAll('-', ' ').includes(name))?.[1] ?? NaN,
);

// As an engine starts in the app, where it chooses by itself.
results.choice = parse(run(process.execPath, ['measure.js', 'choice']));
if (results.choice !== null) {
  const { device, precision, startSeconds, features } = results.choice;
  say(
    `Adapter: ${device}. It chose ${precision}, started in ${show(startSeconds, 2)} s, and has ${features.join(', ')}.\n`,
  );
}

results.parity = measure(variants, 'parity');
say('| Parity with WebAssembly | variant | largest difference | of |\n| --- | --- | --- | --- |');
for (const { network, width, resolution, variant, difference, tensor, passed } of results.parity ?? []) {
  say(
    `| ${network} ${width}, ${resolution} px | ${variant} | ${difference.toExponential(1)}${passed ? '' : ' **too large**'} | ${tensor} |`,
  );
}
save();

say('\n| Network | variant | images/s | beside the first | beside PyTorch fp32 | share of peak |');
say('| --- | --- | --- | --- | --- | --- |');
for (const text of options.networks.split(', ')) {
  const [network, resolution, batch] = text.split(' ');
  const width = process.env.WINNOW_BENCH_WIDTH ?? { compact: '24', resnet18: '64' }[network];
  const rounds = [];
  let gflop = NaN;
  for (let round = 0; round < Number(options.rounds); round++) {
    // Each round begins with another one, so that none is always measured on the coldest card.
    const turned = [...variants.slice(round % variants.length), ...variants.slice(0, round % variants.length)];
    const ours = measure(turned, 'speed', network, resolution, batch, options.steps);
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
  const speedsOf = (variant) => rounds.map(({ ours }) => median(ours?.imagesPerSecond[variant] ?? []));
  const torchSpeeds = (kind) => rounds.map((round) => median(round[kind]?.imagesPerSecond ?? []));
  const ratio = (speeds, others) => median(speeds.map((speed, i) => speed / others[i]));
  for (const variant of variants) {
    const speeds = speedsOf(variant);
    const share = (3 * gflop * median(speeds)) / 1000 / peak;
    say(
      `| ${network}, ${resolution} px, batch ${batch} | ${variant} | ${show(median(speeds))} | ${show(ratio(speeds, speedsOf(variants[0])), 2)} | ${show(ratio(speeds, torchSpeeds('fp32')), 2)} | ${show(100 * share, 1)} % |`,
    );
  }
  for (const kind of ['fp32', 'tf32']) say(`| | PyTorch ${kind} | ${show(median(torchSpeeds(kind)))} | | | |`);
}

for (const text of options.networks.split(', ')) {
  const [network, resolution, batch] = text.split(' ');
  for (const variant of variants) {
    const profile = measure([variant], 'profile', network, resolution, batch);
    if (profile === null) continue;
    results.profile.push({ network, resolution, batch, variant, ...profile });
    say(
      `\n${network}, ${resolution} px, batch ${batch}, ${variant}: ${profile.programs} programs in a step, ${show(profile.milliseconds, 2)} ms on the card\n`,
    );
    say('| Program | times | ms |\n| --- | --- | --- |');
    for (const [name, { count, milliseconds }] of Object.entries(profile.byName).slice(0, 20)) {
      say(`| ${name} | ${count} | ${show(milliseconds, 3)} |`);
    }
    save();
  }
  const kernels = measure(variants.filter(isOfKernels), 'kernels', network, resolution, batch);
  results.kernels.push({ network, resolution, batch, kernels });
  say('\n| Convolution | kernel | variant | ours, ms | tfjs, ms | GFLOP/s of ours | difference |');
  say('| --- | --- | --- | --- | --- | --- | --- |');
  for (const row of kernels ?? []) {
    say(
      `| ${row.shape} | ${row.kernel} | ${row.variant} | ${show(row.milliseconds, 3)} | ${show(row.tfjsMilliseconds, 3)} | ${show(row.gflops)} | ${row.difference.toExponential(1)} |`,
    );
  }
  save();
}
const failed = results.parity === null || results.parity.some(({ passed }) => !passed);
process.exitCode = failed ? 1 : 0;

/** Convolutions have no use for subgroups. */
function isOfKernels(variant) {
  return !variant.endsWith('plain');
}

function measure(ways, ...task) {
  return parse(
    run(process.execPath, ['measure.js', ...task], {
      WINNOW_GPU_PRECISION: 'f32',
      WINNOW_BENCH_VARIANTS: ways.join(', '),
    }),
  );
}

/** What a program writes; null, and its last words, where it fails. */
function run(program, args, environment = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, {
    encoding: 'utf8',
    cwd: import.meta.dirname,
    env: { ...process.env, ...environment },
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
