import {
  call,
  clear,
  copy,
  f32x4,
  i32,
  increase,
  loop,
  loopWhile,
  set,
  when,
  type Code,
  type FunctionSource,
  type Local,
  type Locals,
  type Operand,
} from './assembler.ts';

/*
 * The programs that threads run on tfjs's memory: each does one chunk of a job. Chunks write to different places and are cut by
 * shape alone, so that results depend neither on the number of threads nor on which of them took a chunk.
 * Tensors are float32, channels last; all sizes in the arguments count elements, all pointers are bytes.
 */

/** A program with the names of its arguments, in the order in which they lie in memory. */
export interface Program<Name extends string = string> {
  name: string;
  names: readonly Name[];
  build(argument: Record<Name, Local>, chunk: Local, thread: Local, locals: Locals): Code[];
}

/** The tile of results that a matrix product holds in registers: 6 × 8 floats are 12 of the processor's 16. */
export const tileRows = 6;
export const tileColumns = 8;

/** Rows of a convolution's result in one chunk: each panel of weights is fetched once for all of them. */
export const convolutionChunk = 16 * tileRows;

/** Pixels that the filter's gradient adds up before it leaves a tile; so many rows of two tensors stay in the nearest cache. */
export const gradientPixels = 128;

/** Elements of a chunk of an elementwise program. */
export const elementChunk = 16384;

/** Rows of the filter's gradient that one chunk adds up. */
export const sumChunk = 32;

const float = 4;

/** Of a tile's table: six pointers, and where the tap starts in a panel. */
const entryBytes = (tileRows + 1) * 4;

/**
 * Filter [taps, …] as panels of 8 columns: `[columns / 8, taps, depth, 8]`, zero beyond the last column. One panel a chunk.
 * `offsets` holds where each tap's matrix starts in the filter, in bytes.
 */
export const packPanels = program(
  'packPanels',
  ['filter', 'offsets', 'taps', 'depth', 'depthStride', 'columns', 'columnStride', 'panels'],
  ({ filter, offsets, taps, depth, depthStride, columns, columnStride, panels }, chunk, _thread, locals) => {
    const { tap, k, from, to, left } = locals.named('i32', 'tap', 'k', 'from', 'to', 'left');
    return [
      set(to, i32.add(panels, bytes(i32.mul(i32.mul(chunk, tileColumns), i32.mul(taps, depth))))),
      set(left, i32.sub(columns, i32.mul(chunk, tileColumns))),
      loop(tap, 0, taps, 1, [
        set(from, i32.load(i32.add(offsets, i32.mul(tap, 4)))),
        increase(from, i32.add(filter, bytes(i32.mul(i32.mul(chunk, tileColumns), columnStride)))),
        loop(k, 0, depth, 1, [
          ...range(tileColumns).map((column) =>
            when(
              i32.gtU(left, column),
              [f32x4.storeOne(to, f32x4.loadOne(i32.add(from, bytes(i32.mul(columnStride, column)))), column * float)],
              [f32x4.storeOne(to, f32x4.zero, column * float)],
            ),
          ),
          increase(to, tileColumns * float),
          increase(from, bytes(depthStride)),
        ]),
      ]),
    ];
  },
);

/** Copies images `[lines, lineBytes]` between borders of zeros: `[images, paddedHeight, paddedBytes]`. One image a chunk. */
export const addBorder = program(
  'addBorder',
  ['x', 'height', 'lineBytes', 'top', 'leftBytes', 'padded', 'paddedHeight', 'paddedBytes'],
  (a, chunk, _thread, locals) => {
    const { from, to, line, imageBytes } = locals.named('i32', 'from', 'to', 'line', 'imageBytes');
    return [
      set(imageBytes, i32.mul(a.paddedHeight, a.paddedBytes)),
      set(to, i32.add(a.padded, i32.mul(chunk, imageBytes))),
      clear(to, imageBytes),
      increase(to, i32.add(i32.mul(a.top, a.paddedBytes), a.leftBytes)),
      set(from, i32.add(a.x, i32.mul(chunk, i32.mul(a.height, a.lineBytes)))),
      loop(line, 0, a.height, 1, [
        copy(to, from, a.lineBytes),
        increase(from, a.lineBytes),
        increase(to, a.paddedBytes),
      ]),
    ];
  },
);

