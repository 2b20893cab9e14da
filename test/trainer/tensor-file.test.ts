import fs from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { readTensorFile, writeTensorFile, type StoredTensor } from '../../src-main/trainer/tensor-file.ts';
import { temporaryFolder } from '../dataset/pictures.ts';

it('reads tensors as they were written, each straight into its own array', async () => {
  const file = path.join(await temporaryFolder(), 'some.safetensors');
  const tensors = new Map<string, StoredTensor>([
    ['beliefs', { shape: [50_000, 10], values: Float32Array.from({ length: 500_000 }, (_, i) => i / 3) }],
    ['nothing', { shape: [0], values: new Float32Array() }],
    ['order', { shape: [50_000], values: Int32Array.from({ length: 50_000 }, (_, i) => -i) }],
  ]);
  // An odd length of the header, so that no tensor begins at a multiple of four.
  const metadata = { program: 'winnow', odd: 'x' };
  writeTensorFile(file, tensors, metadata);

  const allocated = vi.spyOn(globalThis, 'Uint8Array');
  const read = readTensorFile(file);
  const sizes = (allocated.mock.calls as unknown[][]).map(([size]) => (typeof size === 'number' ? size : 0));
  allocated.mockRestore();
  expect(read).toEqual({ tensors, metadata });
  expect(Math.max(...sizes)).toBeLessThan(1000);
  for (const { values } of read.tensors.values()) expect(values.buffer.byteLength).toBe(values.byteLength);
});

it('refuses a file that is cut short anywhere, or is none', async () => {
  const file = path.join(await temporaryFolder(), 'some.safetensors');
  writeTensorFile(file, new Map([['one', { shape: [4], values: Float32Array.of(1, 2, 3, 4) }]]), {});
  const whole = fs.readFileSync(file);
  for (const length of [0, 3, 8, 20, whole.length - 1]) {
    fs.writeFileSync(file, whole.subarray(0, length));
    expect(() => readTensorFile(file)).toThrow();
  }
  fs.writeFileSync(file, 'no tensors, but long enough to be taken for some');
  expect(() => readTensorFile(file)).toThrow();
});
