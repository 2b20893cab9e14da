import type * as tf from '@tensorflow/tfjs-core';
import { arithmeticOf } from './webgpu-arithmetic.ts';
import { componentsFor, declareBuffers, runProgram, typeOf, type WebgpuBackend } from './webgpu-program.ts';

/*
 * Batch normalisation in training and its gradient, three programs each: sums of every channel over parts of the rows, the parts added up,
 * and one pass over the picture. x is read as `[rows, channels]`, rows counting batch · height · width.
 *
 * Where there are subgroups, the threads of the first program add up over theirs by exchange and then once through shared memory, which
 * waits for the workgroup once in place of four to eight times. The second waits once as it is.
 */

/** @returns y, mean, unbiased variance, and 1/σ, which the gradient wants back together with the mean */
export function normaliseBatch(
  backend: WebgpuBackend,
  x: tf.TensorInfo,
  scale: tf.TensorInfo,
  offset: tf.TensorInfo,
  epsilon: number,
): [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo, tf.TensorInfo] {
  const { channels, components, type } = layoutOf(x);
  // Σ x² − (Σ x)²/n loses everything where the mean is large beside σ; distances from any one value of the channel do not.
  const sums = columnSums(backend, {
    name: 'batchNormSums',
    inputs: { x },
    terms: (i, c) => [`x[${i}] - x[${c}]`, `(x[${i}] - x[${c}]) * (x[${i}] - x[${c}])`],
    rowsOf: x,
  });
  const [mean, variance, inverseDeviation] = addSums(backend, {
    name: 'batchNormStatistics',
    key: `${epsilon}`,
    sums,
    inputs: { x },
    outputs: ['mean', 'variance', 'inverseDeviation'],
    channels,
    finish: `
  let count = f32(arrayLength(&x) / channels);
  let shift = first / count;
  let biased = max(second / count - shift * shift, ${type}());
  mean[c] = x[c] + shift;
  variance[c] = biased * (count / max(count - 1.0, 1.0));
  inverseDeviation[c] = inverseSqrt(biased + ${epsilon});`,
  }) as [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo];
  const y = mapRows(backend, {
    name: 'batchNorm',
    inputs: { x, mean, inverseDeviation, scale, offset },
    shape: x.shape,
    components,
    value: '(x[i] - mean[c]) * (inverseDeviation[c] * scale[c]) + offset[c]',
  });
  return [y, mean, variance, inverseDeviation];
}

/** dβ = Σ dy, dγ = Σ dy · x̂, dx = γ/σ · (dy − dβ/n − x̂ · dγ/n), x̂ being the normalised x. */
export function batchNormGradient(
  backend: WebgpuBackend,
  inputs: Record<'dy' | 'x' | 'scale' | 'mean' | 'inverseDeviation', tf.TensorInfo>,
): [tf.TensorInfo, tf.TensorInfo, tf.TensorInfo] {
  const { dy, x, scale, mean, inverseDeviation } = inputs;
  const { channels, components } = layoutOf(x);
  const sums = columnSums(backend, {
    name: 'batchNormGradientSums',
    inputs: { dy, x, mean },
    terms: (i, c) => [`dy[${i}]`, `dy[${i}] * (x[${i}] - mean[${c}])`],
    rowsOf: x,
  });
  const [dscale, doffset] = addSums(backend, {
    name: 'batchNormParameterGradients',
    key: '',
    sums,
    inputs: { inverseDeviation },
    outputs: ['dscale', 'doffset'],
    channels,
    finish: 'dscale[c] = second * inverseDeviation[c]; doffset[c] = first;',
  }) as [tf.TensorInfo, tf.TensorInfo];
  const dx = mapRows(backend, {
    name: 'batchNormGradient',
    inputs: { dy, x, mean, inverseDeviation, scale, dscale, doffset },
    shape: x.shape,
    components,
    value: `inverseDeviation[c] * scale[c] *
      (dy[i] - (doffset[c] + (x[i] - mean[c]) * inverseDeviation[c] * dscale[c]) / f32(arrayLength(&x) / channels))`,
  });
  return [dx, dscale, doffset];
}

/** Threads of a workgroup. */
const threads = 256;

interface Layout {
  channels: number;
  components: 1 | 4;
  type: string;
  /** Elements in a row. */
  width: number;
}