/**
 * A convolution over a grid of result pixels: y[grid · out step + out start] = Σ_tap x[grid · in step + tap] · panel[tap]. A tap
 * outside of x reads zeros. The forward convolution has one grid; the input's gradient one for every remainder of the stride.
 * `pixel` floats lie between two pixels of x and `channels` are read from each. Rows go through the images at one place before the
 * next place, so that all rows of a tile miss the same taps at the border, and small pictures are mostly border.
 */
export const convolve = program(
  'convolve',
  [
    'rows',
    'images',
    'gridWidth',
    'x',
    'height',
    'width',
    'pixel',
    'channels',
    'inStepHeight',
    'inStepWidth',
    'taps',
    'tapOffsets',
    'zeros',
    'panels',
    'y',
    'outHeight',
    'outWidth',
    'outChannels',
    'outStepHeight',
    'outStepWidth',
    'outTop',
    'outLeft',
    'scratch',
    'scratchBytes',
  ],
  (a, chunk, thread, locals) => {
    const { rows, taps } = a;
    const { first, last, counts, outs, tables, tiles, tile } = locals.named(
      'i32',
      'first',
      'last',
      'counts',
      'outs',
      'tables',
      'tiles',
      'tile',
    );
    const { row, position, image, h, w, table, entry, tap, tapOffset, met, column, panel, panelBytes } = locals.named(
      'i32',
      'row',
      'position',
      'image',
      'h',
      'w',
      'table',
      'entry',
      'tap',
      'tapOffset',
      'met',
      'column',
      'panel',
      'panelBytes',
    );
    const lanes = range(tileRows).map(() => locals.named('i32', 'top', 'left', 'base'));
    const tableBytes = i32.mul(taps, entryBytes);
    return [
      set(first, i32.mul(chunk, convolutionChunk)),
      set(last, i32.minU(rows, i32.add(first, convolutionChunk))),
      set(tiles, i32.divU(i32.add(i32.sub(last, first), tileRows - 1), tileRows)),
      // Of each tile: how many taps it meets, where its rows' results go, and a table of where they read.
      set(counts, i32.add(a.scratch, i32.mul(thread, a.scratchBytes))),
      set(outs, i32.add(counts, convolutionChunk * 4)),
      set(tables, i32.add(outs, convolutionChunk * 4)),
      loop(tile, 0, tiles, 1, [
        ...lanes.flatMap(({ top, left, base }, lane) => [
          // A tile that reaches beyond the last row computes that one again.
          set(row, i32.add(i32.add(first, lane), i32.mul(tile, tileRows))),
          set(row, i32.minU(row, i32.sub(last, 1))),
          set(position, i32.divU(row, a.images)),
          set(image, i32.remU(row, a.images)),
          set(top, i32.divU(position, a.gridWidth)),
          set(left, i32.remU(position, a.gridWidth)),
          set(h, i32.add(i32.mul(image, a.outHeight), i32.add(i32.mul(top, a.outStepHeight), a.outTop))),
          set(w, i32.add(i32.mul(left, a.outStepWidth), a.outLeft)),
          i32.store(
            i32.add(outs, i32.mul(tile, tileRows * 4)),
            i32.add(a.y, bytes(i32.mul(i32.add(i32.mul(h, a.outWidth), w), a.outChannels))),
            lane * 4,
          ),
          set(top, i32.mul(top, a.inStepHeight)),
          set(left, i32.mul(left, a.inStepWidth)),
          set(base, i32.mul(image, a.height)),
        ]),
        set(table, i32.add(tables, i32.mul(tile, tableBytes))),
        set(entry, table),
        set(tapOffset, a.tapOffsets),
        loop(tap, 0, taps, 1, [
          set(met, 0),
          ...lanes.flatMap(({ top, left, base }, lane) => [
            set(h, i32.add(top, i32.load(tapOffset))),
            set(w, i32.add(left, i32.load(tapOffset, 4))),
            set(image, i32.and(i32.ltU(h, a.height), i32.ltU(w, a.width))),
            set(met, i32.add(met, image)),
            i32.store(
              entry,
              i32.select(
                image,
                i32.add(a.x, bytes(i32.mul(i32.add(i32.mul(i32.add(base, h), a.width), w), a.pixel))),
                a.zeros,
              ),
              lane * 4,
            ),
          ]),
          // A tap that is outside of x for every row is left out.
          when(met, [
            i32.store(entry, bytes(i32.mul(tap, i32.mul(a.channels, tileColumns))), tileRows * 4),
            increase(entry, entryBytes),
          ]),
          increase(tapOffset, 8),
        ]),
        i32.store(i32.add(counts, i32.mul(tile, 4)), i32.divU(i32.sub(entry, table), entryBytes)),
      ]),
      set(panel, a.panels),
      set(panelBytes, bytes(i32.mul(i32.mul(taps, a.channels), tileColumns))),
      loop(column, 0, a.outChannels, tileColumns, [
        loop(tile, 0, tiles, 1, [
          call(
            indexOf(productTile),
            i32.add(tables, i32.mul(tile, tableBytes)),
            i32.load(i32.add(counts, i32.mul(tile, 4))),
            bytes(a.channels),
            panel,
            i32.add(outs, i32.mul(tile, tileRows * 4)),
            bytes(column),
            i32.sub(a.outChannels, column),
          ),
        ]),
        increase(panel, panelBytes),
      ]),
    ];
  },
);

