import type * as tf from '@tensorflow/tfjs-core';
import {
  componentsFor,
  declareBuffers,
  runProgram,
  typeOf,
  type BufferDeclaration,
  type WebgpuBackend,
} from './webgpu-program.ts';

/*
 * One generator of matrix products C = A · B, C `[rows, columns]`, summed over a depth, for matrices that are never written down: what
 * A and B hold at a place is a few lines of WGSL that read a picture, a filter or a gradient (implicit GEMM).
 *
 * A workgroup of 8 × 8 threads makes a tile of C. It walks along the depth in slices of 16, which it brings into shared memory as
 * vectors along the tile's edge, so that a thread reads 4 to 16 floats for 16 to 64 multiplications. Where C has too few tiles to fill a
 * card, the depth is split among workgroups too, and a second program adds their parts, since WGSL has no atomic floats.
 */

/** How one of the two matrices is read. */
export interface MatrixSource {
  /**
   * Body of `fn (outer: u32, depth: u32) -> f32`, or `vec4f` of four neighbours; outer is the row of A or the column of B. It is asked
   * only for places that exist.
   */
  element: string;
  components: 1 | 4;
  /** Whether the neighbours of a vector follow each other along the depth; else along the outer side. */
  alongDepth: boolean;
}

export interface MatrixProduct {
  name: string;
  /** What the texts below depend on. */
  key: string;
  inputs: { tensor: tf.TensorInfo; declaration: BufferDeclaration }[];
  outputShape: number[];
  /** Constants of the shader, and its private variables. */
  declarations: string;
  /** WGSL that declares `rowCount` and `depthCount` of the phase that it finds in `phaseHere`. */
  setup: string;
  a: MatrixSource;
  b: MatrixSource;
  columns: number;
  /** Body of `fn (row: u32) -> u32`: where in the output, in floats, a row of C begins. */
  rowStart: string;
  /** Upper bounds, from which the grid is made. */
  largestRows: number;
  largestDepth: number;
  /** Independent products that fill the output together; the shader knows its own as `phaseHere`. */
  phases: number;
}

export function runMatrixProduct(backend: WebgpuBackend, product: MatrixProduct): tf.TensorInfo {
  const tile = chooseTile(product);
  const grid = chooseGrid(product, tile);
  const [parts] = runProgram(backend, {
    name: product.name,
    key: `${product.key} ${tile.rows}x${tile.columns}`,
    code: () => matrixProductCode(product, tile),
    inputs: product.inputs.map(({ tensor }) => tensor),
    outputShapes: [grid.parts === 1 ? product.outputShape : [grid.parts, ...product.outputShape]],
    workgroups: grid.workgroups,
  });
  if (grid.parts === 1) return parts!;
  const sum = addParts(backend, parts!, product.outputShape);
  backend.disposeData(parts!.dataId);
  return sum;
}

interface Tile {
  rows: 32 | 64;
  columns: 32 | 64;
}

/** Depth that is brought into shared memory at once. */
const slice = 16;

/** A small tile where a large one would mostly hang over the edge of C. */
function chooseTile({ largestRows, columns }: MatrixProduct): Tile {
  const choose = (length: number): 32 | 64 =>
    Math.ceil(length / 64) * 64 > 1.15 * Math.ceil(length / 32) * 32 ? 32 : 64;
  return { rows: choose(largestRows), columns: choose(columns) };
}

/** Enough workgroups of two warps for a card with a hundred processors to have several at once. */
const wantedWorkgroups = 512;
/** A part must be worth its share of the second program. */
const smallestPart = 8 * slice;
const mostParts = 256;

function chooseGrid(
  { largestRows, largestDepth, columns, phases }: MatrixProduct,
  tile: Tile,
): { parts: number; workgroups: [number, number, number] } {
  const rowTiles = Math.ceil(largestRows / tile.rows);
  const columnTiles = Math.ceil(columns / tile.columns);
  const wanted = Math.ceil(wantedWorkgroups / (rowTiles * columnTiles * phases));
  const parts = Math.max(1, Math.min(wanted, Math.floor(largestDepth / smallestPart), mostParts));
  // A dimension of the grid ends at 65,535; large batches of large pictures have more tiles than that.
  const width = Math.min(rowTiles, 32_768);
  return { parts, workgroups: [width, Math.ceil(rowTiles / width), columnTiles * parts * phases] };
}