function layoutOf(x: tf.TensorInfo): Layout {
  const channels = x.shape.at(-1)!;
  const components = componentsFor(channels);
  return { channels, components, type: typeOf(components), width: channels / components };
}

interface ColumnSums {
  name: string;
  inputs: Record<string, tf.TensorInfo>;
  /** The two numbers of a row that are summed, from the place in the picture and the channel. */
  terms: (place: string, channel: string) => [string, string];
  rowsOf: tf.TensorInfo;
}

/** Two sums of every channel over parts of the rows, `[parts, 2, channels]`. Neighbouring threads read neighbouring channels. */
function columnSums(backend: WebgpuBackend, { name, inputs, terms, rowsOf }: ColumnSums): tf.TensorInfo {
  const { channels, components, type, width } = layoutOf(rowsOf);
  const rows = rowsOf.shape.reduce((product, side) => product * side, 1) / channels;
  const across = Math.min(16, 2 ** Math.ceil(Math.log2(width)));
  const down = threads / across;
  const groupsAcross = Math.ceil(width / across);
  // Enough workgroups to fill a card, each with a few rows for every thread.
  const parts = Math.max(1, Math.min(Math.ceil(512 / groupsAcross), Math.ceil(rows / (4 * down))));
  const [first, second] = terms('i', 'c');
  const { subgroups } = arithmeticOf(backend.device);
  const reduction = subgroups ? reduceInSubgroups(across) : reduceAsTree(across);
  const [sums] = runProgram(backend, {
    name,
    key: `${channels} ${subgroups ? 'subgroups' : ''}`,
    code: () => `
${reduction.enable}
${declareBuffers(
  [{ name: 'sums', components }],
  Object.keys(inputs).map((input) => ({ name: input, components })),
)}
const width = ${width}u;
var<workgroup> shared1: array<${type}, ${threads}>;
var<workgroup> shared2: array<${type}, ${threads}>;
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u${reduction.builtins}) {
  ${reduction.thread}
  let rows = arrayLength(&x) / width;
  let c = group.y * ${across}u + thread % ${across}u;
  let partRows = (rows + groups.x - 1u) / groups.x;
  let end = min(rows, (group.x + 1u) * partRows);
  var sum1 = ${type}();
  var sum2 = ${type}();
  if (c < width) {
    for (var row = group.x * partRows + thread / ${across}u; row < end; row += ${down}u) {
      let i = row * width + c;
      sum1 += ${first};
      sum2 += ${second};
    }
  }
  ${reduction.add}
  if (thread < ${across}u && c < width) {
    sums[group.x * 2u * width + c] = sum1;
    sums[(group.x * 2u + 1u) * width + c] = sum2;
  }
}`,
    inputs: Object.values(inputs),
    outputShapes: [[parts, 2, channels]],
    workgroups: [parts, groupsAcross],
  });
  return sums!;
}

/** Parts of a shader in which the threads of each column, those that agree modulo `across`, add up `sum1` and `sum2`. */
interface Reduction {
  enable: string;
  /** Further parameters of `main`. */
  builtins: string;
  /** Declares `thread`, the number of this one in its workgroup. */
  thread: string;
  /** Leaves the sums of a column in its first thread. */
  add: string;
}

function reduceAsTree(across: number): Reduction {
  return {
    enable: '',
    builtins: ', @builtin(local_invocation_index) thread: u32',
    thread: '',
    add: `
  shared1[thread] = sum1;
  shared2[thread] = sum2;
  workgroupBarrier();
  for (var half = ${threads / 2}u; half >= ${across}u; half /= 2u) {
    if (thread < half) {
      sum1 += shared1[thread + half];
      sum2 += shared2[thread + half];
      shared1[thread] = sum1;
      shared2[thread] = sum2;
    }
    workgroupBarrier();
  }`,
  };
}

/**
 * For subgroups of any size. Nothing promises that a subgroup has neighbouring threads, so they are numbered by their subgroups. Where these
 * are not whole, so that there is no such numbering, everything goes through shared memory.
 */