/** Bytes of scratch memory that one thread needs for `convolve`. */
export function convolutionScratch(taps: number): number {
  return 2 * convolutionChunk * 4 + (convolutionChunk / tileRows) * taps * entryBytes;
}

/**
 * One part of a filter's gradient, [splits, taps, channels, outChannels] with channels and outChannels rounded up to tiles. A chunk
 * is one tap over one split of the rows of dy; the splits are added up by `sumSplits`.
 */
export const filterGradient = program(
  'filterGradient',
  [
    'x',
    'height',
    'width',
    'pixel',
    'channels',
    'stepHeight',
    'stepWidth',
    'dy',
    'outHeight',
    'outWidth',
    'outChannels',
    'taps',
    'tapOffsets',
    'lines',
    'linesPerSplit',
    'parts',
    'scratch',
    'scratchBytes',
  ],
  (a, chunk, thread, locals) => {
    const { tap, line, last, tileBytes, part, pairs, count, flush } = locals.named(
      'i32',
      'tap',
      'line',
      'last',
      'tileBytes',
      'part',
      'pairs',
      'count',
      'flush',
    );
    const { top, left, image, h, w, from, dyFrom, column } = locals.named(
      'i32',
      'top',
      'left',
      'image',
      'h',
      'w',
      'from',
      'dyFrom',
      'column',
    );
    const { row, outColumn, to } = locals.named('i32', 'row', 'outColumn', 'to');
    return [
      set(tap, i32.remU(chunk, a.taps)),
      set(line, i32.mul(i32.divU(chunk, a.taps), a.linesPerSplit)),
      set(last, i32.minU(a.lines, i32.add(line, a.linesPerSplit))),
      set(tileBytes, i32.mul(tilesOf(a.channels, tileRows), tilesOf(a.outChannels, tileColumns))),
      set(tileBytes, i32.mul(tileBytes, tileRows * tileColumns * float)),
      set(part, i32.add(a.parts, i32.mul(chunk, tileBytes))),
      clear(part, tileBytes),
      set(top, i32.load(i32.add(a.tapOffsets, i32.mul(tap, 8)))),
      set(left, i32.load(i32.add(a.tapOffsets, i32.mul(tap, 8)), 4)),
      set(pairs, i32.add(a.scratch, i32.mul(thread, a.scratchBytes))),
      set(count, 0),
      loopWhile(i32.ltU(line, last), [
        set(image, i32.divU(line, a.outHeight)),
        set(h, i32.add(i32.mul(i32.remU(line, a.outHeight), a.stepHeight), top)),
        when(i32.ltU(h, a.height), [
          set(from, i32.mul(i32.add(i32.mul(image, a.height), h), a.width)),
          set(dyFrom, i32.mul(line, a.outWidth)),
          set(w, left),
          loop(column, 0, a.outWidth, 1, [
            // Pixels outside of x would add nothing.
            when(i32.ltU(w, a.width), [
              set(to, i32.add(pairs, i32.mul(count, 8))),
              i32.store(to, i32.add(a.x, bytes(i32.mul(i32.add(from, w), a.pixel)))),
              i32.store(to, i32.add(a.dy, bytes(i32.mul(i32.add(dyFrom, column), a.outChannels))), 4),
              increase(count, 1),
            ]),
            increase(w, a.stepWidth),
          ]),
        ]),
        increase(line, 1),
        set(flush, i32.geU(count, gradientPixels)),
        when(i32.eq(line, last), [set(flush, i32.gtU(count, 0))]),
        when(flush, [
          set(to, part),
          loop(row, 0, a.channels, tileRows, [
            loop(outColumn, 0, a.outChannels, tileColumns, [
              call(indexOf(gradientTile), pairs, count, bytes(row), bytes(outColumn), to),
              increase(to, tileRows * tileColumns * float),
            ]),
          ]),
          set(count, 0),
        ]),
      ]),
    ];
  },
);

