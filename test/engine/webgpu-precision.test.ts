import { afterEach, describe, expect, it } from 'vitest';
import type { Precision } from '../../src-main/engine/precision.ts';
import { choosePrecision, wantedPrecision, type PrecisionQuestion } from '../../src-main/engine/webgpu-precision.ts';

/* When matrix products are multiplied in half precision; no GPU takes part. */

describe('half precision', () => {
  it('is used where it is clearly faster, and only there', async () => {
    expect(await choose({ time: timesOf({ f32: [10], f16: [8] }) })).toBe('f16');
    expect(await choose({ time: timesOf({ f32: [10], f16: [9] }) })).toBe('f32');
    expect(await choose({ time: timesOf({ f32: [10], f16: [20] }) })).toBe('f32');
  });

  it('is judged by the median of rounds, so that no single one decides', async () => {
    expect(await choose({ time: timesOf({ f32: [10, 90, 10, 10, 10], f16: [10] }) })).toBe('f32');
    expect(await choose({ time: timesOf({ f32: [10], f16: [5, 90, 5, 5, 5] }) })).toBe('f16');
  });

  it('is not judged by the first runs, which compile', async () => {
    expect(await choose({ time: timesOf({ f32: [10], f16: [5] }, { f32: 100, f16: 9000 }) })).toBe('f16');
  });

  it('is measured in turns, five times, and three times on a slow card', async () => {
    const quick: Precision[] = [];
    await choose({ time: timesOf({ f32: [10], f16: [8] }, {}, quick) });
    expect(quick.slice(2)).toEqual(Array.from({ length: 5 }, () => ['f32', 'f16']).flat());
    const slow: Precision[] = [];
    await choose({ time: timesOf({ f32: [100], f16: [80] }, {}, slow) });
    expect(slow.slice(2)).toEqual(Array.from({ length: 3 }, () => ['f32', 'f16']).flat());
  });

  it('is not used where the driver refuses it or computes something else', async () => {
    const asked: Precision[] = [];
    expect(await choose({ time: timesOf({ f32: [10], f16: [Infinity] }, {}, asked) })).toBe('f32');
    expect(asked).toEqual(['f32', 'f16']);
  });

  it('is not measured where nothing depends on it', async () => {
    const time = (): Promise<number> => Promise.reject(new Error('measured'));
    expect(await choose({ time, hasHalf: false })).toBe('f32');
    expect(await choose({ time, isSoftware: true })).toBe('f32');
    expect(await choose({ time, wanted: 'f32' })).toBe('f32');
    expect(await choose({ time, wanted: 'f16', isSoftware: true })).toBe('f16');
  });

  it('stays as it was in a run that goes on, unless something else is asked for or there is none', async () => {
    const time = (): Promise<number> => Promise.reject(new Error('measured'));
    expect(await choose({ time, earlier: 'f16' })).toBe('f16');
    expect(await choose({ time, earlier: 'f32' })).toBe('f32');
    expect(await choose({ time, earlier: 'f16', wanted: 'f32' })).toBe('f32');
    expect(await choose({ time, earlier: 'f16', hasHalf: false })).toBe('f32');
  });

  it('is refused in words where it is asked for and there is none', async () => {
    await expect(choose({ wanted: 'f16', hasHalf: false })).rejects.toThrow('WINNOW_GPU_PRECISION=f16');
  });
});

describe('WINNOW_GPU_PRECISION', () => {
  const before = process.env['WINNOW_GPU_PRECISION'];
  afterEach(() => {
    if (before === undefined) delete process.env['WINNOW_GPU_PRECISION'];
    else process.env['WINNOW_GPU_PRECISION'] = before;
  });

  it('is auto, f32 or f16, and auto where it is not set', () => {
    delete process.env['WINNOW_GPU_PRECISION'];
    expect(wantedPrecision()).toBe('auto');
    for (const word of ['auto', 'f32', 'f16']) {
      process.env['WINNOW_GPU_PRECISION'] = word;
      expect(wantedPrecision()).toBe(word);
    }
    process.env['WINNOW_GPU_PRECISION'] = 'half';
    expect(wantedPrecision).toThrow('auto, f32 or f16');
  });
});

/** On a card with half precision, of which nothing is known or asked for. */
function choose(question: Partial<PrecisionQuestion>): Promise<Precision> {
  const usual = { wanted: 'auto', earlier: null, hasHalf: true, isSoftware: false } as const;
  return choosePrecision({ ...usual, time: timesOf({ f32: [1], f16: [1] }), ...question });
}

/**
 * @param milliseconds of the runs after the first, over and over
 * @param first of the first run, where it differs
 * @param asked is given every question
 */
function timesOf(
  milliseconds: Record<Precision, number[]>,
  first: Partial<Record<Precision, number>> = {},
  asked: Precision[] = [],
): PrecisionQuestion['time'] {
  return (precision) => {
    const run = asked.filter((other) => other === precision).length;
    asked.push(precision);
    const times = milliseconds[precision];
    return Promise.resolve(run === 0 ? (first[precision] ?? times[0]!) : times[(run - 1) % times.length]!);
  };
}