function reduceInSubgroups(across: number): Reduction {
  return {
    enable: 'enable subgroups;\nrequires subgroup_id;',
    builtins: `,
  @builtin(local_invocation_index) index: u32, @builtin(subgroup_id) subgroup: u32, @builtin(num_subgroups) subgroups: u32,
  @builtin(subgroup_invocation_id) lane: u32, @builtin(subgroup_size) lanes: u32`,
    thread: `
  let isWhole = subgroups * lanes == ${threads}u;
  let thread = select(index, subgroup * lanes + lane, isWhole);`,
    add: `
  // Of so many threads the first few have the sums, one for each column.
  let joined = select(${across}u, max(lanes, ${across}u), isWhole);
  for (var distance = ${across}u; distance < joined; distance *= 2u) {
    sum1 += subgroupShuffleXor(sum1, distance);
    sum2 += subgroupShuffleXor(sum2, distance);
  }
  if (thread % joined < ${across}u) {
    let place = thread / joined * ${across}u + thread % ${across}u;
    shared1[place] = sum1;
    shared2[place] = sum2;
  }
  workgroupBarrier();
  if (thread < ${across}u) {
    for (var i = thread + ${across}u; i < ${threads}u / joined * ${across}u; i += ${across}u) {
      sum1 += shared1[i];
      sum2 += shared2[i];
    }
  }`,
  };
}

interface AddedSums {
  name: string;
  key: string;
  /** `[parts, 2, channels]`, let go of here. */
  sums: tf.TensorInfo;
  inputs: Record<string, tf.TensorInfo>;
  /** Names of the outputs, `[channels]` each. */
  outputs: string[];
  channels: number;
  /** WGSL that writes the outputs at `c` from the totals `first` and `second`. */
  finish: string;
}

/** The parts of `columnSums` added up: a workgroup for 8 channels (or vectors of 4), 8 threads to each. */
function addSums(
  backend: WebgpuBackend,
  { name, key, sums, inputs, outputs, channels, finish }: AddedSums,
): tf.TensorInfo[] {
  const components = componentsFor(channels);
  const type = typeOf(components);
  const width = channels / components;
  const declare = (buffer: string): { name: string; components: 1 | 4 } => ({ name: buffer, components });
  const results = runProgram(backend, {
    name,
    key: `${channels} ${key}`,
    code: () => `
${declareBuffers(outputs.map(declare), ['sums', ...Object.keys(inputs)].map(declare))}
const channels = ${width}u;
var<workgroup> shared1: array<${type}, 64>;
var<workgroup> shared2: array<${type}, 64>;
@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) thread: u32) {
  let c = group.x * 8u + thread % 8u;
  var first = ${type}();
  var second = ${type}();
  if (c < channels) {
    for (var i = thread / 8u * 2u * channels + c; i < arrayLength(&sums); i += 16u * channels) {
      first += sums[i];
      second += sums[i + channels];
    }
  }
  shared1[thread] = first;
  shared2[thread] = second;
  workgroupBarrier();
  if (thread >= 8u || c >= channels) { return; }
  for (var i = 1u; i < 8u; i++) {
    first += shared1[thread + 8u * i];
    second += shared2[thread + 8u * i];
  }
  ${finish}
}`,
    inputs: [sums, ...Object.values(inputs)],
    outputShapes: outputs.map(() => [channels]),
    workgroups: [Math.ceil(width / 8)],
  });
  backend.disposeData(sums.dataId);
  return results;
}

interface RowMap {
  name: string;
  inputs: Record<string, tf.TensorInfo>;
  shape: number[];
  components: 1 | 4;
  /** WGSL of the value at place `i`, channel `c`. */
  value: string;
}

function mapRows(backend: WebgpuBackend, { name, inputs, shape, components, value }: RowMap): tf.TensorInfo {
  const channels = shape.at(-1)!;
  const count = shape.reduce((product, side) => product * side, 1) / components;
  const [result] = runProgram(backend, {
    name,
    key: `${channels}`,
    code: () => `
${declareBuffers(
  [{ name: 'result', components }],
  Object.keys(inputs).map((input) => ({ name: input, components })),
)}
const channels = ${channels / components}u;
@compute @workgroup_size(${threads})
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  for (var i = id.x; i < arrayLength(&result); i += groups.x * ${threads}u) {
    let c = i % channels;
    result[i] = ${value};
  }
}`,
    inputs: Object.values(inputs),
    outputShapes: [shape],
    workgroups: [Math.min(65_535, Math.ceil(count / threads))],
  });
  return result!;
}