/** Bytes of scratch memory that one thread needs for `filterGradient`. */
export function gradientScratch(outWidth: number): number {
  return (gradientPixels + outWidth) * 8;
}

/** Adds up the splits of `filterGradient` and lays them out as a filter [taps · channels, outChannels]. */
export const sumSplits = program(
  'sumSplits',
  ['parts', 'splits', 'splitBytes', 'channels', 'outChannels', 'rows', 'filter'],
  (a, chunk, _thread, locals) => {
    const { row, last, tap, channel, from, column, split, part, to } = locals.named(
      'i32',
      'row',
      'last',
      'tap',
      'channel',
      'from',
      'column',
      'split',
      'part',
      'to',
    );
    const { low, high } = locals.named('v128', 'low', 'high');
    const columnTiles = locals.one('i32');
    const tileFloats = tileRows * tileColumns;
    return [
      set(row, i32.mul(chunk, sumChunk)),
      set(last, i32.minU(a.rows, i32.add(row, sumChunk))),
      set(columnTiles, tilesOf(a.outChannels, tileColumns)),
      set(to, i32.add(a.filter, bytes(i32.mul(row, a.outChannels)))),
      loopWhile(i32.ltU(row, last), [
        set(tap, i32.divU(row, a.channels)),
        set(channel, i32.remU(row, a.channels)),
        set(from, i32.add(i32.mul(tap, tilesOf(a.channels, tileRows)), i32.divU(channel, tileRows))),
        set(from, i32.mul(i32.mul(from, columnTiles), tileFloats)),
        increase(from, i32.mul(i32.remU(channel, tileRows), tileColumns)),
        set(from, i32.add(a.parts, bytes(from))),
        loop(column, 0, a.outChannels, tileColumns, [
          set(part, from),
          set(low, f32x4.zero),
          set(high, f32x4.zero),
          loop(split, 0, a.splits, 1, [
            set(low, f32x4.add(low, f32x4.load(part))),
            set(high, f32x4.add(high, f32x4.load(part, 16))),
            increase(part, a.splitBytes),
          ]),
          storeColumns(to, low, high, i32.sub(a.outChannels, column)),
          increase(to, i32.mul(i32.minU(i32.sub(a.outChannels, column), tileColumns), float)),
          increase(from, tileFloats * float),
        ]),
        increase(row, 1),
      ]),
    ];
  },
);

