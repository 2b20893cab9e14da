import type * as tf from '@tensorflow/tfjs-core';
import { arithmeticOf, type Arithmetic } from './webgpu-arithmetic.ts';
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
 *
 * In half precision (ADR 20) a slice is rounded to f16 as it is brought into shared memory, after multiplication by a power of two. A few
 * products are added up in f16, their sums in f32. That cannot overflow while no factor is larger than `largestFactor`; a workgroup that
 * meets a larger one multiplies in f32 from there on.
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
  /** A power of two, by which usual numbers come to lie amid the range of f16. */
  halfScale: number;
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
  const arithmetic = arithmeticOf(backend.device);
  const { precision, halfSums } = arithmetic;
  const [parts] = runProgram(backend, {
    name: product.name,
    key: `${product.key} ${tile.rows}x${tile.columns} ${precision === 'f32' ? '' : `f16 ${halfSums}`}`,
    code: () => matrixProductCode(product, tile, arithmetic),
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

/** Of a factor in half precision, scaled: 16 products of two, and what rounding adds to them, stay below the largest half, 65,504. */
const largestFactor = 63;
const largestHalf = 65_504;

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

function matrixProductCode(product: MatrixProduct, tile: Tile, arithmetic: Arithmetic): string {
  const { inputs, declarations, setup, a, b, columns, rowStart, phases } = product;
  const isHalf = arithmetic.precision === 'f16';
  const sliceType = isHalf ? 'vec4h' : 'vec4f';
  const outputComponents = componentsFor(columns);
  const [rowVectors, columnVectors] = [tile.rows / 4, tile.columns / 4];
  const forEachSum = eachSumOf(tile);
  return `
${isHalf ? 'enable f16;' : ''}
${declareBuffers(
  [{ name: 'result', components: outputComponents }],
  inputs.map(({ declaration }) => declaration),
)}
${declarations}
const columns = ${columns}u;
const columnTiles = ${Math.ceil(columns / tile.columns)}u;
const phases = ${phases}u;
/* What all threads of a workgroup share, again as private variables for the functions; main must not read them before a barrier. */
var<private> rows: u32;
var<private> depthEnd: u32;
/* [${slice}, tile / 4] */
var<workgroup> sliceOfA: array<${sliceType}, ${slice * rowVectors}>;
var<workgroup> sliceOfB: array<${sliceType}, ${slice * columnVectors}>;
${isHalf ? halfDeclarations : ''}
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
  // The batch is no constant, so neither is the size of a part.
  let partStart = part * (arrayLength(&result) * ${outputComponents}u / parts);
  let threadRow = thread / 8u;
  let threadColumn = thread % 8u;
  ${forEachSum((row, i, column) => `var sum${row}${i}${column} = vec4f();`)}
  for (var start = begin; start < end; start += ${slice}u) {
    ${loadCode('A', a, rowVectors, 'firstRow', isHalf)}
    ${loadCode('B', b, columnVectors, 'firstColumn', isHalf)}
    workgroupBarrier();
    ${isHalf ? multiplyInHalf(tile, arithmetic.halfSums) : multiplyInSingle(tile)}
    workgroupBarrier();
  }
  ${isHalf ? forEachSum((row, i, column) => `sum${row}${i}${column} *= ${1 / (a.halfScale * b.halfScale)};`) : ''}
  ${forEachSum(
    (row, i, column) =>
      `store(partStart, firstRow + (${8 * row}u + threadRow) * 4u + ${i}u, firstColumn + (${8 * column}u + threadColumn) * 4u, sum${row}${i}${column});`,
  )}
}`;
}

/** Writes something for each of a thread's sums, which are vectors along a row: row `i` of a block of four rows, `column` a block too. */
function eachSumOf({ rows, columns }: Tile): (code: (row: number, i: number, column: number) => string) => string {
  return (code) =>
    range(rows / 32)
      .flatMap((row) => range(4).map((i) => range(columns / 32).map((column) => code(row, i, column))))
      .map((line) => line.join(' '))
      .join('\n      ');
}

/** Declares what a thread multiplies at depth `k` of the slice. */
function factorsCode({ rows, columns }: Tile, type: 'vec4f' | 'vec4h'): string {
  // A thread's rows and columns lie 8 vectors apart, so that neighbours read neighbouring vectors of shared memory.
  const factor = (name: string, slice: string, vectors: number, place: string): string =>
    `let ${name} = ${type}(${slice}[k * ${vectors}u + ${place}]);`;
  return [
    ...range(rows / 32).map((r) => factor(`a${r}`, 'sliceOfA', rows / 4, `${8 * r}u + threadRow`)),
    ...range(columns / 32).map((c) => factor(`b${c}`, 'sliceOfB', columns / 4, `${8 * c}u + threadColumn`)),
  ].join(' ');
}

function multiplyInSingle(tile: Tile): string {
  return `for (var k = 0u; k < ${slice}u; k++) {
      ${factorsCode(tile, 'vec4f')}
      ${eachSumOf(tile)((row, i, column) => `sum${row}${i}${column} += a${row}[${i}] * b${column};`)}
    }`;
}

function multiplyInHalf(tile: Tile, halfSums: number): string {
  const forEachSum = eachSumOf(tile);
  return `if (atomicLoad(&isWide) == 0u) {
      for (var few = 0u; few < ${slice}u; few += ${halfSums}u) {
      ${forEachSum((row, i, column) => `var half${row}${i}${column} = vec4h();`)}
      for (var k = few; k < few + ${halfSums}u; k++) {
      ${factorsCode(tile, 'vec4h')}
      ${forEachSum((row, i, column) => `half${row}${i}${column} += a${row}[${i}] * b${column};`)}
      }
      ${forEachSum((row, i, column) => `sum${row}${i}${column} += vec4f(half${row}${i}${column});`)}
      }
    } else {
      ${multiplyInSingle(tile)}
    }`;
}

const halfDeclarations = `
/* Whether the workgroup has met a factor that is too large for sums in half precision. */
var<workgroup> isWide: atomic<u32>;
fn withinHalf(values: vec4f) -> vec4f {
  // Unlike clamp, this leaves what is no number as it is.
  return select(values, sign(values) * ${largestHalf}.0, abs(values) > vec4f(${largestHalf}.0));
}`;

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
function loadCode(
  matrix: string,
  { alongDepth, components, halfScale }: MatrixSource,
  vectors: number,
  first: string,
  isHalf: boolean,
): string {
  const [vector, block] = alongDepth
    ? [`thread / ${slice / 4}u`, `thread % ${slice / 4}u`]
    : [`thread % ${vectors}u`, `thread / ${vectors}u`];
  const read = (i: string): string => `read${matrix}(${alongDepth ? `outer + ${i}, deep` : `outer, deep + ${i}`})`;
  const square =
    components === 4
      ? `var square = mat4x4f(${range(4)
          .map((i) => read(`${i}u`))
          .join(', ')});`
      : // One float at a time is much code for each, which drivers take long to compile sixteen times.
        `var square = mat4x4f();
      for (var i = 0u; i < 4u; i++) { square[i] = ${read('i')}; }`;
  const round = `square *= ${halfScale}.0;
      let largest = max(max(abs(square[0]), abs(square[1])), max(abs(square[2]), abs(square[3])));
      if (any(largest > vec4f(${largestFactor}.0))) {
        atomicStore(&isWide, 1u);
        for (var i = 0u; i < 4u; i++) { square[i] = withinHalf(square[i]); }
      }`;
  const [rounded, type] = isHalf ? [round, 'vec4h'] : ['', 'vec4f'];
  return `if (thread < ${(vectors * slice) / 4}u) {
      let vector = ${vector};
      let block = ${block};
      let outer = ${first} + vector * 4u;
      let deep = start + block * 4u;
      ${square}
      ${rounded}
      let turned = ${alongDepth ? 'transpose(square)' : 'square'};
      ${range(4)
        .map((i) => `sliceOf${matrix}[(block * 4u + ${i}u) * ${vectors}u + vector] = ${type}(turned[${i}]);`)
        .join(' ')}
    }`;
}

function storeCode(components: 1 | 4): string {
  const one = (i: number): string => `if (column + ${i}u < columns) { result[start + ${i}u] = values[${i}]; }`;
  return `fn store(partStart: u32, row: u32, column: u32, values: vec4f) {
  if (row >= rows || column >= columns) { return; }
  let start = partStart + rowStart(row) + column;
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