function matrixProductCode(product: MatrixProduct, tile: Tile): string {
  const { inputs, declarations, setup, a, b, columns, rowStart, phases, outputShape } = product;
  const outputComponents = componentsFor(columns);
  const [rowVectors, columnVectors] = [tile.rows / 4, tile.columns / 4];
  // A thread's rows and columns lie 8 vectors apart, so that neighbours read neighbouring vectors of shared memory.
  const rowBlocks = range(tile.rows / 32);
  const columnBlocks = range(tile.columns / 32);
  const sums = rowBlocks.flatMap((block) => range(4).map((i) => ({ row: block, i })));
  return `
${declareBuffers(
  [{ name: 'result', components: outputComponents }],
  inputs.map(({ declaration }) => declaration),
)}
${declarations}
const columns = ${columns}u;
const columnTiles = ${Math.ceil(columns / tile.columns)}u;
const phases = ${phases}u;
const resultSize = ${outputShape.reduce((product, side) => product * side, 1)}u;
/* What all threads of a workgroup share, again as private variables for the functions; main must not read them before a barrier. */
var<private> rows: u32;
var<private> depthEnd: u32;
/* [${slice}, tile / 4] */
var<workgroup> sliceOfA: array<vec4f, ${slice * rowVectors}>;
var<workgroup> sliceOfB: array<vec4f, ${slice * columnVectors}>;

${readerCode('A', a, 'rows')}
${readerCode('B', b, 'columns')}
fn rowStart(row: u32) -> u32 {
  ${rowStart}
}
${storeCode(outputComponents)}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let columnTile = group.z % columnTiles;
  let part = group.z / columnTiles / phases;
  let parts = groups.z / columnTiles / phases;
  let phaseHere = group.z / columnTiles % phases;
  ${setup}
  rows = rowCount;
  let firstRow = (group.y * groups.x + group.x) * ${tile.rows}u;
  let firstColumn = columnTile * ${tile.columns}u;
  let partDepth = (depthCount + parts * ${slice}u - 1u) / (parts * ${slice}u) * ${slice}u;
  let begin = part * partDepth;
  let end = min(depthCount, begin + partDepth);
  depthEnd = end;
  let threadRow = thread / 8u;
  let threadColumn = thread % 8u;
  ${sums.map(({ row, i }) => columnBlocks.map((c) => `var sum${row}${i}${c} = vec4f();`).join(' ')).join('\n  ')}
  for (var start = begin; start < end; start += ${slice}u) {
    ${loadCode('A', a, rowVectors, 'firstRow')}
    ${loadCode('B', b, columnVectors, 'firstColumn')}
    workgroupBarrier();
    for (var k = 0u; k < ${slice}u; k++) {
      ${rowBlocks.map((r) => `let a${r} = sliceOfA[k * ${rowVectors}u + ${8 * r}u + threadRow];`).join(' ')}
      ${columnBlocks.map((c) => `let b${c} = sliceOfB[k * ${columnVectors}u + ${8 * c}u + threadColumn];`).join(' ')}
      ${sums.map(({ row, i }) => columnBlocks.map((c) => `sum${row}${i}${c} += a${row}[${i}] * b${c};`).join(' ')).join('\n      ')}
    }
    workgroupBarrier();
  }
  ${sums
    .map(({ row, i }) => {
      const rowOf = `firstRow + (${8 * row}u + threadRow) * 4u + ${i}u`;
      return columnBlocks
        .map((c) => `store(part, ${rowOf}, firstColumn + (${8 * c}u + threadColumn) * 4u, sum${row}${i}${c});`)
        .join(' ');
    })
    .join('\n  ')}
}`;
}