/**
 * Sum and squared distance from the mean of each column of x `[rows, channels]` over one chunk of rows: → `[chunks, 2, channels]`.
 * The chunk lies in the nearest cache when it is read again for the distances.
 */
export const columnMoments = program(
  'columnMoments',
  ['x', 'rows', 'rowsPerChunk', 'channels', 'parts'],
  (a, chunk, _thread, locals) => {
    const { from, count, end, to } = locals.named('i32', 'from', 'count', 'end', 'to');
    const share = locals.one('v128');
    return [
      ...chunkOfRows(a, chunk, count, from),
      set(end, bytes(i32.mul(count, a.channels))),
      set(to, i32.add(a.parts, bytes(i32.mul(i32.mul(chunk, a.channels), 2)))),
      set(share, f32x4.div(f32x4.from(1), f32x4.from(count))),
      forColumns(a.channels, locals, (offset, groups, load, store) => {
        const position = locals.one('i32');
        const stop = locals.one('i32');
        const sums = locals.many('v128', groups);
        const squares = locals.many('v128', groups);
        const distance = locals.one('v128');
        const start = i32.add(from, offset);
        return [
          ...[...sums, ...squares].map((local) => set(local, f32x4.zero)),
          set(stop, i32.add(start, end)),
          loop(position, start, stop, bytes(a.channels), [
            ...sums.map((sum, group) => set(sum, f32x4.add(sum, load(position, group * 16)))),
          ]),
          ...sums.map((sum, group) => store(i32.add(to, offset), sum, group * 16)),
          ...sums.map((sum) => set(sum, f32x4.mul(sum, share))),
          loop(position, start, stop, bytes(a.channels), [
            ...squares.flatMap((square, group) => [
              set(distance, f32x4.sub(load(position, group * 16), sums[group]!)),
              set(square, f32x4.madd(distance, distance, square)),
            ]),
          ]),
          ...squares.map((square, group) => store(i32.add(to, i32.add(offset, bytes(a.channels))), square, group * 16)),
        ];
      }),
    ];
  },
);

/** Σ dy and Σ dy · (x − mean) of each column over one chunk of rows: → `[chunks, 2, channels]`. */
export const columnProducts = program(
  'columnProducts',
  ['dy', 'x', 'mean', 'rows', 'rowsPerChunk', 'channels', 'parts'],
  (a, chunk, _thread, locals) => {
    const { from, count, end, to, toX } = locals.named('i32', 'from', 'count', 'end', 'to', 'toX');
    return [
      ...chunkOfRows(a, chunk, count, from),
      // From a place in x to the same in dy.
      set(toX, i32.sub(a.dy, a.x)),
      set(end, bytes(i32.mul(count, a.channels))),
      set(to, i32.add(a.parts, bytes(i32.mul(i32.mul(chunk, a.channels), 2)))),
      forColumns(a.channels, locals, (offset, groups, load, store) => {
        const position = locals.one('i32');
        const sums = locals.many('v128', groups);
        const products = locals.many('v128', groups);
        const means = locals.many('v128', groups);
        const gradient = locals.one('v128');
        const start = i32.add(from, offset);
        return [
          ...[...sums, ...products].map((local) => set(local, f32x4.zero)),
          ...means.map((mean, group) => set(mean, load(i32.add(a.mean, offset), group * 16))),
          loop(position, start, i32.add(i32.add(from, offset), end), bytes(a.channels), [
            ...sums.flatMap((sum, group) => [
              set(gradient, load(i32.add(position, toX), group * 16)),
              set(sum, f32x4.add(sum, gradient)),
              set(
                products[group]!,
                f32x4.madd(gradient, f32x4.sub(load(position, group * 16), means[group]!), products[group]!),
              ),
            ]),
          ]),
          ...sums.map((sum, group) => store(i32.add(to, offset), sum, group * 16)),
          ...products.map((product, group) =>
            store(i32.add(to, i32.add(offset, bytes(a.channels))), product, group * 16),
          ),
        ];
      }),
    ];
  },
);

