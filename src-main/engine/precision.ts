/** What TensorFlow's convolutions can multiply in on a CPU: single precision, or bfloat16, half as long and of the same range. */
export const cpuPrecisions = ['f32', 'bf16'] as const;
export type CpuPrecision = (typeof cpuPrecisions)[number];

/** What WebGPU's matrix products can multiply in: single or half precision. */
export const gpuPrecisions = ['f32', 'f16'] as const;
export type GpuPrecision = (typeof gpuPrecisions)[number];

/** Of the factors in matrix products; sums are single precision in all. */
export type Precision = CpuPrecision | GpuPrecision;

/** What an environment variable asks for. @throws Error where it says none of those that are known */
export function wantedPrecision<Known extends Precision>(variable: string, known: readonly Known[]): Known | 'auto' {
  const wanted = process.env[variable] ?? 'auto';
  const found = (['auto', ...known] as const).find((word) => word === wanted);
  if (found === undefined) throw new Error(`${variable} is "${wanted}"; it can be auto, ${known.join(' or ')}.`);
  return found;
}

/** The precision of the run that is to go on, if it is one of those that are known. */
export function earlierPrecision<Known extends Precision>(
  earlier: Precision | null,
  known: readonly Known[],
): Known | null {
  return known.find((precision) => precision === earlier) ?? null;
}