/** `read(outer, depth)`: four neighbours of a matrix, zero where it has none. */
function readerCode(matrix: string, { element, components, alongDepth }: MatrixSource, outerEnd: string): string {
  const elementCode = `
fn element${matrix}(outer: u32, depth: u32) -> ${typeOf(components)} {
  ${element}
}`;
  if (components === 4) {
    return `${elementCode}
fn read${matrix}(outer: u32, depth: u32) -> vec4f {
  if (outer >= ${outerEnd} || depth >= depthEnd) { return vec4f(); }
  return element${matrix}(outer, depth);
}`;
  }
  const place = (i: number): string => (alongDepth ? `outer, depth + ${i}u` : `outer + ${i}u, depth`);
  return `${elementCode}
fn readOne${matrix}(outer: u32, depth: u32) -> f32 {
  if (outer >= ${outerEnd} || depth >= depthEnd) { return 0.0; }
  return element${matrix}(outer, depth);
}
fn read${matrix}(outer: u32, depth: u32) -> vec4f {
  return vec4f(${range(4)
    .map((i) => `readOne${matrix}(${place(i)})`)
    .join(', ')});
}`;
}

/** A thread brings a block of 4 × 4 into shared memory, turned where memory runs along the depth; neighbours read neighbouring memory. */
function loadCode(matrix: string, { alongDepth, components }: MatrixSource, vectors: number, first: string): string {
  const [vector, block] = alongDepth
    ? [`thread / ${slice / 4}u`, `thread % ${slice / 4}u`]
    : [`thread % ${vectors}u`, `thread / ${vectors}u`];
  const read = (i: string): string => `read${matrix}(${alongDepth ? `outer + ${i}, deep` : `outer, deep + ${i}`})`;
  const square =
    components === 4
      ? `let square = mat4x4f(${range(4)
          .map((i) => read(`${i}u`))
          .join(', ')});`
      : // One float at a time is much code for each, which drivers take long to compile sixteen times.
        `var square = mat4x4f();
      for (var i = 0u; i < 4u; i++) { square[i] = ${read('i')}; }`;
  return `if (thread < ${(vectors * slice) / 4}u) {
      let vector = ${vector};
      let block = ${block};
      let outer = ${first} + vector * 4u;
      let deep = start + block * 4u;
      ${square}
      let turned = ${alongDepth ? 'transpose(square)' : 'square'};
      ${range(4)
        .map((i) => `sliceOf${matrix}[(block * 4u + ${i}u) * ${vectors}u + vector] = turned[${i}];`)
        .join(' ')}
    }`;
}

function storeCode(components: 1 | 4): string {
  const one = (i: number): string => `if (column + ${i}u < columns) { result[start + ${i}u] = values[${i}]; }`;
  return `fn store(part: u32, row: u32, column: u32, values: vec4f) {
  if (row >= rows || column >= columns) { return; }
  let start = part * resultSize + rowStart(row) + column;
  ${components === 4 ? 'result[start / 4u] = values;' : range(4).map(one).join(' ')}
}`;
}

/** `[parts, …shape]` → `shape`. A workgroup adds 32 neighbouring numbers, 8 threads to each. */
function addParts(backend: WebgpuBackend, parts: tf.TensorInfo, shape: number[]): tf.TensorInfo {
  const size = shape.reduce((product, side) => product * side, 1);
  const components = componentsFor(size);
  const count = size / components;
  const type = typeOf(components);
  const groups = Math.ceil(count / 32);
  const width = Math.min(groups, 32_768);
  const [sum] = runProgram(backend, {
    name: 'addParts',
    key: `${size}`,
    code: () => `
${declareBuffers([{ name: 'result', components }], [{ name: 'parts', components }])}
const size = ${count}u;
var<workgroup> sums: array<${type}, 256>;
@compute @workgroup_size(256)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u, @builtin(local_invocation_index) thread: u32) {
  let place = (group.y * groups.x + group.x) * 32u + thread % 32u;
  var sum = ${type}();
  if (place < size) {
    for (var i = place + thread / 32u * size; i < arrayLength(&parts); i += 8u * size) { sum += parts[i]; }
  }
  sums[thread] = sum;
  workgroupBarrier();
  if (thread < 32u && place < size) {
    for (var i = 1u; i < 8u; i++) { sum += sums[thread + 32u * i]; }
    result[place] = sum;
  }
}`,
    inputs: [parts],
    outputShapes: [shape],
    workgroups: [width, Math.ceil(groups / width)],
  });
  return sum!;
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}