/** y = x · scale + offset for each column of x `[rows, channels]`. */
export const scaleColumns = program(
  'scaleColumns',
  ['x', 'scale', 'offset', 'y', 'rows', 'rowsPerChunk', 'channels'],
  (a, chunk, _thread, locals) => {
    const { from, count, row, to } = locals.named('i32', 'from', 'count', 'row', 'to');
    return [
      ...chunkOfRows(a, chunk, count, from),
      set(to, i32.add(a.y, i32.sub(from, a.x))),
      loop(row, 0, count, 1, [
        forColumns(a.channels, locals, (offset, groups, load, store) =>
          range(groups).map((group) =>
            store(
              i32.add(to, offset),
              f32x4.madd(
                load(i32.add(from, offset), group * 16),
                load(i32.add(a.scale, offset), group * 16),
                load(i32.add(a.offset, offset), group * 16),
              ),
              group * 16,
            ),
          ),
        ),
        increase(from, bytes(a.channels)),
        increase(to, bytes(a.channels)),
      ]),
    ];
  },
);

/** dx = dy · scale + (x · slope + offset) for each column. */
export const combineColumns = program(
  'combineColumns',
  ['x', 'dy', 'scale', 'slope', 'offset', 'dx', 'rows', 'rowsPerChunk', 'channels'],
  (a, chunk, _thread, locals) => {
    const { from, count, row, fromDy, to } = locals.named('i32', 'from', 'count', 'row', 'fromDy', 'to');
    return [
      ...chunkOfRows(a, chunk, count, from),
      set(fromDy, i32.add(a.dy, i32.sub(from, a.x))),
      set(to, i32.add(a.dx, i32.sub(from, a.x))),
      loop(row, 0, count, 1, [
        forColumns(a.channels, locals, (offset, groups, load, store) =>
          range(groups).map((group) =>
            store(
              i32.add(to, offset),
              f32x4.madd(
                load(i32.add(fromDy, offset), group * 16),
                load(i32.add(a.scale, offset), group * 16),
                f32x4.madd(
                  load(i32.add(from, offset), group * 16),
                  load(i32.add(a.slope, offset), group * 16),
                  load(i32.add(a.offset, offset), group * 16),
                ),
              ),
              group * 16,
            ),
          ),
        ),
        increase(from, bytes(a.channels)),
        increase(fromDy, bytes(a.channels)),
        increase(to, bytes(a.channels)),
      ]),
    ];
  },
);

/** max(x, 0) */
export const rectify = elementwise('rectify', ['x'], ({ x }) => f32x4.pmax(x, f32x4.zero));

/** dy where y > 0, else 0. */
export const rectifyGradient = elementwise('rectifyGradient', ['dy', 'y'], ({ dy, y }) =>
  f32x4.and(dy, f32x4.gt(y, f32x4.zero)),
);

export const sum = elementwise('sum', ['a', 'b'], ({ a, b }) => f32x4.add(a, b));

/**
 * One tile of a matrix product, 6 × 8: for each entry of the table six rows of `depthBytes` against the tap's part of a panel
 * `[taps, depth, 8]`; to the pointers in `outs`, `outOffset` bytes further, as many columns as there are.
 */
const productTile: FunctionSource = {
  name: 'productTile',
  parameters: 7,
  build: (locals, table, entries, depthBytes, panel, outs, outOffset, columns) => {
    const pointers = locals.many('i32', tileRows);
    const { k, entry, weights, out, last } = locals.named('i32', 'k', 'entry', 'weights', 'out', 'last');
    const sums = range(tileRows).map(() => [locals.one('v128'), locals.one('v128')] as const);
    const { low, high, value } = locals.named('v128', 'low', 'high', 'value');
    const depthStep = (unrolled: number): Code[] => [
      set(low, f32x4.load(weights, unrolled * 32)),
      set(high, f32x4.load(weights, unrolled * 32 + 16)),
      ...pointers.flatMap((pointer, row) => [
        set(value, f32x4.loadSplat(i32.add(pointer, k), unrolled * 4)),
        set(sums[row]![0], f32x4.madd(value, low, sums[row]![0])),
        set(sums[row]![1], f32x4.madd(value, high, sums[row]![1])),
      ]),
    ];
    return [
      ...sums.flat().map((local) => set(local, f32x4.zero)),
      set(last, i32.and(depthBytes, -16)),
      loop(entry, 0, entries, 1, [
        ...pointers.map((pointer, row) => set(pointer, i32.load(table, row * 4))),
        set(weights, i32.add(panel, i32.load(table, tileRows * 4))),
        loop(k, 0, last, 16, [...range(4).flatMap(depthStep), increase(weights, 4 * 32)]),
        loopWhile(i32.ltU(k, depthBytes), [...depthStep(0), increase(weights, 32), increase(k, 4)]),
        increase(table, entryBytes),
      ]),
      ...sums.flatMap(([low, high], row) => [
        set(out, i32.add(i32.load(outs, row * 4), outOffset)),
        storeColumns(out, low, high, columns),
      ]),
    ];
  },
};

/**
 * Adds Σ x[row …] · dy[column …] over the pixels in a table of pointers `[pixels, 2]` to one tile `[6, 8]`. A tile that reaches
 * beyond the channels reads what lies behind, into places that nobody reads.
 */
const gradientTile: FunctionSource = {
  name: 'gradientTile',
  parameters: 5,
  build: (locals, pairs, count, rowBytes, columnBytes, tile) => {
    const { end, x, dy } = locals.named('i32', 'end', 'x', 'dy');
    const sums = range(tileRows).map(() => [locals.one('v128'), locals.one('v128')] as const);
    const { low, high, value } = locals.named('v128', 'low', 'high', 'value');
    return [
      ...sums.flatMap(([left, right], row) => [
        set(left, f32x4.load(tile, row * 32)),
        set(right, f32x4.load(tile, row * 32 + 16)),
      ]),
      set(end, i32.add(pairs, i32.mul(count, 8))),
      loopWhile(i32.ltU(pairs, end), [
        set(x, i32.add(i32.load(pairs), rowBytes)),
        set(dy, i32.add(i32.load(pairs, 4), columnBytes)),
        set(low, f32x4.load(dy)),
        set(high, f32x4.load(dy, 16)),
        ...sums.flatMap(([left, right], row) => [
          set(value, f32x4.loadSplat(x, row * 4)),
          set(left, f32x4.madd(value, low, left)),
          set(right, f32x4.madd(value, high, right)),
        ]),
        increase(pairs, 8),
      ]),
      ...sums.flatMap(([left, right], row) => [
        f32x4.store(tile, left, row * 32),
        f32x4.store(tile, right, row * 32 + 16),
      ]),
    ];
  },
};

/** Functions that programs call; they come first in the module. */
const parts: FunctionSource[] = [productTile, gradientTile];

const programs: Program[] = [
  packPanels,
  addBorder,
  convolve,
  filterGradient,
  sumSplits,
  columnMoments,
  columnProducts,
  scaleColumns,
  combineColumns,
  rectify,
  rectifyGradient,
  sum,
];

/** All functions of the module. A program's takes the address of its arguments, the chunk and the thread. */
export const functions: FunctionSource[] = [
  ...parts,
  ...programs.map(({ name, names, build }): FunctionSource => ({
    name,
    parameters: 3,
    build: (locals, address, chunk, thread) => {
      const values = names.map((argument, index) => ({ argument, local: locals.one('i32'), index }));
      return [
        ...values.map(({ local, index }) => set(local, i32.load(address, index * 4))),
        ...build(Object.fromEntries(values.map(({ argument, local }) => [argument, local])), chunk, thread, locals),
      ];
    },
  })),
];

function program<const Name extends string>(
  name: string,
  names: readonly Name[],
  build: Program<Name>['build'],
): Program<Name> {
  return { name, names, build };
}

/** y[i] = value(inputs[i]) for `count` elements. */
function elementwise<const Name extends string>(
  name: string,
  inputs: readonly Name[],
  value: (inputs: Record<Name, Code>) => Code,
): Program<Name | 'result' | 'count'> {
  return {
    name,
    names: [...inputs, 'result', 'count'],
    build: (argument, chunk, _thread, locals) => {
      const { position, last } = locals.named('i32', 'position', 'last');
      const at = (load: (address: Operand) => Code): Code =>
        value(
          Object.fromEntries(inputs.map((input) => [input, load(i32.add(argument[input], position))])) as Record<
            Name,
            Code
          >,
        );
      return [
        set(position, i32.mul(chunk, elementChunk)),
        set(last, bytes(i32.minU(argument.count, i32.add(position, elementChunk)))),
        set(position, bytes(position)),
        loopWhile(i32.ltU(i32.add(position, 12), last), [
          f32x4.store(
            i32.add(argument.result, position),
            at((address) => f32x4.load(address)),
          ),
          increase(position, 16),
        ]),
        loopWhile(i32.ltU(position, last), [
          f32x4.storeOne(
            i32.add(argument.result, position),
            at((address) => f32x4.loadOne(address)),
          ),
          increase(position, 4),
        ]),
      ];
    },
  };
}

/** Where a chunk of rows starts in x, and how many there are. */
function chunkOfRows(
  { x, rows, rowsPerChunk, channels }: Record<'x' | 'rows' | 'rowsPerChunk' | 'channels', Local>,
  chunk: Local,
  count: Local,
  from: Local,
): Code[] {
  return [
    set(from, i32.mul(chunk, rowsPerChunk)),
    set(count, i32.sub(i32.minU(rows, i32.add(from, rowsPerChunk)), from)),
    set(from, i32.add(x, bytes(i32.mul(from, channels)))),
  ];
}

type Load = (address: Operand, offset: number) => Code;
type Store = (address: Operand, value: Operand, offset: number) => Code;

/**
 * Goes over the columns in steps of 16, of 4 and of 1 float. The work is written once, for a number of groups of four, with the
 * instructions that load and store a group of four or one.
 */
function forColumns(
  channels: Local,
  locals: Locals,
  work: (offset: Local, groups: number, load: Load, store: Store) => Code[],
): Code {
  const { offset, end } = locals.named('i32', 'offset', 'end');
  const storeOne: Store = (address, value, at) => f32x4.storeOne(address, value, at);
  return [
    set(offset, 0),
    set(end, bytes(channels)),
    loopWhile(i32.ltU(i32.add(offset, 60), end), [...work(offset, 4, f32x4.load, f32x4.store), increase(offset, 64)]),
    loopWhile(i32.ltU(i32.add(offset, 12), end), [...work(offset, 1, f32x4.load, f32x4.store), increase(offset, 16)]),
    loopWhile(i32.ltU(offset, end), [...work(offset, 1, f32x4.loadOne, storeOne), increase(offset, 4)]),
  ].flat();
}

/** Stores two groups of four, or as many of their floats as there are columns. */
function storeColumns(to: Local, low: Local, high: Local, columns: Operand): Code {
  return when(
    i32.geU(columns, tileColumns),
    [f32x4.store(to, low), f32x4.store(to, high, 16)],
    range(tileColumns - 1).map((column) =>
      when(i32.gtU(columns, column), [f32x4.storeOne(to, column < 4 ? low : high, column * float, column % 4)]),
    ),
  );
}

function bytes(elements: Operand): Code {
  return i32.mul(elements, float);
}

/** Tiles that cover so many elements. */
function tilesOf(elements: Operand, size: number): Code {
  return i32.divU(i32.add(elements, size - 1), size);
}

function indexOf(part: FunctionSource): number {
  return parts.indexOf(part);
}

function range(count: number): number[] {
  return [...new Array(count).keys()];
}
